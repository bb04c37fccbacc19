// tamga.v1 on the whole product: what a page gets that speaks it, and what it does not get.
'use strict';

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const { after, before, test } = require('node:test');
const { Daemon, basics, fromPem, scratch, until, verifyCms, verifyXml } = require('./support/daemon.cjs');
const { Client } = require('./support/v1.cjs');

const signs = 'key first\npin 12345678\naccept\n';
const words = Buffer.from('Өтініш: келісемін');
const document = (content = words, more = {}) => ({ content: content.toString('base64'), ...more });
const wanted = (more = {}) => ({ purpose: 'document', format: 'cms', documents: [document()], ...more });
let daemon;

before(async () => { daemon = await Daemon.start({ config: '[origins]\nallow = ["portal.test", "other.test"]\n' }); });
after(() => daemon.stop());

/** A certificate as a file that openssl reads its public key from. */
function publicKey(der) {
  const file = scratch(daemon, 'signer.der', Buffer.from(der, 'base64'));
  const pem = execFileSync('openssl', ['x509', '-inform', 'DER', '-in', file, '-noout', '-pubkey']);
  return scratch(daemon, 'signer.pub', pem);
}

/** `openssl dgst -verify`, as a server would. */
function verifyBare(der, octets, signature) {
  execFileSync('openssl', ['dgst', '-sha256', '-verify', publicKey(der), '-signature', scratch(daemon, 'bare.sig', signature),
    scratch(daemon, 'bare.octets', octets)], { stdio: ['ignore', 'pipe', 'pipe'] });
}

test('hello says what is spoken, in the language asked for, and nothing of tokens or people', async () => {
  const client = await Client.connect(daemon);

  const greeting = await client.call('hello', { language: 'kk' });

  assert.equal(client.socket.protocol, 'tamga.v1');
  assert.equal(greeting.version, '1.0');
  assert.equal(greeting.language, 'kk');
  assert.equal(greeting.site, 'allowed');
  assert.deepEqual(greeting.capabilities.formats, ['cms', 'xml', 'raw']);
  const refused = await client.fails('sign', wanted({ format: 'pdf' }));
  assert.equal(refused.data.language, 'kk');
  client.close();
});

test('NCALayer\'s protocol is spoken to whoever names no sub-protocol', async () => {
  const page = await daemon.connect();

  assert.equal(page.protocol, '');
  assert.equal(page.greeting, '{"result":{"version":"1.4"}}');
  page.close();
});

test('a CMS, detached and attached, is one that openssl verifies', async () => {
  daemon.person(signs);
  const client = await Client.connect(daemon);

  const detached = await client.call('sign', wanted({ documents: [document(words, { title: 'Өтініш', media_type: 'text/plain' })] }));
  const attached = await client.call('sign', wanted({ attached: true }));

  verifyCms(daemon, Buffer.from(detached.signatures[0], 'base64'), words);
  assert.deepEqual(verifyCms(daemon, Buffer.from(attached.signatures[0], 'base64')), words);
  assert.match(daemon.shown().at(-2).purpose, /Өтініш/);
  client.close();
});

test('XML is one that xmlsec1 verifies, and a raw signature one that openssl does', async () => {
  daemon.person(signs);
  const client = await Client.connect(daemon);

  const xml = await client.call('sign', wanted({ format: 'xml', documents: [{ text: '<request><name>Тест</name></request>' }] }));
  const raw = await client.call('sign', wanted({ format: 'raw' }));

  verifyXml(daemon, xml.signatures[0]);
  verifyBare(raw.certificate, words, Buffer.from(raw.signatures[0], 'base64'));
  client.close();
});

test('S21: signing wants a signature certificate, signing in an authentication one, whatever the page says', async () => {
  daemon.person(signs);
  const client = await Client.connect(daemon);
  const challenge = crypto.randomBytes(32).toString('base64');
  const usages = (der) => execFileSync('openssl', ['x509', '-inform', 'DER', '-noout', '-ext', 'extendedKeyUsage'],
    { input: Buffer.from(der, 'base64'), encoding: 'utf8' });

  const signed = await client.call('sign', wanted());
  const entered = await client.call('authenticate', { challenge });

  assert.match(usages(signed.certificate), /E-mail Protection/);
  assert.match(usages(entered.certificate), /TLS Web Client Authentication/);
  client.close();
});

test('a sign-in is bound to the challenge, the origin, the key and the time, and verifies with openssl', async () => {
  daemon.person(signs);
  const client = await Client.connect(daemon);
  const challenge = crypto.randomBytes(32).toString('base64');

  const { statement, signature, certificate } = await client.call('authenticate', { challenge });

  const fingerprint = crypto.createHash('sha256').update(Buffer.from(certificate, 'base64')).digest('hex');
  const time = Number(statement.match(/\ntime (\d+)\n$/)[1]);
  assert.equal(statement, `TAMGA-AUTHENTICATE-v1\norigin https://portal.test\nchallenge ${challenge}\n`
    + `certificate ${fingerprint}\ntime ${time}\n`);
  assert.ok(Math.abs(time - Date.now() / 1000) < 60);
  verifyBare(certificate, Buffer.from(statement), Buffer.from(signature, 'base64'));
  client.close();
});

test('a sign-in that another site relays names that site, not the one it was meant for', async () => {
  daemon.person(signs);
  const relay = await Client.connect(daemon, { origin: 'https://other.test' });
  const stolen = crypto.randomBytes(32).toString('base64'); // as portal.test gave it to the relay

  const { statement } = await relay.call('authenticate', { challenge: stolen });

  assert.match(statement, /^TAMGA-AUTHENTICATE-v1\norigin https:\/\/other\.test\n/);
  const raw = await relay.fails('sign', wanted({ format: 'raw', documents: [document(Buffer.from(
    statement.replace('other.test', 'portal.test')))] }));
  assert.equal(raw.data.error, 'raw_refused');
  relay.close();
});

test('hello, tokens and cancel do not wait for a window, and a cancelled request takes its window along', async () => {
  daemon.person('hang\n');
  const client = await Client.connect(daemon);
  const first = client.send('sign', wanted());
  const id = client.last;
  const second = client.send('sign', wanted());
  await until('the prompt', () => daemon.prompts().length > 0);
  assert.deepEqual(await client.notified('sign.progress'), { id, stage: 'asking', done: 0, total: 0 });

  assert.equal((await client.call('hello')).name, 'tamga');
  assert.equal((await client.call('tokens.list')).tokens.length, 1);
  assert.deepEqual(await client.call('cancel', { id: client.last - 2 }), { cancelled: true });
  assert.deepEqual(await client.call('cancel', { id: 'nobody' }), { cancelled: false });

  assert.equal((await second).error.data.error, 'withdrawn');
  daemon.person(signs);
  assert.deepEqual(await client.call('cancel', { id }), { cancelled: true });
  assert.equal((await first).error.data.error, 'withdrawn');
  await until('the prompt to go', () => daemon.prompts().length === 0, 3000);
  verifyCms(daemon, Buffer.from((await client.call('sign', wanted())).signatures[0], 'base64'), words);
  client.close();
});

test('a page that leaves takes its prompt along', async () => {
  daemon.person('hang\n');
  const client = await Client.connect(daemon);
  client.send('sign', wanted());
  await until('the prompt', () => daemon.prompts().length > 0);

  client.socket.terminate();

  await until('the prompt to go', () => daemon.prompts().length === 0, 3000);
});

test('a batch tells its progress, and is signed in the order of the documents', async () => {
  daemon.person(signs);
  const client = await Client.connect(daemon);
  const documents = Array.from({ length: 20 }, (_, i) => document(Buffer.from(`document ${i}`)));

  const { signatures } = await client.call('sign', wanted({ documents, attached: true }));

  signatures.forEach((der, i) => {
    assert.equal(verifyCms(daemon, Buffer.from(der, 'base64')).toString(), `document ${i}`);
  });
  assert.ok(client.notifications.some(({ params }) => params.stage === 'signing' && params.total === 20));
  client.close();
});

test('a certificate is shown to the page when the person chose it, and no other is', async () => {
  daemon.person('key first\naccept\n');
  const client = await Client.connect(daemon);

  const { certificates } = await client.call('certificates.list', {});

  assert.equal(certificates.length, 1);
  assert.equal(certificates[0].iin, '123456789011');
  assert.match(certificates[0].pem, /BEGIN CERTIFICATE/);
  daemon.person('cancel\n');
  assert.equal((await client.fails('certificates.list', {})).data.error, 'user_cancelled');
  client.close();
});

test('a page learns of a token what the person needs to find it, a command also which one it is', async () => {
  const page = await Client.connect(daemon);
  const command = await Client.connect(daemon, { local: true });

  const [shown] = (await page.call('tokens.list')).tokens;
  const [known] = (await command.call('tokens.list')).tokens;

  assert.deepEqual(Object.keys(shown), ['storage', 'family', 'name']);
  assert.ok(known.serial && known.label);
  page.close();
  command.close();
});

test('verify says what a signed document is worth, without a token or a window', async () => {
  daemon.person(signs);
  const client = await Client.connect(daemon);
  const { signatures } = await client.call('sign', wanted());
  const windows = daemon.shown().length;

  const report = await client.call('verify', { document: { content: signatures[0] }, content: document() });
  const other = await client.call('verify', { document: { content: signatures[0] }, content: document(Buffer.from('another')) });

  assert.equal(report.form, 'cms');
  assert.equal(report.signers[0].signature, 'valid');
  assert.equal(report.signers[0].certificate.iin, '123456789011');
  assert.equal(other.verdict, 'bad');
  assert.equal((await client.fails('verify', { document: document() })).data.error, 'bad_request');
  assert.equal(daemon.shown().length, windows);
  client.close();
});

// ---- uploads ----

test('an upload is signed like a document that came with the request', async () => {
  daemon.person(signs);
  const client = await Client.connect(daemon);
  const octets = crypto.randomBytes(300_000);

  const uploaded = await client.upload(octets, { title: 'report.bin', media_type: 'application/octet-stream' }, 70_000);
  const { signatures } = await client.call('sign', wanted({ attached: true, documents: [{ upload: uploaded.upload }] }));

  assert.deepEqual(uploaded, { upload: uploaded.upload, size: 300_000, shown: true, digests: {} });
  assert.deepEqual(verifyCms(daemon, Buffer.from(signatures[0], 'base64')), octets);
  assert.match(daemon.shown().at(-1).documents[0].text, /application\/octet-stream/);
  const again = await client.fails('sign', wanted({ documents: [{ upload: uploaded.upload }] }));
  assert.equal(again.data.error, 'file_not_found', 'an upload serves once');
  client.close();
});

/** Resident memory in octets. */
const resident = (pid) => Number(fs.readFileSync(`/proc/${pid}/status`, 'utf8').match(/VmRSS:\s+(\d+) kB/)[1]) * 1024;

test('a document of 100 MB is hashed while it arrives, shown by its digest, and signed detached alone', async () => {
  daemon.person(signs);
  const client = await Client.connect(daemon);
  const web = daemon.pids()['tamga-web'][0];
  const block = crypto.randomBytes(1 << 20);
  const send = async (megabytes) => {
    const { upload } = await client.call('upload.begin',
      { size: megabytes << 20, title: 'video.mp4', media_type: 'video/mp4', digests: ['sha256'] });
    for (let i = 0; i < megabytes; i += 1) await new Promise((sent) => { client.socket.send(block, sent); });
    return client.call('upload.end', { upload });
  };
  await send(400); // the sanitizer keeps up to 256 MB of what was freed: it has them now
  const idle = resident(web);
  let most = 0;
  const watch = setInterval(() => { most = Math.max(most, resident(web)); }, 20);

  const uploaded = await send(100);
  clearInterval(watch);
  const { upload } = uploaded;
  const hash = crypto.createHash('sha256');
  for (let i = 0; i < 100; i += 1) hash.update(block);
  const digest = hash.digest('hex');
  const { signatures } = await client.call('sign', wanted({ documents: [{ upload }] }));

  assert.deepEqual(uploaded, { upload, size: 100 << 20, shown: false, digests: { sha256: digest } });
  assert.ok(most - idle < 32 << 20, `${most - idle} octets above idle`);
  const shown = daemon.shown().at(-1);
  assert.equal(shown.documents[0].digest, digest);
  assert.match(shown.documents[0].text, new RegExp(`video/mp4[^]*100[.]0 MB[^]*SHA-256: ${digest}`));
  const file = scratch(daemon, 'large', '');
  for (let i = 0; i < 100; i += 1) fs.appendFileSync(file, block);
  execFileSync('openssl', ['cms', '-verify', '-cades', '-binary', '-inform', 'DER', '-purpose', 'any', '-out', '/dev/null',
    '-in', scratch(daemon, 'large.cms', Buffer.from(signatures[0], 'base64')), '-CAfile', path.join(daemon.token, 'ca.pem'),
    '-content', file], { stdio: ['ignore', 'pipe', 'pipe'] });
  client.close();
});

test('what an upload cannot be is said: too large to be shown, cut off, unknown, or one too many', async () => {
  const client = await Client.connect(daemon);
  const windows = daemon.shown().length;
  const large = await client.upload(Buffer.alloc((16 << 20) + 1));
  const attached = await client.fails('sign', wanted({ attached: true, documents: [{ upload: large.upload }] }));
  assert.equal(attached.data.error, 'too_large');

  const { upload } = await client.call('upload.begin', { size: 10 });
  assert.equal((await client.fails('upload.begin', { size: 10 })).data.error, 'busy');
  client.socket.send(Buffer.alloc(9));
  const cut = await client.fails('upload.end', { upload });
  assert.equal(cut.data.error, 'bad_request');
  assert.match(cut.data.detail, /10 octets were announced, and 9 came/);
  assert.equal((await client.fails('upload.end', { upload })).data.error, 'file_not_found');
  const longer = await client.call('upload.begin', { size: 10 });
  client.socket.send(Buffer.alloc(11));
  assert.equal((await client.fails('upload.end', { upload: longer.upload })).data.error, 'bad_request');
  assert.equal((await client.fails('sign', wanted({ documents: [{ upload: 'upload-1' }] }))).data.error, 'file_not_found');

  client.socket.send(Buffer.alloc(1));
  assert.equal((await client.closed).code, 1003, 'octets that belong to no upload');
  assert.equal(daemon.shown().length, windows, 'nobody was asked');
});

// ---- who may ----

test('S1: a denied https origin is let in to be told why, and a page of another kind is not', async () => {
  const strict = await Daemon.start({ config: '[origins]\nallow = ["portal.test"]\nstrict = true\n' });
  try {
    const denied = await Client.connect(strict, { origin: 'https://evil.test' });
    assert.deepEqual(await denied.closed, { code: 4403, reason: 'origin_denied' });

    for (const origin of ['http://evil.test', 'null', 'file://']) {
      await assert.rejects(Client.connect(strict, { origin }), { status: 403 }, origin);
    }
    await assert.rejects(strict.connect({ origin: 'https://evil.test' }), { status: 403 });
  } finally { await strict.stop(); }
});

test('S5: a new site is asked about once, learns nothing before, and "never" closes the door with a reason', async () => {
  daemon.person('site https://new.test\naccept\n');
  const client = await Client.connect(daemon, { origin: 'https://new.test' });
  assert.equal((await client.call('hello')).site, 'new');

  assert.equal((await client.call('tokens.list')).tokens.length, 1);
  assert.equal(daemon.shown().at(-1).origin, 'https://new.test');
  assert.equal(daemon.shown().at(-1).count, 0);
  assert.equal((await client.call('hello')).site, 'allowed');

  daemon.person('refuse_site\n');
  const refused = await Client.connect(daemon, { origin: 'https://pest.test' });
  assert.equal((await refused.fails('upload.begin', { size: 1 })).data.error, 'site_refused');
  const windows = daemon.shown().length;
  assert.equal((await refused.fails('tokens.subscribe')).data.error, 'site_refused');
  assert.equal((await refused.fails('authenticate', { challenge: Buffer.alloc(16).toString('base64') })).data.error, 'site_refused');
  const again = await Client.connect(daemon, { origin: 'https://pest.test' });
  assert.deepEqual(await again.closed, { code: 4403, reason: 'site_refused' });
  assert.equal(daemon.shown().length, windows);
  client.close();
  refused.close();
});

test('S7: a second connection, and a second request of the first, each ask for the PIN', async () => {
  daemon.person(signs);
  const first = await Client.connect(daemon);
  const second = await Client.connect(daemon, { origin: 'https://other.test' });
  await first.call('sign', wanted());

  daemon.person('key first\naccept\n');

  assert.equal((await first.fails('sign', wanted())).data.error, 'user_cancelled');
  assert.equal((await second.fails('sign', wanted())).data.error, 'user_cancelled');
  first.close();
  second.close();
});

test('S10: hostile titles and types are shown harmlessly, and cut', async () => {
  daemon.person(signs);
  const client = await Client.connect(daemon);
  const title = `\u202Efdp.exe\u0000<b>&amp;\n${'x'.repeat(900)}`;

  await client.call('sign', wanted({ documents: [document(Buffer.from([0, 1, 2]), { title, media_type: 'text/plain' })] }));

  const shown = daemon.shown().at(-1);
  assert.ok(!/[\u202E\u0000]/.test(shown.purpose), 'escaped');
  assert.match(shown.purpose, /‹U\+202E›/);
  assert.ok(shown.purpose.length < 500);
  const long = await client.fails('sign', wanted({ documents: [document(words, { title: 'x'.repeat(100_000) })] }));
  assert.equal(long.code, -32602);
  client.close();
});

// ---- the form of what is said ----

test('what is no request is told so, with the number that JSON-RPC has for it', async () => {
  const client = await Client.connect(daemon);

  assert.equal((await client.raw('not JSON')).error.code, -32700);
  assert.equal((await client.raw('[{"jsonrpc":"2.0","id":1,"method":"hello"}]')).error.code, -32600);
  assert.equal((await client.raw('{"jsonrpc":"2.0","method":"hello"}')).error.code, -32600);
  assert.equal((await client.raw('{"jsonrpc":"2.0","id":null,"method":"hello"}')).error.code, -32600);
  assert.equal((await client.raw('"text"')).error.code, -32600);
  assert.equal((await client.fails('nothing')).code, -32601);
  const unknown = await client.fails('sign', wanted({ documents: [document(words, { colour: 'red' })] }));
  assert.equal(unknown.code, -32602);
  assert.equal(unknown.data.detail, 'params.documents[0].colour is not known here');
  assert.equal((await client.fails('sign', wanted({ service: 'G-1' }))).data.detail,
    'params.service goes with the purpose service_request alone');
  assert.equal((await client.fails('sign', wanted({ purpose: 'service_request' }))).data.detail,
    'params.service is missing: a service_request names its service');
  assert.equal((await client.fails('sign', wanted({ documents: [document(words, {}), { content: '!' }] }))).data.error, 'bad_base64');
  client.close();
});

test('an id that is under way is not taken twice', async () => {
  daemon.person('hang\n');
  const client = await Client.connect(daemon);
  const first = client.send('sign', wanted(), 'mine');
  await until('the prompt', () => daemon.prompts().length > 0);

  const twice = client.send('tokens.list', {}, 'mine');

  assert.match((await twice).error.data.detail, /^id:/);
  client.waiting.set('mine', () => {});
  await client.call('cancel', { id: 'mine' });
  client.close();
  void first;
});

// ---- the local socket ----

test('a command is named as one in the window, and no site is remembered for it', async () => {
  daemon.person(signs);
  const command = await Client.connect(daemon, { local: true });
  assert.equal((await command.call('hello')).site, 'local');

  const { signatures } = await command.call('sign', wanted());

  verifyCms(daemon, Buffer.from(signatures[0], 'base64'), words);
  const shown = daemon.shown().at(-1);
  assert.equal(shown.asker, 'A command on this computer');
  assert.equal(shown.site_is_new, false);
  const sites = path.join(daemon.home, '.local/state/tamga/sites.toml');
  assert.ok(!fs.existsSync(sites) || !fs.readFileSync(sites, 'utf8').includes('local'));
  const entered = await command.fails('authenticate', { challenge: Buffer.alloc(32).toString('base64') });
  assert.equal(entered.data.error, 'unsupported');
  command.close();
});

test('the local socket speaks tamga.v1 alone, to no page, and belongs to its user alone', async () => {
  const file = path.join(daemon.env.XDG_RUNTIME_DIR, 'tamga/api.sock');
  assert.equal(fs.statSync(file).mode & 0o777, 0o600);

  await assert.rejects(Client.connect(daemon, { local: true, protocols: [] }), { status: 400 });
});

test('after everything a page of NCALayer\'s protocol still signs', async () => {
  daemon.person(signs);
  const page = await daemon.connect();

  const reply = JSON.parse(await page.ask(basics(words.toString('base64'))));

  assert.deepEqual(verifyCms(daemon, fromPem(reply.body.result[0])), words);
  page.close();
});
