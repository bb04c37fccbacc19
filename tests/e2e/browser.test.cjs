// NCALayer's public client, unmodified, in a page of a real browser: Chromium, with certificate checks on, trusting our
// certificate because `tamga trust --install` said so.
//
// Chromium asks before a page of the internet may reach a program of this computer (Local Network Access). The pages
// here come from this computer themselves and are exempt; the daemon has no part in that question either way.
'use strict';

const assert = require('node:assert/strict');
const path = require('node:path');
const { after, before, test } = require('node:test');
const { Sites, clientIn, knock, launch } = require('./support/browser.cjs');
const { clientStory, content, data, signs } = require('./support/client_story.cjs');
const { Services } = require('./support/services.cjs');
const { Daemon, verifyCms } = require('./support/daemon.cjs');

const greeting = '{"result":{"version":"1.4"}}';
const stage = {};
let sites;
let browser;

async function open(url) {
  const page = await browser.newPage();
  await page.goto(url);
  return page;
}
const secure = (name) => `https://${name}:${sites.port}`;

before(async () => {
  sites = await Sites.start();
  stage.services = await Services.start();
  stage.daemon = await Daemon.start({ config: `[origins]\nallow = ["portal.test:${sites.port}"]\n${stage.services.configuration()}` });
});
after(async () => {
  await browser?.close();
  sites?.stop();
  await stage.daemon?.stop();
  await stage.services?.stop();
});

test('tamga trust --install makes the store of a home without one, and --status knows before and after', () => {
  assert.equal(stage.daemon.tamga('trust', '--status').status, 1);

  const installed = stage.daemon.tamga('trust', '--install');

  assert.equal(installed.status, 0);
  assert.match(installed.words, /Chromium: .*\/\.pki\/nssdb: the certificate is now trusted\nRestart your browser/);
  assert.equal(stage.daemon.tamga('trust', '--status').status, 0);
});

test('a listed site of a real page connects over wss with certificate checks on', async () => {
  sites.trustIn(path.join(stage.daemon.home, '.pki/nssdb'), 'P,,');
  browser = await launch(stage.daemon.home);
  stage.page = await open(secure('portal.test'));

  stage.client = await clientIn(stage.page, stage.daemon.url);

  assert.equal(await stage.client.connect(), '1.4');
  assert.equal(await stage.page.evaluate(() => window.isSecureContext), true);
});

clientStory(stage);

test('a page may hand over a Blob', async () => {
  const cms = await stage.page.evaluate((text) => window.client.createCAdESFromBase64('AKKaztokenStore', new Blob([text])),
    content.toString());

  verifyCms(stage.daemon, Buffer.from(cms, 'base64'), content);
});

test('a site on no list is asked about once, and then remembered', async () => {
  const asked = stage.daemon.shown().length;
  stage.daemon.person(signs);
  const client = await clientIn(await open(secure('new.test')), stage.daemon.url);
  await client.connect();
  assert.equal(stage.daemon.shown().length, asked, 'connecting asks nobody');

  const cms = await client.createCAdESFromBase64('AKKaztokenStore', data);
  const again = await clientIn(await open(secure('new.test')), stage.daemon.url);
  await again.connect();
  await again.createCAdESFromBase64('AKKaztokenStore', data);

  verifyCms(stage.daemon, Buffer.from(cms, 'base64'), content);
  const windows = stage.daemon.shown().slice(asked);
  assert.deepEqual(windows.map(({ origin, site_is_new: isNew }) => [origin, isNew]),
    [[secure('new.test'), true], [secure('new.test'), false]]);
});

test('a sandboxed frame of another site, whose origin is null, is refused before the upgrade', async () => {
  const page = await open(secure('portal.test'));
  await page.evaluate((source) => new Promise((resolve) => {
    const frame = Object.assign(document.createElement('iframe'), { src: source, onload: resolve });
    frame.sandbox = 'allow-scripts';
    document.body.append(frame);
  }), secure('evil.test'));
  const frame = page.frames().find((one) => one !== page.mainFrame());

  assert.equal(await frame.evaluate(() => window.origin), 'null');
  assert.equal(await knock(frame, stage.daemon.url), 1006);
  assert.match(stage.daemon.log(), /refused origin="null"/);
  assert.equal(await knock(page, stage.daemon.url), greeting, 'the page around it is not');
});

test('a page that came over http is refused, whatever its name', async () => {
  const page = await open(`http://portal.test:${sites.plainPort}`);

  assert.equal(await knock(page, stage.daemon.url), 1006);
  assert.ok(stage.daemon.log().includes(`refused origin="http://portal.test:${sites.plainPort}"`));
});

test('after tamga trust --remove a browser refuses our certificate, while ws:// needs none', async () => {
  await browser.close();
  assert.match(stage.daemon.tamga('trust', '--remove').words, /the certificate was removed\nRestart your browser/);
  assert.equal(stage.daemon.tamga('trust', '--status').status, 1);
  browser = await launch(stage.daemon.home);
  const page = await open(secure('portal.test'));
  const said = [];
  page.on('console', (message) => said.push(message.text()));

  assert.equal(await knock(page, stage.daemon.url), 1006);
  assert.equal(await knock(page, stage.daemon.url.replace('wss:', 'ws:')), greeting);
  assert.match(said.join('\n'), /ERR_CERT_AUTHORITY_INVALID/);
});
