// `tamga tokens` and `tamga sign` over the local socket, and what is heard when a card comes and goes.
'use strict';

const assert = require('node:assert/strict');
const { spawn, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const readline = require('node:readline');
const { after, before, test } = require('node:test');
const { Daemon, build, until, verifyCms, verifyXml } = require('./support/daemon.cjs');
const { Readers } = require('./support/readers.cjs');
const { Client } = require('./support/v1.cjs');

const signs = 'key first\npin 12345678\naccept\n';
let readers;
let daemon;
let token; // what verifiers are told of

before(async () => {
  readers = await Readers.start();
  daemon = await Daemon.start({ families: true, env: readers.env });
  await readers.remove(1);
  await readers.seen([true, false]);
  token = { home: daemon.home, token: readers.token(0) };
});
after(async () => {
  await daemon?.stop();
  await readers?.stop();
});

const environment = () => ({ PATH: process.env.PATH, HOME: daemon.home, XDG_RUNTIME_DIR: daemon.env.XDG_RUNTIME_DIR });
function tamga(...args) { return tamgaWith({}, ...args); }
function tamgaWith(env, ...args) {
  const { status, stdout, stderr } = spawnSync(path.join(build, 'bin/tamga'), ['--language', 'en', ...args],
    { env: { ...environment(), ...env }, encoding: 'utf8', timeout: 60000 });
  return { status, words: stdout, complaints: stderr };
}
function file(name, content) {
  const place = path.join(daemon.home, name);
  fs.writeFileSync(place, content);
  return place;
}

test('tokens are told with their number, in words and for programs', () => {
  const words = tamga('tokens');
  const { tokens: [described], findings } = JSON.parse(tamga('tokens', '--json').words);

  assert.equal(words.status, 0, words.complaints);
  assert.match(words.words, /^KAZTOKEN.*serial number/i);
  assert.equal(described.storage, 'AKKaztokenStore');
  assert.ok(described.serial);
  assert.deepEqual(findings, []);
});

test('where no token can be seen the reason is said, and the exit code tells it from there being none', async () => {
  await readers.removed(0);
  const none = tamgaWith(readers.env, 'tokens');
  const noService = { PCSCLITE_CSOCK_NAME: '/nonexistent' };
  const blind = tamgaWith(noService, 'tokens');
  const forPrograms = tamgaWith(noService, 'tokens', '--json');
  await readers.inserted(0);

  assert.equal(none.status, 0, none.complaints);
  assert.match(none.words, /^No token is plugged in\. .*tamga doctor/);
  assert.equal(blind.status, 1);
  assert.equal(blind.words, 'No token can be seen.\n');
  assert.match(blind.complaints, /pcscd\) does not answer[^]*-> .*systemctl enable --now pcscd\.socket/);
  assert.equal(forPrograms.status, 1);
  const { tokens, findings } = JSON.parse(forPrograms.words);
  assert.deepEqual([tokens, findings[0].cause], [[], 'card_service.absent']);
});

test('of a token of no known kind that works the doctor says so, with a row that leaves it working', async () => {
  await readers.inserted(1);
  const { words } = tamgaWith(readers.env, 'doctor', '--offline');
  await readers.removed(1);

  assert.match(words, /^\[ ok \] readers: Reader .* holds a token that works; of which kind it is, is not known/m);
  assert.match(words, /^ +modules = \["\/usr\/lib\/.*opensc-pkcs11\.so"\]/m);
  assert.doesNotMatch(words, /The kind of the card/);
});

test('a card that comes and goes is heard of, by the command and by a page that subscribed, within a second', async () => {
  const page = await Client.connect(daemon, { origin: 'https://portal.test' });
  const stranger = await Client.connect(daemon, { origin: 'https://portal.test' });
  assert.equal((await page.call('tokens.subscribe')).tokens.length, 1);
  const command = spawn(path.join(build, 'bin/tamga'), ['--language', 'en', 'tokens', '--watch'], { env: environment() });
  const lines = [];
  readline.createInterface({ input: command.stdout }).on('line', (line) => lines.push(line));
  await until('what is there', () => lines.length === 1);

  const began = Date.now();
  await readers.removed(0);
  assert.deepEqual(await page.notified('tokens.changed'), { tokens: [] });
  assert.ok(Date.now() - began < 3000, `${Date.now() - began} ms`);
  await until('the command to say so', () => lines.length === 2);
  await readers.inserted(0);
  assert.equal((await page.notified('tokens.changed')).tokens[0].storage, 'AKKaztokenStore');
  await until('the command to say so', () => lines.length === 3);

  assert.match(lines[1], /^Pulled out: KAZTOKEN/i);
  assert.match(lines[2], /^Plugged in: KAZTOKEN/i);
  assert.equal(stranger.notifications.length, 0, 'who did not subscribe');
  await page.call('tokens.unsubscribe');
  await readers.removed(0);
  await until('the command to say so', () => lines.length === 4);
  await readers.inserted(0);
  await until('the command to say so', () => lines.length === 5);
  assert.equal(page.notifications.length, 0, 'nor who does no longer');
  command.kill();
  page.close();
  stranger.close();
});

test('files are signed with one PIN, attached and detached, as CMS and in XML', () => {
  const one = file('one.txt', 'one');
  const two = file('two.txt', 'two');
  daemon.person(signs);
  const attached = tamga('sign', one, two);
  daemon.person(signs);
  const detached = tamga('sign', one, '--detached', '-o', path.join(daemon.home, 'one.detached'), '--json');
  const xml = file('request.xml', '<request>1</request>');
  daemon.person(signs);
  const enveloped = tamga('sign', xml, '--format', 'xml');

  assert.equal(attached.status, 0, attached.complaints);
  assert.equal(verifyCms(token, fs.readFileSync(`${one}.cms`)).toString(), 'one');
  assert.equal(verifyCms(token, fs.readFileSync(`${two}.cms`)).toString(), 'two');
  assert.equal(JSON.parse(detached.words).signed[0].signature, path.join(daemon.home, 'one.detached'));
  verifyCms(token, fs.readFileSync(path.join(daemon.home, 'one.detached')), Buffer.from('one'));
  assert.equal(enveloped.status, 0, enveloped.complaints);
  verifyXml(token, fs.readFileSync(`${xml}.signed.xml`));
  const shown = daemon.shown().at(-1);
  assert.equal(shown.asker, 'A command on this computer');
  assert.match(shown.purpose, /request\.xml/);
});

test('nothing is overwritten, and nobody is asked where nothing can be written', () => {
  const one = file('three.txt', 'three');
  file('three.txt.cms', 'mine');
  const windows = daemon.shown().length;

  const refused = tamga('sign', one);

  assert.equal(refused.status, 1);
  assert.match(refused.complaints, /is there already: .*three\.txt\.cms/);
  assert.equal(daemon.shown().length, windows);
  assert.equal(fs.readFileSync(`${one}.cms`, 'utf8'), 'mine');
  daemon.person(signs);
  assert.equal(tamga('sign', one, '--overwrite').status, 0);
  assert.notEqual(fs.readFileSync(`${one}.cms`, 'utf8'), 'mine');
});

test('exit codes tell a cancel from a failure, from a mistake, and from no Tamga', () => {
  const one = file('four.txt', 'four');
  daemon.person('cancel\n');
  const cancelled = tamga('sign', one);
  const malformed = tamga('sign', file('broken.xml', '<a>'), '--format', 'xml');
  const absent = spawnSync(path.join(build, 'bin/tamga'), ['--language', 'ru', 'tokens'],
    { env: { ...environment(), XDG_RUNTIME_DIR: '/nonexistent' }, encoding: 'utf8' });

  assert.equal(cancelled.status, 4, cancelled.complaints);
  assert.match(cancelled.complaints, /^You cancelled\. Nothing more is done.*user_cancelled/);
  assert.equal(malformed.status, 1);
  assert.match(malformed.complaints, /^The XML document is damaged.*xml_malformed/);
  assert.doesNotMatch(malformed.complaints, /site/);
  assert.equal(tamga('sign').status, 2);
  assert.equal(tamga('sign', one, '--format', 'pdf').status, 2);
  assert.equal(absent.status, 5);
  assert.match(absent.stderr, /Tamga не запущена/);
  assert.ok(!fs.existsSync(`${one}.cms`));
});
