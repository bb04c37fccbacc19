// NCALayer's public client (npm: ncalayer-js-client), unmodified, against the whole product under Node.
// Every signature is verified by openssl or xmlsec1, not by our code.
'use strict';

const assert = require('node:assert/strict');
const { after, before, test } = require('node:test');
const { Daemon, fromPem, portal, verifyCms, verifyXml } = require('./support/daemon.cjs');

process.env.TAMGA_ORIGIN = portal;
require('./support/send-origin.cjs');
const { NCALayerClient } = require('ncalayer-js-client');

const data = 'MTEK'; // "11\n"
const content = Buffer.from(data, 'base64');
const kaztoken = NCALayerClient.basicsStorageKAZTOKEN;
let daemon;
let client;

before(async () => {
  daemon = await Daemon.start();
  process.env.TAMGA_CA = daemon.authority();
  client = new NCALayerClient(daemon.url, false);
});
after(() => { if (process.env.SHOW_LOG) console.log(daemon.log()); return daemon.stop(); });

const person = (script) => daemon.person(script);
const signs = 'key first\npin 12345678\naccept\n';

test('connect reads the greeting of NCALayer 1.4', async () => {
  assert.equal(await client.connect(), '1.4');
  assert.equal(client.isKmd, false);
});

test('getActiveTokens names the storage of the token that is plugged in', async () => {
  assert.deepEqual(await client.getActiveTokens(), ['AKKaztokenStore']);
});

test('getKeyInfo describes the certificate the person chose', async () => {
  person('key first\naccept\n');

  const info = await client.getKeyInfo('AKKaztokenStore');

  assert.equal(info.subjectCn, 'ТЕСТОВ ТЕСТ');
  assert.equal(info.subjectDn, 'CN=ТЕСТОВ ТЕСТ,SURNAME=ТЕСТОВ,SERIALNUMBER=IIN123456789011,C=KZ,GIVENNAME=ТЕСТОВИЧ');
  assert.equal(info.algorithm, 'RSA');
  assert.ok(Math.abs(Number(info.certNotBefore) - Date.now()) < 86400e3);
  assert.match(info.pem, /^-----BEGIN CERTIFICATE-----\n/);
  for (const name of ['alias', 'keyId', 'serialNumber', 'authorityKeyIdentifier']) assert.match(info[name], /^[0-9a-f]+$/);
});

test('createCAdESFromBase64 signs detached and attached', async () => {
  person(signs);

  const detached = await client.createCAdESFromBase64('AKKaztokenStore', data);
  const attached = await client.createCAdESFromBase64('AKKaztokenStore', data, 'SIGNATURE', true);

  verifyCms(daemon, Buffer.from(detached, 'base64'), content);
  assert.deepEqual(verifyCms(daemon, Buffer.from(attached, 'base64')), content);
});

test('createCAdESFromBase64 adds a signer to data that is a CMS already', async () => {
  const once = await client.createCAdESFromBase64('AKKaztokenStore', data, 'SIGNATURE', true);
  const twice = await client.createCAdESFromBase64('AKKaztokenStore', once, 'AUTHENTICATION', true);

  assert.deepEqual(verifyCms(daemon, Buffer.from(twice, 'base64')), content);
  assert.match(daemon.shown().at(-1).purpose, /sign in/i);
});

test('createCAdESFromBase64Hash signs a digest as it is', async () => {
  const digest = require('node:crypto').createHash('sha256').update(content).digest('base64');

  const cms = await client.createCAdESFromBase64Hash('AKKaztokenStore', digest);

  verifyCms(daemon, Buffer.from(cms, 'base64'), content);
});

test('signXml and signXmls sign documents that xmlsec1 accepts', async () => {
  const one = await client.signXml('AKKaztokenStore', '<tag>data</tag>');
  const many = await client.signXmls('AKKaztokenStore', ['<a>1</a>', '<b>2</b>', '<в>3</в>']);

  for (const xml of [one, ...many]) verifyXml(daemon, xml);
  assert.equal(many.length, 3);
  assert.match(one, /^<\?xml version="1.0" encoding="UTF-8" standalone="no"\?><tag>data<ds:Signature /);
});

test('signXml signs an element by XPath', async () => {
  const xml = await client.signXml('AKKaztokenStore', '<r><body Id="b1">text</body><sigs/></r>', 'SIGNATURE',
    '/r/body', '/r/sigs');

  verifyXml(daemon, xml, ['--id-attr:Id', 'body']);
  assert.match(xml, /<sigs><ds:Signature .*URI="#b1"/);
});

test('changeLocale is obeyed by the window', async () => {
  await client.changeLocale('kk');
  await client.createCAdESFromBase64('AKKaztokenStore', data);

  assert.match(daemon.shown().at(-1).purpose, /қол/i);
  await client.changeLocale('en');
});

test('basics signs cms, single and array, detached, attached and by digest', async () => {
  const digest = require('node:crypto').createHash('sha256').update(content).digest('base64');
  const { basicsCMSParamsDetachedNoTSP: detached, basicsSignerAny: any } = NCALayerClient;

  const plain = await client.basicsSignCMS(null, data, {}, any);
  const single = await client.basicsSignCMS(kaztoken, data, detached, NCALayerClient.basicsSignerSignPerson);
  const three = await client.basicsSignCMS(kaztoken, [data, data, data], { decode: true }, any);
  const hashed = await client.basicsSignCMS(kaztoken, digest, { ...detached, digested: true }, any);

  assert.deepEqual(verifyCms(daemon, fromPem(plain)), Buffer.from(data));
  verifyCms(daemon, fromPem(single), content);
  assert.equal(three.length, 3);
  for (const cms of three) assert.deepEqual(verifyCms(daemon, fromPem(cms)), content);
  verifyCms(daemon, fromPem(hashed), content);
  assert.match(single, /^-----BEGIN CMS-----\n[A-Za-z0-9+/=]{64}\n[^]*-----END CMS-----\n$/);
});

test('basics signs xml', async () => {
  const signed = await client.basicsSignXML(kaztoken, '<tag>data</tag>', NCALayerClient.basicsXMLParams,
    NCALayerClient.basicsSignerAny);

  verifyXml(daemon, signed[0]);
});

test('a cancelled window is "cancelled by user" in both dialects', async () => {
  person('cancel\n');

  await assert.rejects(client.createCAdESFromBase64('AKKaztokenStore', data), /500: action.canceled/);
  await assert.rejects(client.basicsSignCMS(kaztoken, data, {}, NCALayerClient.basicsSignerAny),
    (error) => error.canceledByUser);
});

test('a storage without a token and a wrong argument get the recorded words', async () => {
  person(signs);

  await assert.rejects(client.getKeyInfo('AKJaCartaStore'), /500: storage.empty/);
  await assert.rejects(client.getKeyInfo(1), /argument type mismatch. Method: getKeyInfo/);
  await assert.rejects(client.signXml('AKKaztokenStore', '<this>is not a valid XML'),
    /SAXParseException; lineNumber: \d+; columnNumber: \d+; .+/);
});

test('time-stamps are refused with words that say so, nothing being signed', async () => {
  const before_ = daemon.shown().length;

  await assert.rejects(client.basicsSignCMS(kaztoken, data, NCALayerClient.basicsCMSParamsAttached,
    NCALayerClient.basicsSignerAny), /time-stamp/i);
  await assert.rejects(client.createCMSSignatureFromBase64('AKKaztokenStore', data), /time-stamp/i);
  assert.equal(daemon.shown().length, before_);
});
