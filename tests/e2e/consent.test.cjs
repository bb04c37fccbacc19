// What the person allowed, refused and takes back (`tamga sites`), and what is remembered of it (`tamga journal`), on the
// whole product.
'use strict';

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const { after, before, test } = require('node:test');
const { Daemon, basics, build, until } = require('./support/daemon.cjs');
const { Client } = require('./support/v1.cjs');

const signs = 'key first\npin 12345678\naccept\n';
const letter = Buffer.from('Келісемін');
const wanted = (title = 'Өтініш') => ({ purpose: 'document', format: 'cms', documents: [{ content: letter.toString('base64'), title }] });
const site = 'https://shop.test';
let daemon;

before(async () => { daemon = await Daemon.start(); });
after(() => daemon.stop());

/** `tamga` with something typed at its question. */
function answered(typed, ...args) {
  return spawnSync(path.join(build, 'bin/tamga'), ['--language', 'en', ...args],
    { env: { PATH: process.env.PATH, HOME: daemon.home }, encoding: 'utf8', input: typed });
}
const journal = (...args) => JSON.parse(daemon.tamga('journal', '--json', ...args).words);
const grants = () => Object.fromEntries(JSON.parse(daemon.tamga('sites', 'list', '--json').words)
  .map(({ origin, answer }) => [origin, answer]));

test('S5: revoking a permission closes every open socket of that site within a second, and no other', async () => {
  assert.equal(daemon.tamga('sites', 'allow', site).status, 0);
  const page = await Client.connect(daemon, { origin: site });
  const old = await daemon.connect({ origin: site });
  const bystander = await Client.connect(daemon);
  assert.equal((await page.call('hello')).site, 'allowed');
  const told = new Promise((resolve) => { old.once('close', (code, reason) => resolve({ code, reason: reason.toString() })); });

  const revoked = daemon.tamga('sites', 'revoke', site);
  const since = Date.now();

  assert.equal(revoked.status, 0, revoked.words);
  assert.deepEqual(await page.closed, { code: 4403, reason: 'site_revoked' });
  assert.deepEqual(await told, { code: 1008, reason: 'site_revoked' });
  assert.ok(Date.now() - since < 1000, `${Date.now() - since} ms`);
  assert.equal((await bystander.call('hello')).site, 'allowed');
  bystander.close();
});

test('a site whose permission was revoked is asked about again, also where configuration allows it', async () => {
  for (const origin of [site, 'https://portal.test']) {
    daemon.tamga('sites', 'revoke', origin);
    daemon.person('accept\n');
    const page = await Client.connect(daemon, { origin });
    assert.equal((await page.call('hello')).site, 'new', origin);

    await page.call('tokens.list');

    assert.equal(daemon.shown().at(-1).site_is_new, true);
    assert.equal((await page.call('hello')).site, 'allowed');
    page.close();
  }
});

test('a window that is open for a site goes when its permission is revoked', async () => {
  daemon.tamga('sites', 'allow', site);
  daemon.person('hang\n');
  const page = await Client.connect(daemon, { origin: site });
  page.send('sign', wanted());
  await until('the window', () => daemon.prompts().length === 1);

  daemon.tamga('sites', 'revoke', site);

  assert.equal((await page.closed).code, 4403);
  await until('the window to go', () => daemon.prompts().length === 0);
});

test('a deny is remembered, over a restart too, until it is forgotten', async () => {
  const pest = 'https://pest.test';
  daemon.person('refuse_site\n');
  const page = await daemon.connect({ origin: pest });
  await page.ask(basics(letter.toString('base64')));
  const windows = daemon.shown().length;
  page.close();

  await daemon.restart();
  const again = await daemon.connect({ origin: pest });
  await again.ask(basics(letter.toString('base64')));
  assert.equal(daemon.shown().length, windows, 'no window');
  assert.equal(grants()[pest], 'deny');
  again.close();

  assert.equal(daemon.tamga('sites', 'forget', pest).status, 0);
  daemon.person('cancel\n');
  const third = await daemon.connect({ origin: pest });
  await third.ask(basics(letter.toString('base64')));
  assert.equal(daemon.shown().at(-1).site_is_new, true);
  third.close();
});

test('`tamga sites refuse` cuts an allowed site off for good', async () => {
  daemon.tamga('sites', 'allow', site);
  const page = await Client.connect(daemon, { origin: site });

  daemon.tamga('sites', 'refuse', 'shop.test');

  assert.deepEqual(await page.closed, { code: 4403, reason: 'site_refused' });
  const again = await Client.connect(daemon, { origin: site });
  assert.deepEqual(await again.closed, { code: 4403, reason: 'site_refused' });
  assert.equal(grants()[site], 'deny');
});

test('a permission that was not used for as long as configured is asked for again; one that was used lasts', async () => {
  const day = 24 * 60 * 60;
  const now = Math.floor(Date.now() / 1000);
  const other = await Daemon.start({ config: '[origins]\ngrant_days = 30\n' });
  try {
    fs.writeFileSync(path.join(other.home, '.local/state/tamga/sites.toml'),
      `["https://old.test"]\nanswer = "allow"\nat = ${now - 400 * day}\nused = ${now - 31 * day}\n`
      + `["https://used.test"]\nanswer = "allow"\nat = ${now - 400 * day}\nused = ${now - 29 * day}\n`
      + `["https://never.test"]\nanswer = "deny"\nat = ${now - 400 * day}\n`, { mode: 0o600 });
    const standing = async (origin) => {
      const page = await Client.connect(other, { origin });
      const hello = await page.call('hello');
      page.close();
      return hello.site;
    };
    assert.equal(await standing('https://old.test'), 'new');
    assert.equal(await standing('https://used.test'), 'allowed');
    const never = await Client.connect(other, { origin: 'https://never.test' });
    assert.equal((await never.closed).reason, 'site_refused');

    const page = await Client.connect(other, { origin: 'https://used.test' });
    await page.call('tokens.list');
    page.close();

    const used = () => JSON.parse(other.tamga('sites', 'list', '--json').words).find(({ origin }) => origin === 'https://used.test').used;
    assert.ok(Date.now() - Date.parse(used()) < 60000, used());
  } finally { await other.stop(); }
});

test('the journal says who had what signed for what, with which key, and how it ended; nothing of the content', async () => {
  daemon.tamga('sites', 'allow', site);
  daemon.tamga('journal', 'erase', '--yes');
  const page = await Client.connect(daemon, { origin: site });
  daemon.person(signs);
  const { certificate } = await page.call('sign', wanted());
  await page.call('authenticate', { challenge: crypto.randomBytes(32).toString('base64') });
  daemon.person('cancel\n');
  await page.fails('sign', wanted('Договор'));
  page.close();

  await until('the entries', () => journal().length === 3);
  const [signed, entered, cancelled] = journal();
  assert.equal(signed.site, site);
  assert.equal(signed.use, 'document');
  assert.equal(signed.outcome, 'signed');
  assert.equal(signed.signatures, 1);
  assert.equal(signed.certificate, crypto.createHash('sha256').update(Buffer.from(certificate, 'base64')).digest('hex'));
  assert.match(signed.subject, /ТЕСТОВ/);
  assert.equal(signed.documents[0].title, 'Өтініш');
  assert.equal(signed.documents[0].digest, crypto.createHash('sha256').update(letter).digest('hex'));
  assert.deepEqual([entered.use, entered.format], ['sign_in', 'authenticate']);
  assert.deepEqual([cancelled.outcome, cancelled.signatures], ['user_cancelled', 0]);
  const folder = path.join(daemon.home, '.local/state/tamga');
  for (const name of fs.readdirSync(folder).filter((each) => each.startsWith('journal.db'))) {
    assert.equal(fs.statSync(path.join(folder, name)).mode & 0o777, 0o600, name);
    assert.ok(!fs.readFileSync(path.join(folder, name)).includes(letter), name);
  }
});

test('the journal is searched by site, time and any word, exported as CSV and JSON, and erased after a question', async () => {
  assert.equal(journal('--text', 'ДОГОВОР').length, 1);
  assert.equal(journal('--site', 'SHOP').length, 3);
  assert.equal(journal('--site', 'portal').length, 0);
  assert.equal(journal('--since', '2100-01-01').length, 0);
  assert.match(daemon.tamga('journal').words, /https:\/\/shop\.test\n {3}as a document; signed: 1/);
  const csv = path.join(daemon.home, 'journal.csv');
  assert.equal(daemon.tamga('journal', 'export', csv).status, 0);
  assert.match(fs.readFileSync(csv, 'utf8'), /^"time","until"[^]*"Өтініш"/);
  assert.equal(fs.statSync(csv).mode & 0o777, 0o600);
  const json = path.join(daemon.home, 'journal.json');
  daemon.tamga('journal', 'export', json);
  assert.deepEqual(JSON.parse(fs.readFileSync(json, 'utf8')), journal());

  const kept = answered('no\n', 'journal', 'erase');
  assert.equal(kept.status, 4);
  assert.match(kept.stdout, /Erase 3 entries/);
  assert.equal(journal().length, 3);
  assert.equal(answered('yes\n', 'journal', 'erase').status, 0);
  assert.deepEqual(journal(), []);
});

test('a page that leaves while its window is open is in the journal as withdrawn', async () => {
  daemon.tamga('journal', 'erase', '--yes');
  daemon.person('hang\n');
  const page = await Client.connect(daemon, { origin: site });
  page.send('sign', wanted());
  await until('the window', () => daemon.prompts().length === 1);

  page.close();

  const [entry] = await until('the entry', () => { const all = journal(); return all.length ? all : null; });
  assert.equal(entry.outcome, 'withdrawn');
});

test('of a batch that was cancelled on its way the journal says how many signatures were made', async () => {
  const slow = await Daemon.start({ script: 'key first\npin 12345678\naccept\ncancel_at Waiting for the token\n' });
  try {
    const page = await Client.connect(slow);
    const documents = Array.from({ length: 400 }, (_, i) => ({ text: `${i}`, title: `${i}` }));
    await page.send('sign', { purpose: 'document', format: 'cms', documents });
    const all = () => JSON.parse(slow.tamga('journal', '--json').words);
    const [entry] = await until('the entry', () => (all().length ? all() : null));

    assert.equal(entry.count, 400);
    assert.notEqual(entry.outcome, 'signed');
    assert.equal(entry.documents.filter(({ digest }) => digest).length, entry.signatures);
    page.close();
  } finally { await slow.stop(); }
});
