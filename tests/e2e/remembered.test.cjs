// A sign-in that the person had remembered for a site: no window for that site, and nothing for anybody else.
'use strict';

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const { after, beforeEach, before, test } = require('node:test');
const { Daemon, scratch, until } = require('./support/daemon.cjs');
const { Services } = require('./support/services.cjs');
const { Logind } = require('./support/logind.cjs');
const { Client } = require('./support/v1.cjs');

const remembers = 'key first\npin 12345678\nremember\naccept\n';
const config = '[origins]\nallow = ["portal.test", "other.test"]\n';
const other = 'https://other.test';
let logind;
let daemon;
let page;

const challenge = () => ({ challenge: crypto.randomBytes(32).toString('base64') });
const windows = () => daemon.shown().length;

before(async () => {
  logind = await Logind.start();
  daemon = await Daemon.start({ config, env: logind.env });
});
after(async () => {
  page?.close();
  await daemon?.stop();
  await logind?.stop();
});
/** Each test begins with a sign-in that was just remembered for portal.test. */
beforeEach(async () => {
  page?.close();
  daemon.tamga('sites', 'revoke', 'portal.test'); // whatever the test before left
  daemon.tamga('sites', 'allow', 'portal.test');
  page = await Client.connect(daemon);
  daemon.person(remembers);
  await page.call('authenticate', challenge());
  daemon.person('cancel\n');
});

test('the next sign-ins of that site need no window, on any of its sockets, and verify with openssl', async () => {
  const before = windows();
  const second = await Client.connect(daemon);

  for (const client of [page, second, page]) {
    const asked = challenge();
    const { statement, signature, certificate } = await client.call('authenticate', asked);
    assert.match(statement, new RegExp(`^TAMGA-AUTHENTICATE-v1\norigin https://portal\\.test\nchallenge ${asked.challenge.replace(/[+/]/g, '\\$&')}\n`));
    const key = scratch(daemon, 'key.pub', execFileSync('openssl', ['x509', '-inform', 'DER', '-noout', '-pubkey'], { input: Buffer.from(certificate, 'base64') }));
    execFileSync('openssl', ['dgst', '-sha256', '-verify', key, '-signature', scratch(daemon, 'sig', Buffer.from(signature, 'base64')),
      scratch(daemon, 'statement', statement)], { stdio: 'pipe' });
  }
  assert.equal(windows(), before);
  second.close();
});

test('S7: a second site cannot sign on what the first one unlocked', async () => {
  const stranger = await Client.connect(daemon, { origin: other });
  const before = windows();

  assert.equal((await stranger.fails('authenticate', challenge())).data.error, 'user_cancelled');
  assert.equal((await stranger.fails('sign', { purpose: 'document', format: 'cms', documents: [{ text: 'x' }] })).data.error, 'user_cancelled');

  assert.equal(windows(), before + 2, 'the person was asked each time');
  await page.call('authenticate', challenge());
  stranger.close();
});

test('a document of the same site, and a sign-in with another key, are asked about', async () => {
  const before = windows();

  assert.equal((await page.fails('sign', { purpose: 'document', format: 'cms', documents: [{ text: 'x' }] })).data.error, 'user_cancelled');
  assert.notEqual((await page.fails('authenticate', { ...challenge(), signer: { iin: '990101300000' } })).data.error, 'internal');

  assert.ok(windows() > before);
});

for (const event of ['lock', 'sleep']) {
  test(`S8: after ${event} the person is asked again`, async () => {
    await logind.say(event);

    assert.equal((await page.fails('authenticate', challenge())).data.error, 'user_cancelled');
  });
}

test('S8: a permission that is revoked takes the remembered sign-in along', async () => {
  daemon.tamga('sites', 'revoke', 'portal.test');
  assert.equal((await page.closed).reason, 'site_revoked');
  await until('the logout', () => /: lease .*signatures="?1"?/.test(daemon.log()) || /forgotten/.test(daemon.log()));
  daemon.tamga('sites', 'allow', 'portal.test');
  const again = await Client.connect(daemon);

  assert.equal((await again.fails('authenticate', challenge())).data.error, 'user_cancelled');
  again.close();
});

test('S8: a sign-in of another site with a PIN ends it: nobody is logged in for two', async () => {
  const second = await Client.connect(daemon, { origin: other });
  daemon.person('key first\npin 12345678\naccept\n');
  await second.call('authenticate', challenge());
  daemon.person('cancel\n');

  assert.equal((await page.fails('authenticate', challenge())).data.error, 'user_cancelled');
  second.close();
});

test('the journal counts what was signed without a window, in one entry', async () => {
  daemon.tamga('journal', 'erase', '--yes');
  for (let i = 0; i < 5; i += 1) await page.call('authenticate', challenge());

  const [entry] = await until('the count', () => {
    const all = JSON.parse(daemon.tamga('journal', '--json').words);
    return all.length === 1 && all[0].signatures === 5 ? all : null;
  });
  assert.equal(entry.remembered, true);
  assert.equal(entry.site, 'https://portal.test');
});

test('S8: a sign-in that was refused because its certificate is revoked is not remembered', async () => {
  const services = await Services.start();
  const strict = await Daemon.start({ config: `[origins]\nallow = ["portal.test"]\n${services.configuration('strict = true\n')}`, env: logind.env });
  try {
    strict.tamga('ca', 'add', path.join(strict.token, 'ca.pem'));
    services.judge(strict, 'R');
    const client = await Client.connect(strict);
    strict.person(remembers);
    assert.equal((await client.fails('authenticate', challenge())).data.error, 'certificate_revoked');
    const before = strict.shown().length;

    assert.notEqual((await client.fails('authenticate', challenge())).data.error, 'internal');

    assert.equal(strict.shown().length, before + 1, 'the person was asked again');
    client.close();
  } finally {
    await strict.stop();
    await services.stop();
  }
});

test('nothing is remembered where configuration forbids it, or nobody says when the screen is locked', async () => {
  for (const [env, modules] of [[logind.env, 'remember_minutes = 0\n'], [{ DBUS_SYSTEM_BUS_ADDRESS: 'unix:path=/nonexistent' }, '']]) {
    const strict = await Daemon.start({ config, env });
    try {
      const file = path.join(strict.home, '.config/tamga/modules.toml');
      fs.writeFileSync(file, modules + fs.readFileSync(file, 'utf8'), { mode: 0o600 });
      await strict.restart();
      const client = await Client.connect(strict);
      strict.person(remembers);
      await client.call('authenticate', challenge());
      strict.person('cancel\n');
      assert.equal((await client.fails('authenticate', challenge())).data.error, 'user_cancelled', modules);
      client.close();
    } finally { await strict.stop(); }
  }
});
