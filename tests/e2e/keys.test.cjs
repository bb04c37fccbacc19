// The tasks of a key's owner, by the command and over tamga.v1: a renewal from start to end with an authority made by
// OpenSSL, broken off at every step and gone on with; who may ask for such work at all.
'use strict';

const assert = require('node:assert/strict');
const { execFileSync, spawnSync } = require('node:child_process');
const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const { after, before, test } = require('node:test');
const { Daemon, build, until, verifyCms } = require('./support/daemon.cjs');
const { faults, spec } = require('./support/schema.cjs');
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
const usage = { authentication: '1.3.6.1.5.5.7.3.2', signature: '1.3.6.1.5.5.7.3.4' };
/** A certificate whose key is on the token, by what it is for: a token lists its objects in any order. */
const certificateFor = (wanted) => withKey(onToken()).flatMap((key) => key.certificates)
  .find(({ usages }) => usages.includes(wanted));

/** An authority of the test: issues what a request asks for, with the usages of the certificate it comes after. */
class Authority {
  constructor() {
    this.place = folder('authority');
    openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', this.file('ca.key'), '-out', this.file('ca.pem'),
      '-subj', '/CN=ANOTHER TEST CA', '-days', '30');
    fs.appendFileSync(path.join(daemon.token, 'ca.pem'), fs.readFileSync(this.file('ca.pem'))); // for those who verify
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
  daemon.person(agrees); // and types the word that the window asks for
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

test('a token process that is killed at any step of a renewal costs nothing: the old key signs, and it is gone on with', async () => {
  const present = certificateFor(usage.signature);
  for (let step = 0; step < 2; step += 1) {
    const command = await Client.connect(daemon, { local: true });
    const killed = new Promise((resolve) => {
      command.socket.on('message', (data) => {
        const { method, params } = JSON.parse(data.toString());
        if (method !== 'sign.progress' || params.stage !== 'key_work' || params.done !== step) return;
        for (const pid of daemon.pids()['tamga-token']) process.kill(pid, 'SIGKILL');
        resolve();
      });
    });
    daemon.person(agrees);
    const broken = command.send('keys.renew', { keys: [{ certificate: present.content }] });
    await killed;
    const { error, result } = await broken;
    if (error) assert.equal(error.data.error, 'token_crashed', JSON.stringify(error));
    command.close();
    await until('the token to be there again', () => tamga(['tokens', '--json']).words.includes('serial'));
    signs();

    const { number } = result ?? latest();
    daemon.person(agrees);
    const resumed = tamga(['keys', 'renew', '--resume', number, '--json']);
    assert.equal(resumed.status, 0, resumed.complaints);
    const application = JSON.parse(resumed.words.split('\n').at(-2));
    assert.equal(application.state, 'signed');
    const made = onToken().filter((key) => application.keys.some(({ id }) => id === key.id));
    assert.equal(made.length, application.keys.length, 'each pair was made once');
    for (const key of made) assert.equal(key.state, 'no-certificate');
  }
});

test('a pair for signing in that is renewed alone is applied for with the signature key of the same person', async () => {
  const command = await Client.connect(daemon, { local: true });
  const present = certificateFor(usage.authentication);
  daemon.person(agrees);

  const application = await command.call('keys.renew', { keys: [{ certificate: present.content }] });

  assert.equal(application.state, 'signed');
  const out = folder('signing-in');
  assert.equal(tamga(['keys', 'renew', '--resume', application.number, '--out', out]).status, 0);
  const signer = path.join(out, 'signer.pem');
  openssl('cms', '-verify', '-cades', '-binary', '-inform', 'DER', '-in', path.join(out, `${application.number}.cms`),
    '-CAfile', path.join(daemon.token, 'ca.pem'), '-purpose', 'any', '-signer', signer, '-out', path.join(out, 'said'));
  assert.match(openssl('x509', '-in', signer, '-noout', '-ext', 'extendedKeyUsage'), /E-mail Protection/);
  command.close();
});

test('what a command is told is as described', async () => {
  const command = await Client.connect(daemon, { local: true });
  const result = async (name, params) => {
    const told = await command.call(name, params);
    assert.deepEqual(faults(spec.methods.find((method) => method.name === name).result.schema, told), [], name);
    return told;
  };
  const present = certificateFor(usage.signature);
  daemon.person(agrees);
  const { number } = await command.call('keys.renew', { keys: [{ certificate: present.content }] });
  const { keys, token } = await result('keys.list', {});
  const [pair] = withKey(keys);
  await result('keys.label', { token: { serial: token.serial }, id: pair.id, label: 'called something else' });
  const { applications } = await result('applications.list', {});
  assert.equal(applications.find((each) => each.number === number).state, 'signed');
  await result('applications.show', { application: number });
  await result('applications.submitted', { application: number });
  assert.equal(onToken().find(({ id }) => id === pair.id).label, 'called something else');
  command.close();
});

test('the PIN is changed in the window, and the new one holds', () => {
  daemon.person('key first\npin 12345678\nnew_pin 87654321\naccept\n');
  const changed = tamga(['pin', 'change']);
  assert.equal(changed.status, 0, changed.complaints);
  daemon.person('key first\npin 87654321\nnew_pin 12345678\naccept\n');
  const back = tamga(['pin', 'change']);
  assert.equal(back.status, 0, back.complaints);
  signs();
});

test('the password of a key file is changed in the window, and OpenSSL opens the file with the new one alone', () => {
  const place = folder('key-file');
  const file = path.join(place, 'key.p12');
  openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', path.join(place, 'key'), '-out',
    path.join(place, 'cer'), '-subj', '/CN=OWNER OF A FILE', '-days', '3');
  openssl('pkcs12', '-export', '-inkey', path.join(place, 'key'), '-in', path.join(place, 'cer'), '-passout',
    'pass:Old-Password1', '-out', file);
  daemon.person(`from_file\nfile ${file}\npin Old-Password1\nnew_pin New-Password1\naccept\n`);

  const changed = tamga(['pin', 'change']);

  assert.equal(changed.status, 0, changed.complaints);
  const opens = (password) => spawnSync('openssl', ['pkcs12', '-in', file, '-passin', `pass:${password}`, '-nodes'],
    { encoding: 'utf8' });
  assert.match(opens('New-Password1').stdout, /BEGIN PRIVATE KEY/);
  assert.notEqual(opens('Old-Password1').status, 0);
  assert.deepEqual(fs.readdirSync(place).sort(), ['cer', 'key', 'key.p12'], 'nothing else is left beside it');
});

test('statements that revoke are signed in the recommended order with one PIN', () => {
  const place = folder('revoked');
  const [certificate] = withKey(onToken()).flatMap((key) => key.certificates);
  const file = path.join(place, 'a.cer');
  fs.writeFileSync(file, Buffer.from(certificate.content, 'base64'));
  daemon.person(agrees);

  const revoked = tamga(['keys', 'revoke', file, '--reason', 'compromised', '--yes', '--out', place]);

  assert.equal(revoked.status, 0, revoked.complaints);
  const [signed] = fs.readdirSync(place).filter((name) => name.endsWith('.cms'));
  const statement = verifyCms(daemon, fs.readFileSync(path.join(place, signed))).toString();
  assert.ok(statement.includes(certificate.fingerprint) && statement.includes('compromised'), statement);
});

test('applications of employees are signed as decided, each with its content, and none that was not confirmed', () => {
  const place = folder('employees');
  for (const name of ['one', 'two', 'three']) fs.writeFileSync(path.join(place, `${name}.txt`), `application ${name}\n`);
  daemon.person(agrees);

  const decided = tamga(['keys', 'approve', ...['one', 'two', 'three'].map((name) => path.join(place, `${name}.txt`)),
    '--out', place], 'yes\nno\nyes\n');

  assert.equal(decided.status, 0, decided.complaints);
  const signed = fs.readdirSync(place).filter((name) => name.endsWith('.cms')).sort();
  assert.deepEqual(signed, ['one-approved.cms', 'three-approved.cms']);
  assert.match(verifyCms(daemon, fs.readFileSync(path.join(place, signed[0]))).toString(), /APPROVED[^]*application one/);
});
