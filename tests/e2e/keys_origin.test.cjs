// Which pages may ask for work on keys: those of sites that root's own file names, in Chromium, and no other. Root's file is one
// that this test lays over /etc in a namespace of its own.
'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { after, before, test } = require('node:test');
const { Sites } = require('./support/browser.cjs');
const { Daemon, testFolder } = require('./support/daemon.cjs');
const { prepare, start } = require('./support/visitor.cjs');

// Anybody but root would need a user namespace for this, in which the files of root belong to nobody and are not trusted.
const skip = process.getuid() !== 0;
let sites;
let folder;
let daemon;
let visitor;

before(async () => {
  if (skip) return;
  sites = await Sites.start();
  folder = testFolder('keys-origin');
  const etc = path.join(folder, 'etc');
  fs.mkdirSync(path.join(etc, 'tamga'), { recursive: true });
  for (const each of [folder, etc, path.join(etc, 'tamga')]) fs.chmodSync(each, 0o755);
  fs.writeFileSync(path.join(etc, 'tamga/tamga.toml'), `[keys]\nallow = ["portal.test:${sites.port}"]\nstores = { AKKaztokenStore = "1.2.398.3.3.5.1.2" }\n`);
  daemon = await Daemon.start({
    config: `[origins]\nallow = ["portal.test:${sites.port}", "new.test:${sites.port}"]\n`,
    wrap: ['unshare', '-m', 'sh', '-c', `mount -t overlay overlay -o lowerdir=${etc}:/etc /etc && exec "$@"`, 'sh'],
  });
  prepare('Chromium', daemon.home, sites);
  daemon.tamga('trust', '--install');
  visitor = await start('Chromium', daemon.home);
});
after(async () => {
  await visitor?.close();
  await daemon?.stop();
  sites?.stop();
  if (folder) fs.rmSync(folder, { recursive: true });
});

/** What a page of this site is answered by tamga.v1. */
async function asks(site, method, params) {
  await visitor.goto(`https://${site}:${sites.port}/`);
  return visitor.evaluate(({ port, request }) => new Promise((resolve) => {
    const socket = new WebSocket(`wss://127.0.0.1:${port}/`, 'tamga.v1');
    socket.onopen = () => socket.send(JSON.stringify(request));
    socket.onmessage = ({ data }) => {
      const answer = JSON.parse(data);
      if (answer.id !== request.id) return;
      socket.close();
      resolve(answer);
    };
    socket.onclose = ({ code }) => resolve({ closed: code });
  }), { port: daemon.port, request: { jsonrpc: '2.0', id: 1, method, params } });
}

test('a page of a site that root\'s file names renews a key, each step in its window, and its request names the configured store', { skip }, async () => {
  const { result: listed } = await asks('portal.test', 'keys.list', {});
  assert.equal(listed.keys.length, 2);
  const [key] = listed.keys.flatMap(({ certificates }) => certificates).filter(({ usages }) => usages.includes('1.3.6.1.5.5.7.3.4'));
  const windows = daemon.shown().length;

  const { result: application, error } = await asks('portal.test', 'keys.renew', { token: { storage: listed.token.storage, serial: listed.token.serial }, keys: [{ certificate: key.content }] });

  assert.equal(application?.state, 'signed', JSON.stringify(error));
  assert.equal(daemon.shown().length, windows + 2, 'the new pair, and the application');
  assert.ok(daemon.shown().slice(windows).every(({ origin }) => origin === `https://portal.test:${sites.port}`));
  // 1.2.398.3.3.5.1.2 in DER.
  const store = Buffer.from('2a830e0303050102', 'hex');
  assert.ok(Buffer.from(application.keys[0].request, 'base64').includes(store), 'the identifier of keys.stores');
});

test('a site that may manage keys still deletes, labels and unblocks nothing', { skip }, async () => {
  const windows = daemon.shown().length;
  const refused = {};
  for (const [method, params] of Object.entries({ 'keys.delete': { id: '01', public_key: 'eA==' }, 'keys.label': { id: '01', label: 'x' }, 'pin.unblock': {} })) {
    refused[method] = (await asks('portal.test', method, params)).error?.data.error;
  }

  assert.deepEqual(refused, { 'keys.delete': 'key_work_denied', 'keys.label': 'key_work_denied', 'pin.unblock': 'key_work_denied' });
  assert.equal(daemon.shown().length, windows);
});

test('a page of an ordinary site, which may ask for signatures, cannot reach the keys, and no window opens', { skip }, async () => {
  const windows = daemon.shown().length;

  for (const [method, params] of Object.entries({ 'keys.list': {}, 'keys.renew': { application: '20261123-ABCDEF' }, 'keys.install': { files: ['eA=='] }, 'pin.change': {}, 'applications.list': {} })) {
    assert.equal((await asks('new.test', method, params)).error?.data.error, 'key_work_denied', method);
  }

  assert.equal(daemon.shown().length, windows);
});
