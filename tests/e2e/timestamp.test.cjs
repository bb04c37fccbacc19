// Time-stamps from the page's request to the CMS it gets, and every way in which a service can fail.
'use strict';

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const http = require('node:http');
const { after, before, beforeEach, describe, test } = require('node:test');
const { Daemon, freePort, fromPem, scratch, until, verifyCms } = require('./support/daemon.cjs');
const { Services, verifyStamps } = require('./support/services.cjs');
const { children, element, timestampsOf } = require('./support/der.cjs');

const content = Buffer.from('Өтініш: келісемін');
const document = content.toString('base64');
const person = 'key first\npin 12345678\naccept\n';
const basics = (data, signingParams = {}, format = 'cms') => ({
  module: 'kz.gov.pki.knca.basics', method: 'sign',
  args: {
    allowedStorages: null, format, data, signingParams: { decode: true, tsaProfile: {}, ...signingParams }, signerParams: { extKeyUsageOids: [] },
  },
});
const commonUtils = (method, args) => ({ module: 'kz.gov.pki.knca.commonUtils', method, args });
const configuration = (url, more = '') => `[origins]\nallow = ["portal.test"]\n[timestamp]\nurl = "${url}"\n${more}`;

const verifyStamp = (daemon, services, cms) => assert.equal(verifyStamps(daemon, services, cms), 1);

describe('with a service that answers', () => {
  let services;
  let daemon;
  let socket;
  const ask = async (request) => JSON.parse(await socket.ask(request));
  before(async () => {
    services = await Services.start();
    daemon = await Daemon.start({ config: configuration(`${services.url}/tsp`, 'seconds = 5\n') });
    socket = await daemon.connect();
  });
  beforeEach(() => {
    services.mood = 'none';
    services.asked.length = 0;
    daemon.person(person);
  });
  after(async () => {
    socket?.close();
    await daemon?.stop();
    await services?.stop();
  });

  test('a CMS of basics has a time-stamp that openssl verifies', async () => {
    const reply = await ask(basics(document));

    assert.equal(reply.status, true, JSON.stringify(reply));
    const cms = fromPem(reply.body.result[0]);
    assert.equal(verifyCms(daemon, cms).toString(), content.toString());
    verifyStamp(daemon, services, cms);
    assert.equal(services.asked.length, 1);
    assert.equal(services.asked[0].headers['content-type'], 'application/timestamp-query');
    assert.equal(services.asked[0].url, '/tsp');
  });

  test('each CMS of an array has one of its own', async () => {
    const reply = await ask(basics(Array.from({ length: 12 }, (_, i) => Buffer.from(`document ${i}`).toString('base64'))));

    assert.equal(reply.status, true, JSON.stringify(reply));
    assert.equal(reply.body.result.length, 12);
    reply.body.result.forEach((pem, i) => {
      assert.equal(verifyCms(daemon, fromPem(pem)).toString(), `document ${i}`);
      verifyStamp(daemon, services, fromPem(pem));
    });
    assert.equal(services.asked.length, 12);
    assert.equal(new Set(services.asked.map(({ body }) => body.toString('hex'))).size, 12);
  });

  test('createCMSSignatureFromBase64 always has one, createCAdESFromBase64 none, which applyCAdEST adds', async () => {
    const stamped = await ask(commonUtils('createCMSSignatureFromBase64', ['AKKaztokenStore', 'SIGNATURE', document, true]));
    assert.equal(stamped.code, '200', JSON.stringify(stamped));
    verifyStamp(daemon, services, Buffer.from(stamped.responseObject, 'base64'));

    const plain = await ask(commonUtils('createCAdESFromBase64', ['AKKaztokenStore', 'SIGNATURE', document, true]));
    assert.equal(services.asked.length, 1);
    const windows = daemon.shown().length;
    const applied = await ask(commonUtils('applyCAdEST', ['AKKaztokenStore', 'SIGNATURE', plain.responseObject]));
    assert.equal(applied.code, '200', JSON.stringify(applied));
    const cms = Buffer.from(applied.responseObject, 'base64');
    assert.equal(verifyCms(daemon, cms).toString(), content.toString());
    verifyStamp(daemon, services, cms);
    assert.equal(daemon.shown().length, windows, 'no key is used, and nobody is asked');

    const rubbish = await ask(commonUtils('applyCAdEST', ['AKKaztokenStore', 'SIGNATURE', document]));
    assert.equal(rubbish.message, 'cms_malformed');
  });

  test('S23: no address that a page names is ever fetched', async () => {
    const asked = [];
    const trap = http.createServer((request, response) => { asked.push(request.url); response.end(); });
    await new Promise((resolve) => { trap.listen(0, '127.0.0.1', resolve); });
    const url = `http://127.0.0.1:${trap.address().port}/trap`;
    try {
      const profile = { url, tsaUrl: url, uri: url, address: url };
      const reply = await ask({
        ...basics(document, { tsaProfile: profile, tsaUrl: url, ocspUrl: url, crlUrl: url }), tsa: url, logo: url,
      });
      assert.equal(reply.status, true, JSON.stringify(reply));
      services.mood = 'redirect';
      const redirected = await ask(basics(document, { tsaProfile: profile }));
      assert.equal(redirected.details, 'timestamp_unavailable');
      assert.deepEqual(services.asked.map((request) => request.url), ['/tsp', '/tsp'], 'nor is a redirection followed');
      const xml = `<a xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="${url}"/></a>`;
      assert.equal((await ask(basics(xml, { decode: false, tsaProfile: null }, 'xml'))).status, true);
      assert.deepEqual(asked, []);
    } finally { trap.close(); }
  });

  for (const [mood, word] of [
    ['rubbish', 'timestamp_invalid'], ['huge', 'timestamp_unavailable'], ['status', 'timestamp_unavailable'],
    ['refused', 'timestamp_unavailable'], ['other_nonce', 'timestamp_invalid'], ['other_imprint', 'timestamp_invalid'],
    ['other_policy', 'timestamp_invalid'], ['broken_signature', 'timestamp_invalid'], ['wrong_usage', 'timestamp_invalid'],
  ]) {
    test(`${mood}: the page gets ${word} and no signature, and the log says how many were made`, async () => {
      services.mood = mood;
      const logged = daemon.log().length;

      const reply = await ask(basics([document, document]));

      assert.deepEqual(reply, { code: 'SIGNING_FAILURE', details: word, message: 'Signing has failed.', status: false });
      const log = daemon.log().slice(logged);
      assert.match(log, new RegExp(`signed_without_stamp .*count=2 .*error="${word}"`));
      await until('the window to say it', () => daemon.shown().at(-1).errors.some((error) => /time-stamp/.test(error)));
    });
  }

  test('one wrong stamp of many is none at all', async () => {
    services.mood = 'once-other_imprint';
    const reply = await ask(basics(Array(10).fill(document)));
    assert.equal(reply.details, 'timestamp_invalid');
  });

  test('a service that keeps silent is given up at the deadline; meanwhile others are served', async () => {
    services.mood = 'silence';
    const started = Date.now();
    const waiting = ask(basics(document));
    await until('the service to be asked', () => services.asked.length > 0);
    const other = await daemon.connect();
    const tokens = JSON.parse(await other.ask(commonUtils('getActiveTokens', [])));
    assert.deepEqual(tokens.responseObject, ['AKKaztokenStore']);
    assert.ok(Date.now() - started < 4000, 'while the first page waits');
    other.close();

    const reply = await waiting;
    assert.equal(reply.details, 'timestamp_unavailable');
    assert.ok(Date.now() - started >= 4900 && Date.now() - started < 9000, `${Date.now() - started} ms`);
  });

  test('a page that leaves while a stamp is awaited is forgotten at once', async () => {
    services.mood = 'silence';
    const leaving = await daemon.connect();
    leaving.send(JSON.stringify(basics(document)));
    await until('the service to be asked', () => services.asked.length > 0);
    const closed = new Promise((resolve) => { services.waiting.at(-1).on('close', resolve); });
    leaving.close();
    await closed;
    await until('its window to go', () => daemon.prompts().length === 0);
  });

  test('a person who cancels while the stamp is awaited has the page told so', async () => {
    services.mood = 'silence';
    daemon.person(`${person}cancel_at Waiting for the time-stamp\n`);
    const reply = await ask(basics(document));
    assert.deepEqual(reply, { body: {}, status: true });
  });

  test('a stamp on anything but a CMS is refused before anybody is asked', async () => {
    const windows = daemon.shown().length;
    const reply = await ask(basics('<a/>', { decode: false }, 'xml'));
    assert.equal(reply.code, 'INVALID_SIGNING_PARAMS');
    assert.equal(daemon.shown().length, windows);
  });
});

test('nobody listens at the service\'s address: the page is told, quickly', async () => {
  const daemon = await Daemon.start({ config: configuration(`http://127.0.0.1:${await freePort()}`) });
  const socket = await daemon.connect();
  try {
    const reply = JSON.parse(await socket.ask(basics(document)));
    assert.equal(reply.details, 'timestamp_unavailable');
  } finally {
    socket.close();
    await daemon.stop();
  }
});

test('a service whose name nobody knows is given up at the deadline, or before', async () => {
  const daemon = await Daemon.start({ config: configuration('http://no-such-service.invalid/', 'seconds = 3\n') });
  const socket = await daemon.connect();
  try {
    const started = Date.now();
    assert.equal(JSON.parse(await socket.ask(basics(document))).details, 'timestamp_unavailable');
    assert.ok(Date.now() - started < 6000, `${Date.now() - started} ms`);
  } finally {
    socket.close();
    await daemon.stop();
  }
});

test('a proxy is used where it is configured, and not because the environment names one', async () => {
  const services = await Services.start();
  const proxied = `${configuration('http://tsp.example/stamp')}[network]\nproxy = "${services.url}"\n`;
  for (const [config, env, url] of [
    [proxied, {}, 'http://tsp.example/stamp'],
    [configuration(`${services.url}/direct`), { http_proxy: 'http://127.0.0.1:9', HTTP_PROXY: 'http://127.0.0.1:9' }, '/direct'],
  ]) {
    const daemon = await Daemon.start({ config, env });
    const socket = await daemon.connect();
    try {
      const reply = JSON.parse(await socket.ask(basics(document)));
      assert.equal(reply.status, true, JSON.stringify(reply));
      assert.equal(services.asked.at(-1).url, url);
    } finally {
      socket.close();
      await daemon.stop();
    }
  }
  await services.stop();
});

test('a GOST signature gets a GOST stamp over its own octets, under the policy for such keys', async () => {
  const services = await Services.start('gost512');
  // By name too: it is looked up inside the sandbox.
  const daemon = await Daemon.start({ gost: ['s_r', 'gost512'], config: configuration(services.url.replace('127.0.0.1', 'localhost')) });
  const socket = await daemon.connect();
  try {
    const reply = JSON.parse(await socket.ask(basics(document)));
    assert.equal(reply.status, true, JSON.stringify(reply));
    const [{ value, tokens }] = timestampsOf(fromPem(reply.body.result[0]));
    assert.equal(tokens.length, 1);
    const hashed = execFileSync('openssl', ['dgst', '-md_gost12_512', '-binary', scratch(daemon, 'stamp.value', value)],
      { env: { ...process.env, OPENSSL_CONF: require.resolve('../data/gost.cnf') } });
    assert.ok(tokens[0].includes(hashed), 'the imprint is that of the signature octets, by somebody else\'s Streebog');
    const [, imprint, policy] = children(element(services.asked[0].body).content);
    assert.ok(imprint.octets.includes(hashed));
    assert.equal(policy.octets.toString('hex'), '06082a830e0303020604');
  } finally {
    socket.close();
    await daemon.stop();
    await services.stop();
  }
});
