// Keys in files, and documents in files: a person picks them in the window, a page gets signatures or a handle (S13).
'use strict';

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { after, before, test } = require('node:test');
const { Daemon, basics, build, fromPem, portal, scratch, until, verifyCms, verifyXml } = require('./support/daemon.cjs');
const { verifyGostCms, verifyGostXml } = require('./support/gost.cjs');

process.env.TAMGA_ORIGIN = portal;
require('./support/send-origin.cjs');
const { NCALayerClient } = require('ncalayer-js-client');

const password = 'Qwerty12';
const content = Buffer.from('Өтініш: келісемін');
const document = content.toString('base64');
const commonUtils = (method, ...args) => ({ module: 'kz.gov.pki.knca.commonUtils', method, args });
let daemon;
let folder;
let socket;
const ask = async (request, over = socket) => JSON.parse(await over.ask(request));
const file = (name) => path.join(folder, name);
/** The person picks these key files, one after another, and types these passwords. */
const picks = (files, passwords = [password], more = '') => daemon.person(
  `${files.map((name) => `file ${path.isAbsolute(name) ? name : file(name)}\n`).join('')}key first\n${passwords.map((word) => `pin ${word}\n`).join('')}${more}accept\n`);
const windows = (event) => fs.readFileSync(daemon.promptLog, 'utf8').split('\n').filter(Boolean).map(JSON.parse)
  .filter((seen) => seen.event === event);

before(async () => {
  // No module at all: whoever has only a file has no token software either.
  daemon = await Daemon.start({ modules: '' });
  folder = path.join(daemon.home, 'ключи');
  fs.mkdirSync(folder);
  execFileSync(path.join(build, 'bin/tamga-make-key-file'), [folder, password]);
  // Judges look for the certificates of issuers here.
  fs.mkdirSync(daemon.token, { recursive: true });
  for (const name of ['ca.pem', 'gost512-public.pem']) fs.copyFileSync(file(name), path.join(daemon.token, name));
  socket = await daemon.connect();
});
after(async () => { if (process.env.SHOW_LOG) console.log(daemon.log()); await daemon.stop(); });

test('a GOST key of a file signs CMS, XML and raw', async () => {
  picks(['GOST512_test.p12']);
  const cms = await ask(commonUtils('createCAdESFromBase64', 'PKCS12', 'SIGNATURE', document, false));
  assert.equal(cms.code, '200', JSON.stringify(cms));
  verifyGostCms(daemon, 'gost512', 512, Buffer.from(cms.responseObject, 'base64'), content);

  const xml = await ask(commonUtils('signXml', 'PKCS12', 'SIGNATURE', '<request><service>demo</service></request>', '', ''));
  assert.equal(xml.code, '200', JSON.stringify(xml));
  verifyGostXml(daemon, 'gost512', 512, xml.responseObject);
});

test('where no storage is named and no token is plugged in, a file is asked for', async () => {
  picks(['RSA256_test.p12']);
  const reply = await ask(basics([document, document, document]));

  assert.equal(reply.status, true, JSON.stringify(reply));
  assert.equal(reply.body.result.length, 3);
  for (const cms of reply.body.result) assert.deepEqual(verifyCms(daemon, fromPem(cms)), content);
});

test('a wrong password is said and asked again, as often as it takes', async () => {
  const wrong = Array.from({ length: 12 }, () => 'wrong');
  picks(['RSA256_test.p12'], [...wrong, password]);
  const reply = await ask(basics(document));

  assert.equal(reply.status, true, JSON.stringify(reply));
  assert.equal(daemon.shown().at(-1).errors.length, 12);
  assert.match(daemon.shown().at(-1).errors[0], /password is wrong/);
  assert.equal(windows('confirm').length, 0, 'nobody is warned of a last attempt');
});

test('a file that is none, is cut off or is not there is said, and another one chosen', async () => {
  fs.writeFileSync(file('text.p12'), 'not a key');
  fs.writeFileSync(file('cut.p12'), fs.readFileSync(file('two.p12')).subarray(0, 2000));
  execFileSync('openssl', ['pkcs12', '-export', '-nokeys', '-in', file('ca.pem'), '-passout', `pass:${password}`, '-out', file('empty.p12')]);
  const before_ = windows('files').length;
  picks(['text.p12', 'cut.p12', '/nonexistent/key.p12', folder, 'empty.p12', 'RSA256_test.p12'], [password, password]);

  const reply = await ask(basics(document));

  assert.equal(reply.status, true, JSON.stringify(reply));
  const errors = windows('files').slice(before_).map(({ error }) => error);
  assert.deepEqual(errors.map((words) => words.slice(0, 21)), ['No token is plugged i', ...Array(4).fill('This is not a key fil'), 'There is no key in th']);
});

test('of a file with the keys of two people the one is used that was pointed at', async () => {
  daemon.person(`file ${file('two.p12')}\nkey subject=ПРОБНЫЙ\npin ${password}\naccept\n`);
  const reply = await ask(basics(document));

  assert.deepEqual(verifyCms(daemon, fromPem(reply.body.result[0])), content);
  assert.deepEqual(daemon.shown().at(-1).keys.map(({ name }) => name), ['ТЕСТОВ ТЕСТ ТЕСТОВИЧ', 'ПРОБНЫЙ ТЕСТ ТЕСТОВИЧ']);
});

test('of a set of two files the one for signing in does not sign, with the reason', async () => {
  picks(['AUTH_RSA256_test.p12']);
  const reply = await ask(commonUtils('createCAdESFromBase64', 'PKCS12', 'SIGNATURE', document, false));
  assert.equal(reply.code, '500');
  assert.match(daemon.shown().at(-1).keys[0].reason, /another use/);

  picks(['AUTH_RSA256_test.p12']);
  const signedIn = await ask(commonUtils('signXml', 'PKCS12', 'AUTHENTICATION', '<login/>', '', ''));
  verifyXml(daemon, signedIn.responseObject);
});

test('files that openssl makes today open too', async () => {
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=MODERN',
    '-addext', 'extendedKeyUsage=emailProtection', '-keyout', file('modern.key'), '-out', file('modern.pem')], { stdio: 'ignore' });
  for (const options of [[], ['-legacy']]) {
    execFileSync('openssl', ['pkcs12', '-export', ...options, '-inkey', file('modern.key'), '-in', file('modern.pem'),
      '-passout', `pass:${password}`, '-out', file('modern.p12')]);
    picks(['modern.p12']);
    assert.equal((await ask(basics(document))).body.result.length, 1);
  }
});

test('the public client signs with PKCS12 as with a token, and cancelling is cancelling', async () => {
  process.env.TAMGA_CA = daemon.authority();
  const client = new NCALayerClient(daemon.url, false);
  await client.connect();
  picks(['RSA256_test.p12']);

  assert.deepEqual(await client.getActiveTokens(), [], 'pages add PKCS12 themselves');
  const info = await client.getKeyInfo('PKCS12');
  assert.equal(info.subjectCn, 'ТЕСТОВ ТЕСТ');
  const cms = await client.createCAdESFromBase64('PKCS12', document, 'SIGNATURE', true);
  assert.deepEqual(verifyCms(daemon, Buffer.from(cms, 'base64')), content);
  for (const xml of await client.signXmls('PKCS12', ['<a>1</a>', '<b>2</b>'])) verifyXml(daemon, xml);
  const byBasics = await client.basicsSignCMS(NCALayerClient.basicsStoragePKCS12, document, { decode: true }, NCALayerClient.basicsSignerAny);
  assert.deepEqual(verifyCms(daemon, fromPem(byBasics)), content);

  daemon.person('cancel\n');
  await assert.rejects(client.createCAdESFromBase64('PKCS12', document), /500: action.canceled/);
  client.wsConnection.close();
});

test('the window says why a token is safer, and remembers files without a secret until the list is cleared', async () => {
  picks(['GOST512_test.p12']);
  await ask(basics(document));
  picks(['RSA256_test.p12']);
  await ask(basics(document));
  const list = path.join(daemon.home, '.local/state/tamga/recent-key-files');

  assert.match(windows('files').at(-1).safety, /token is safer than a file/);
  assert.deepEqual(fs.readFileSync(list, 'utf8').split('\n').slice(0, 2), [file('RSA256_test.p12'), file('GOST512_test.p12')]);
  assert.equal(fs.statSync(list).mode & 0o777, 0o600);

  daemon.person('forget_files\n');
  await ask(basics(document));
  assert.equal(windows('files').at(-1).recent, '');
  assert.equal(fs.existsSync(list), false);
});

test('the process of the file ends with the request; log and pages never see a path or a password', async () => {
  picks(['RSA256_test.p12']);
  const reply = await socket.ask(basics(document));

  await until('the process of the file to end', () => !daemon.pids()['tamga-file'] && daemon.prompts().length === 0);
  for (const secret of [password, 'RSA256_test', 'ключи']) {
    assert.ok(!daemon.log().includes(secret), secret);
    assert.ok(!reply.includes(secret), secret);
  }
});

test('a page that leaves while a file is open takes its processes along', async () => {
  daemon.person(`wait_ms 300\nfile ${file('RSA256_test.p12')}\nkey first\n`);
  const leaving = await daemon.connect();
  leaving.send(JSON.stringify(basics(document)));
  await until('the prompt', () => daemon.prompts().length > 0);
  leaving.terminate();

  await until('both to go', () => daemon.prompts().length === 0 && !daemon.pids()['tamga-file'], 5000);
});

// ---- documents ----

const choose = async (name, over = socket) => {
  daemon.person(`file ${file(name)}\naccept\n`);
  return (await ask(commonUtils('showFileChooser', 'ALL', '/etc'), over)).responseObject;
};

test('S13: a chosen file is signed by its handle, once, on its own connection', async () => {
  fs.writeFileSync(file('document.txt'), content);
  const handle = await choose('document.txt');
  assert.match(handle, /^tamga-file-[0-9a-f]{32}$/);
  assert.equal(daemon.shown().at(-1).purpose, 'The site asks you to choose a file to be signed. Nothing is signed yet: you will be asked before.');

  const stranger = await daemon.connect();
  const stolen = await ask(commonUtils('createCAdESFromFile', 'PKCS12', 'SIGNATURE', handle, true), stranger);
  assert.deepEqual(stolen, { code: '500', message: 'file.not_found' });
  stranger.close();

  picks(['RSA256_test.p12']);
  const signed = await ask(commonUtils('createCAdESFromFile', 'PKCS12', 'SIGNATURE', handle, true));
  assert.deepEqual(verifyCms(daemon, Buffer.from(signed.responseObject, 'base64')), content);
  assert.equal(daemon.shown().at(-1).documents[0].text, content.toString());

  const again = await ask(commonUtils('createCAdESFromFile', 'PKCS12', 'SIGNATURE', handle, true));
  assert.deepEqual(again, { code: '500', message: 'file.not_found' });
});

test('S13: nothing that a page writes is taken for a path', async () => {
  const shown = windows('show').length;
  for (const name of ['/etc/hostname', file('document.txt'), 'file:///etc/hostname', '/proc/self/fd/3', '../document.txt', '', `tamga-file-${'0'.repeat(32)}`]) {
    const reply = await ask(commonUtils('createCAdESFromFile', 'PKCS12', 'SIGNATURE', name, true));
    assert.deepEqual(reply, { code: '500', message: 'file.not_found' }, name);
  }
  for (const kind of ['DIRECTORY', '', 'P12', 'KEYSTORE', 'JKS']) {
    assert.deepEqual(await ask(commonUtils('showFileChooser', kind, '')), { code: '500', message: 'unsupported' });
  }
  assert.equal(windows('show').length, shown, 'nobody was asked');
});

test('a key file is handed to no site, and a cancelled chooser is a cancel', async () => {
  daemon.person(`file ${file('RSA256_test.p12')}\nfile ${file('modern.key')}\nfile ${file('document.txt')}\naccept\n`);
  const { responseObject } = await ask(commonUtils('showFileChooser', 'ALL', ''));
  assert.match(responseObject, /^tamga-file-/);
  assert.match(windows('files').at(-1).error, /holds a private key/);

  daemon.person('cancel\n');
  assert.deepEqual(await ask(commonUtils('showFileChooser', 'ALL', '')), { code: '500', message: 'action.canceled' });
});

test('what is shown is what is signed, though the file changes meanwhile', async () => {
  fs.writeFileSync(file('changing.txt'), 'before');
  const handle = await choose('changing.txt');
  daemon.person(`wait_ms 500\nfile ${file('RSA256_test.p12')}\nkey first\npin ${password}\naccept\n`);
  const shown = windows('show').length;
  const signing = ask(commonUtils('createCAdESFromFile', 'PKCS12', 'SIGNATURE', handle, true));
  await until('the window', () => windows('show').length > shown);
  fs.writeFileSync(file('changing.txt'), 'after!');

  assert.equal(verifyCms(daemon, Buffer.from((await signing).responseObject, 'base64')).toString(), 'before');
});

test('a document of 40 MB is signed, and one over the limit refused before anybody is asked', async () => {
  fs.writeFileSync(file('large.bin'), Buffer.alloc(40 << 20, 7));
  const handle = await choose('large.bin');
  picks(['RSA256_test.p12']);
  const signed = await ask(commonUtils('createCAdESFromFile', 'PKCS12', 'SIGNATURE', handle, false));
  execFileSync('openssl', ['cms', '-verify', '-cades', '-binary', '-inform', 'DER', '-in', scratch(daemon, 'large.cms', Buffer.from(signed.responseObject, 'base64')),
    '-content', file('large.bin'), '-CAfile', file('ca.pem'), '-purpose', 'any', '-out', '/dev/null'], { stdio: 'ignore' });

  fs.truncateSync(file('large.bin'), (256 << 20) + 1);
  const beyond = await choose('large.bin');
  assert.deepEqual(await ask(commonUtils('createCAdESFromFile', 'PKCS12', 'SIGNATURE', beyond, false)), { code: '500', message: 'too_large' });
});
