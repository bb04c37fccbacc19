// The story of NCALayer's public client (npm: ncalayer-js-client): every method that needs no file,
// called on `stage.client`, and what openssl and xmlsec1 say of the results. Where the client runs, in this Node or in a
// page, is the caller's affair.
'use strict';

const assert = require('node:assert/strict');
const { createHash } = require('node:crypto');
const { test } = require('node:test');
const { NCALayerClient } = require('ncalayer-js-client');
const { fromPem, verifyCms, verifyXml } = require('./daemon.cjs');
const { verifyStamps } = require('./services.cjs');

const data = 'MTEK'; // "11\n"
const content = Buffer.from(data, 'base64');
const digest = createHash('sha256').update(content).digest('base64');
const kaztoken = NCALayerClient.basicsStorageKAZTOKEN;
const signs = 'key first\npin 12345678\naccept\n';

/** @param stage.daemon, stage.client, stage.services  set before the tests run; the client is connected */
function clientStory(stage) {
  test('getActiveTokens names the storage of the token that is plugged in', async () => {
    assert.deepEqual(await stage.client.getActiveTokens(), ['AKKaztokenStore']);
  });

  test('getKeyInfo describes the certificate the person chose', async () => {
    stage.daemon.person('key first\naccept\n');

    const info = await stage.client.getKeyInfo('AKKaztokenStore');

    assert.equal(info.subjectCn, 'ТЕСТОВ ТЕСТ');
    assert.equal(info.subjectDn, 'CN=ТЕСТОВ ТЕСТ,SURNAME=ТЕСТОВ,SERIALNUMBER=IIN123456789011,C=KZ,GIVENNAME=ТЕСТОВИЧ');
    assert.equal(info.algorithm, 'RSA');
    assert.ok(Math.abs(Number(info.certNotBefore) - Date.now()) < 86400e3);
    assert.match(info.pem, /^-----BEGIN CERTIFICATE-----\n/);
    for (const name of ['alias', 'keyId', 'serialNumber', 'authorityKeyIdentifier']) assert.match(info[name], /^[0-9a-f]+$/);
  });

  test('createCAdESFromBase64 signs detached and attached', async () => {
    stage.daemon.person(signs);

    const detached = await stage.client.createCAdESFromBase64('AKKaztokenStore', data);
    const attached = await stage.client.createCAdESFromBase64('AKKaztokenStore', data, 'SIGNATURE', true);

    verifyCms(stage.daemon, Buffer.from(detached, 'base64'), content);
    assert.deepEqual(verifyCms(stage.daemon, Buffer.from(attached, 'base64')), content);
  });

  test('createCAdESFromBase64 adds a signer to data that is a CMS already', async () => {
    const once = await stage.client.createCAdESFromBase64('AKKaztokenStore', data, 'SIGNATURE', true);
    const twice = await stage.client.createCAdESFromBase64('AKKaztokenStore', once, 'AUTHENTICATION', true);

    assert.deepEqual(verifyCms(stage.daemon, Buffer.from(twice, 'base64')), content);
    assert.match(stage.daemon.shown().at(-1).purpose, /sign in/i);
  });

  test('createCAdESFromBase64Hash signs a digest as it is', async () => {
    const cms = await stage.client.createCAdESFromBase64Hash('AKKaztokenStore', digest);

    verifyCms(stage.daemon, Buffer.from(cms, 'base64'), content);
  });

  test('signXml and signXmls sign documents that xmlsec1 accepts', async () => {
    const one = await stage.client.signXml('AKKaztokenStore', '<tag>data</tag>');
    const many = await stage.client.signXmls('AKKaztokenStore', ['<a>1</a>', '<b>2</b>', '<в>3</в>']);

    for (const xml of [one, ...many]) verifyXml(stage.daemon, xml);
    assert.equal(many.length, 3);
    assert.match(one, /^<\?xml version="1.0" encoding="UTF-8" standalone="no"\?><tag>data<ds:Signature /);
  });

  test('signXml signs an element by XPath', async () => {
    const xml = await stage.client.signXml('AKKaztokenStore', '<r><body Id="b1">text</body><sigs/></r>', 'SIGNATURE',
      '/r/body', '/r/sigs');

    verifyXml(stage.daemon, xml, ['--id-attr:Id', 'body']);
    assert.match(xml, /<sigs><ds:Signature .*URI="#b1"/);
  });

  test('changeLocale is obeyed by the window', async () => {
    await stage.client.changeLocale('kk');
    await stage.client.createCAdESFromBase64('AKKaztokenStore', data);

    assert.match(stage.daemon.shown().at(-1).purpose, /қол/i);
    await stage.client.changeLocale('en');
  });

  test('basics signs cms, single and array, detached, attached and by digest', async () => {
    const { basicsCMSParamsDetachedNoTSP: detached, basicsSignerAny: any } = NCALayerClient;

    const plain = await stage.client.basicsSignCMS(null, data, {}, any);
    const single = await stage.client.basicsSignCMS(kaztoken, data, detached, NCALayerClient.basicsSignerSignPerson);
    const three = await stage.client.basicsSignCMS(kaztoken, [data, data, data], { decode: true }, any);
    const hashed = await stage.client.basicsSignCMS(kaztoken, digest, { ...detached, digested: true }, any);

    assert.deepEqual(verifyCms(stage.daemon, fromPem(plain)), Buffer.from(data));
    verifyCms(stage.daemon, fromPem(single), content);
    assert.equal(three.length, 3);
    for (const cms of three) assert.deepEqual(verifyCms(stage.daemon, fromPem(cms)), content);
    verifyCms(stage.daemon, fromPem(hashed), content);
    assert.match(single, /^-----BEGIN CMS-----\n[A-Za-z0-9+/=]{64}\n[^]*-----END CMS-----\n$/);
  });

  test('basics signs xml', async () => {
    const signed = await stage.client.basicsSignXML(kaztoken, '<tag>data</tag>', NCALayerClient.basicsXMLParams,
      NCALayerClient.basicsSignerAny);

    verifyXml(stage.daemon, signed[0]);
  });

  test('basicsSign, which those two wrap, takes a logo, and its locale is obeyed by the window', async () => {
    await stage.client.setLogoForBasicsSign(data);
    const [cms] = await stage.client.basicsSign(kaztoken, 'cms', [data], { decode: true },
      NCALayerClient.basicsSignerAny, 'ru');

    assert.deepEqual(verifyCms(stage.daemon, fromPem(cms)), content);
    assert.match(stage.daemon.shown().at(-1).purpose, /подпис/i);
  });

  test('a cancelled window is "cancelled by user" in both dialects', async () => {
    stage.daemon.person('cancel\n');

    await assert.rejects(stage.client.createCAdESFromBase64('AKKaztokenStore', data), /500: action.canceled/);
    await assert.rejects(stage.client.basicsSignCMS(kaztoken, data, {}, NCALayerClient.basicsSignerAny),
      (error) => error.canceledByUser);
  });

  test('a storage without a token and a wrong argument get the recorded words', async () => {
    stage.daemon.person(signs);

    await assert.rejects(stage.client.getKeyInfo('AKJaCartaStore'), /500: storage.empty/);
    await assert.rejects(stage.client.getKeyInfo(1), /argument type mismatch. Method: getKeyInfo/);
    await assert.rejects(stage.client.signXml('AKKaztokenStore', '<this>is not a valid XML'),
      /SAXParseException; lineNumber: \d+; columnNumber: \d+; .+/);
  });

  test('the presets of basics, which ask for a time-stamp, get one; so does createCMSSignatureFromBase64', async () => {
    const [attached] = await stage.client.basicsSignCMS(kaztoken, [data], NCALayerClient.basicsCMSParamsAttached, NCALayerClient.basicsSignerAny);
    const [detached] = await stage.client.basicsSignCMS(kaztoken, [data], NCALayerClient.basicsCMSParamsDetached, NCALayerClient.basicsSignerAny);
    const signature = await stage.client.createCMSSignatureFromBase64('AKKaztokenStore', data);

    assert.deepEqual(verifyCms(stage.daemon, fromPem(attached)), content);
    verifyCms(stage.daemon, fromPem(detached), content);
    verifyCms(stage.daemon, Buffer.from(signature, 'base64'), content);
    for (const cms of [fromPem(attached), fromPem(detached), Buffer.from(signature, 'base64')]) {
      assert.equal(verifyStamps(stage.daemon, stage.services, cms), 1);
    }
  });
}

module.exports = { clientStory, content, data, signs };
