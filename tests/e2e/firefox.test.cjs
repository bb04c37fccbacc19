// A page in Firefox, which keeps certificates in each profile and has an opinion of its own on them; the rest of what a
// page can do is told in Chromium (browser.test.cjs).
'use strict';

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const path = require('node:path');
const { after, before, test } = require('node:test');
const { Sites, clientIn, knock } = require('./support/browser.cjs');
const { content, data } = require('./support/client_story.cjs');
const { Daemon, verifyCms } = require('./support/daemon.cjs');
const { Firefox } = require('./support/firefox.cjs');

let daemon;
let sites;
let firefox;
const portal = () => `https://portal.test:${sites.port}`;

before(async () => {
  sites = await Sites.start();
  daemon = await Daemon.start({ config: `[origins]\nallow = ["portal.test:${sites.port}"]\n` });
  // C: Firefox wants even a certificate that signed itself to be trusted as an authority.
  sites.trustIn(Firefox.makeProfile(daemon.home), 'C,,');
});
after(async () => {
  await firefox?.close();
  sites?.stop();
  await daemon?.stop();
});

test('a page signs over wss once tamga trust --install was run', async () => {
  assert.match(daemon.tamga('trust', '--install').words, /Firefox: .*\/test\.default: the certificate is now trusted\n/);
  firefox = await Firefox.launch(daemon.home);
  await firefox.goto(portal());
  const client = await clientIn(firefox, daemon.url);

  assert.equal(await client.connect(), '1.4');
  const cms = await client.createCAdESFromBase64('AKKaztokenStore', data);

  verifyCms(daemon, Buffer.from(cms, 'base64'), content);
  assert.equal(daemon.shown().at(-1).origin, portal());
});

/** What each store of this home says of Tamga's authority: its flags, for servers, e-mail and programs. */
const stores = () => ['.pki/nssdb', '.mozilla/firefox/test.default'].map((store) => (
  execFileSync('certutil', ['-L', '-d', `sql:${path.join(daemon.home, store)}`], { encoding: 'utf8' }).match(/^Tamga local CA .*?(\S+)\s*$/m)?.[1]));

test('S15: browsers trust Tamga\'s authority for servers alone, and a repair leaves nothing of the old one', async () => {
  assert.deepEqual(stores(), ['C,,', 'C,,']);

  assert.equal(daemon.tamga('trust', '--remove').status, 0);
  assert.deepEqual(stores(), [undefined, undefined]);
  assert.equal(daemon.tamga('trust', '--install').status, 0);

  assert.deepEqual(stores(), ['C,,', 'C,,']);
});

test('S16: neither the daemon nor trust being taken and given ends a browser that runs', async () => {
  await firefox.evaluate(() => { window.stillHere = 'the same page'; });

  daemon.tamga('trust', '--remove');
  daemon.tamga('trust', '--install');
  await daemon.restart();

  assert.equal(firefox.process.exitCode, null);
  assert.equal(await firefox.evaluate(() => window.stillHere), 'the same page');
});

test('after tamga trust --remove it refuses our certificate, while ws:// needs none', async () => {
  await firefox.close();
  assert.match(daemon.tamga('trust', '--remove').words, /Firefox: .*: the certificate was removed\n/);
  firefox = await Firefox.launch(daemon.home);
  await firefox.goto(portal());

  assert.equal(await knock(firefox, daemon.url), 1015, 'a failed TLS handshake');
  assert.equal(await knock(firefox, daemon.url.replace('wss:', 'ws:')), '{"result":{"version":"1.4"}}');
});
