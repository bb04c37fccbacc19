// The tasks of a key's owner, by the command and over tamga.v1: a renewal from start to end with an authority made by
// OpenSSL, broken off at every step and gone on with; who may ask for such work at all.
'use strict';

const assert = require('node:assert/strict');
const { execFileSync, spawnSync } = require('node:child_process');
const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const { after, before, test } = require('node:test');
const { Daemon, build, verifyCms } = require('./support/daemon.cjs');
const { Client } = require('./support/v1.cjs');

const agrees = 'key first\npin 12345678\naccept\n';
let daemon;

before(async () => { daemon = await Daemon.start(); });
after(async () => { await daemon?.stop(); });

/** The command, with `answers` typed at its questions. */
function tamga(args, answers = '') {
  const { status, stdout, stderr } = spawnSync(path.join(build, 'bin/tamga'), ['--language', 'en', ...args], {
    env: { PATH: process.env.PATH, HOME: daemon.home, XDG_RUNTIME_DIR: daemon.env.XDG_RUNTIME_DIR },
    encoding: 'utf8', input: answers, timeout: 120000,
  });
  return { status, words: stdout, complaints: stderr };
}
const folder = (name) => {
  const place = path.join(daemon.home, name);
  fs.mkdirSync(place, { recursive: true });
  return place;
};
const openssl = (...args) => execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' });

/** What is on the token, as the list after the PIN tells it. */
function onToken() {
  daemon.person(agrees);
  const listed = tamga(['keys', 'list', '--pin', '--json']);
  assert.equal(listed.status, 0, listed.complaints);
  return JSON.parse(listed.words);
}
const withKey = (keys) => keys.filter((key) => key.private_key);

/** An authority of the test: issues what a request asks for, with the usages of the certificate it comes after. */
class Authority {
  constructor() {
    this.place = folder('authority');
    openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', this.file('ca.key'), '-out', this.file('ca.pem'),
      '-subj', '/CN=ANOTHER TEST CA', '-days', '30');
  }
  file(name) { return path.join(this.place, name); }
  issue(request, usages) {
    fs.writeFileSync(this.file('extensions'), `extendedKeyUsage=${usages.join(',')}\n`);
    const issued = request.replace(/\.p10$/, '.cer');
    openssl('x509', '-req', '-in', request, '-CA', this.file('ca.pem'), '-CAkey', this.file('ca.key'), '-CAcreateserial',
      '-days', '365', '-extfile', this.file('extensions'), '-outform', 'DER', '-out', issued);
    return issued;
  }
}

/** The application that was written last. */
function latest() {
  const told = JSON.parse(tamga(['keys', 'applications', '--json']).words);
  return told.applications[0];
}
const signs = () => {
  const file = path.join(folder('signing'), `${crypto.randomUUID()}.txt`);
  fs.writeFileSync(file, 'the old key still signs');
  daemon.person(agrees);
  const made = tamga(['sign', file]);
  assert.equal(made.status, 0, made.complaints);
  assert.equal(verifyCms(daemon, fs.readFileSync(`${file}.cms`)).toString(), 'the old key still signs');
};

test('what is on the token is told after the PIN, certificates with their state', () => {
  const keys = onToken();

  assert.equal(withKey(keys).length, 2);
  for (const key of keys) {
    assert.equal(key.state, 'valid');
    assert.equal(key.certificates[0].iin, '123456789011');
  }
});

test('without a PIN the certificates are told that were used here, and what cannot be known', () => {
  signs();

  const listed = tamga(['keys', 'list']);
  const none = tamga(['keys', 'list', '--state', 'revoked']);

  assert.match(listed.words, /123456789011/);
  assert.match(listed.complaints, /after the PIN alone/);
  assert.match(none.words, /There are none/);
});

test('a renewal from start to end: pairs, requests, application, certificates, and only then the old pair', () => {
  const authority = new Authority();
  const out = folder('application');
  const before_it = onToken();
  daemon.person(agrees);

  const renewed = tamga(['keys', 'renew', '--yes', '--email', 'person@example.test', '--out', out, '--json']);

  assert.equal(renewed.status, 0, renewed.complaints);
  const application = JSON.parse(renewed.words.split('\n').at(-2));
  assert.equal(application.state, 'signed');
  const requests = fs.readdirSync(out).filter((name) => name.endsWith('.p10')).map((name) => path.join(out, name));
  assert.equal(requests.length, before_it.length);
  for (const request of requests) {
    const judged = spawnSync('openssl', ['req', '-in', request, '-verify', '-noout', '-text'], { encoding: 'utf8' });
    assert.match(judged.stderr + judged.stdout, /verify OK/);
    assert.match(judged.stdout, /email:person@example\.test/);
  }
  // The application binds the requests, and is signed by a present key: shown is signed.
  const statement = verifyCms(daemon, fs.readFileSync(path.join(out, `${application.number}.cms`))).toString();
  assert.equal(daemon.shown().at(-1).documents[0].text, statement);
  for (const key of application.keys) {
    const digest = crypto.createHash('sha256').update(Buffer.from(key.request, 'base64')).digest('hex');
    assert.ok(statement.includes(digest), 'the digest of each request is in it');
  }
  signs();
  assert.equal(tamga(['keys', 'submitted', application.number, '--portal-number', '4711']).status, 0);
  assert.equal(latest().state, 'submitted');

  const issued = requests.map((request, i) => authority.issue(request, before_it[i].certificates[0].usages));
  daemon.person(agrees);
  const installed = tamga(['keys', 'install', ...issued, '--json']);

  assert.equal(installed.status, 0, installed.complaints);
  const told = JSON.parse(installed.words);
  assert.equal(told.application.state, 'installed');
  assert.equal(told.old.length, before_it.length, 'the old pairs are offered, and still there');
  assert.equal(withKey(onToken()).length, 2 * before_it.length);
  const [unwanted] = told.old;
  daemon.person(`${agrees}type ${unwanted.label}\n`);
  const removed = tamga(['keys', 'delete', unwanted.id, '--yes']);
  assert.equal(removed.status, 0, removed.complaints);
  assert.ok(!onToken().some((key) => key.id === unwanted.id));
});

test('a certificate that is for no key of the token is stored nowhere', () => {
  const place = folder('stranger');
  openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', path.join(place, 'key'), '-out',
    path.join(place, 'a.cer'), '-subj', '/CN=SOMEBODY', '-days', '3', '-addext', 'basicConstraints=CA:FALSE');
  const keys = onToken();
  daemon.person(agrees);

  const refused = tamga(['keys', 'install', path.join(place, 'a.cer')]);

  assert.equal(refused.status, 1);
  assert.match(refused.complaints, /certificate_mismatch/);
  assert.deepEqual(onToken(), keys);
});

test('a page on an ordinary origin cannot reach the keys, by no method, and no window opens', async () => {
  const page = await Client.connect(daemon, { origin: 'https://portal.test' });
  const windows = daemon.shown().length;
  const octets = Buffer.from('x').toString('base64');
  const attempts = {
    'keys.list': {}, 'keys.renew': { application: '20261123-ABCDEF' }, 'keys.install': { files: [octets] },
    'keys.delete': { id: '01', public_key: octets }, 'keys.label': { id: '01', label: 'x' }, 'pin.change': {},
    'pin.unblock': {}, 'applications.list': {}, 'applications.show': { application: 'A' },
    'applications.submitted': { application: 'A' },
  };
  for (const [method, params] of Object.entries(attempts)) {
    const { data } = await page.fails(method, params);
    assert.equal(data.error, 'key_work_denied', method);
  }
  assert.equal(daemon.shown().length, windows);
  page.close();
});

test('a renewal that the person calls off leaves no application and no pair', async () => {
  const keys = onToken();
  const applications = tamga(['keys', 'applications', '--json']).words;
  const command = await Client.connect(daemon, { local: true });
  daemon.person('cancel\n');

  const { data } = await command.fails('keys.renew', { keys: [{ certificate: withKey(keys)[0].certificates[0].content }] });

  assert.equal(data.error, 'user_cancelled');
  assert.deepEqual(onToken(), keys);
  assert.equal(tamga(['keys', 'applications', '--json']).words, applications);
  command.close();
});
