// Every set-up of broken.json: the doctor names the cause each time, and repairs what it says it can.
'use strict';

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { after, before, describe, test } = require('node:test');
const { root } = require('../e2e/support/daemon.cjs');
const { breakers } = require('./breakers.cjs');
const { Rig } = require('./rig.cjs');

const table = JSON.parse(fs.readFileSync(path.join(__dirname, 'broken.json'), 'utf8'));
let rig;
before(async () => { rig = await Rig.start(); });
after(() => rig?.stop());

const badOnes = ({ findings }) => findings.filter(({ state }) => state !== 'good').map(({ cause, says }) => `${cause}: ${says}`);

test('where nothing is the matter nothing is found, and the exit code says so', async () => {
  const report = await rig.doctor();

  assert.deepEqual(badOnes(report), []);
  assert.deepEqual([report.status, report.worst, report.code], [0, 'good', undefined]);
});

describe('a set-up in which', () => {
  for (const { setup, cause, breaker, fix } of table) {
    test(`${setup}: ${cause}`, async (t) => {
      const broken = await breakers[breaker](rig);
      if (!broken) return t.skip('only root can be another user');
      try {
        const report = await rig.doctor(broken);
        assert.equal(report.main, cause, badOnes(report).join('\n'));
        const { state, step, code } = report.findings.find((finding) => finding.cause === cause);
        assert.equal(report.status, { bad: 1, unknown: 3 }[state]);
        assert.ok(step, 'what to do next');
        assert.equal(report.code, code);
        if (!fix) return undefined;
        const repaired = await rig.doctor(broken, '--fix', '--yes');
        assert.deepEqual(badOnes(repaired), [], repaired.complaints);
      } finally { await broken.mend(); }
      return undefined;
    });
  }
});

test('every finding that is repaired says so beforehand, and nothing is repaired without a yes', async () => {
  const broken = breakers.open_state(rig);
  try {
    const { words } = await rig.run(['doctor', '--offline', '--fix', '--port', String(rig.daemon.port)]);

    assert.match(words, /Nothing was repaired/);
    assert.equal(fs.statSync(rig.file('.local/state/tamga')).mode & 0o777, 0o755);
  } finally { broken.mend(); }
});

test('S24: what Tamga remembers is its owner\'s alone, and a port held by another user is told', async (t) => {
  for (const name of fs.readdirSync(rig.file('.local/state/tamga'))) {
    assert.equal(fs.statSync(rig.file(`.local/state/tamga/${name}`)).mode & 0o077, 0, name);
  }
  const broken = await breakers.port_other_user();
  if (!broken) return t.skip('only root can be another user');
  try {
    const { findings } = await rig.doctor(broken, '--offline');
    assert.match(findings.find(({ cause }) => cause === 'port.other_user').says, /another user of this computer \(65534\)/);
  } finally { broken.mend(); }
  return undefined;
});

test('S16: repairs leave the browsers alone that run', async () => {
  const sources = ['repair.cpp', 'doctor.cpp'].map((name) => fs.readFileSync(path.join(root, 'cli/doctor', name), 'utf8')).join('');
  assert.doesNotMatch(sources, /pkill|killall|::kill\(/);
  const { spawn } = require('node:child_process');
  // Under the name of a browser, with the profile of this home.
  fs.copyFileSync('/bin/sleep', rig.file('firefox-esr'));
  fs.chmodSync(rig.file('firefox-esr'), 0o700);
  const broken = breakers.trust_missing(rig);
  const browser = spawn(rig.file('firefox-esr'), ['1000'], { stdio: 'ignore' });
  try {
    await rig.doctor({}, '--offline', '--fix', '--yes');
    assert.equal(browser.exitCode, null);
    assert.equal(browser.signalCode, null);
  } finally {
    broken.mend();
    browser.kill();
    fs.rmSync(rig.file('firefox-esr'));
  }
});

test('a card of no known kind comes with the row that would name it', async () => {
  const broken = await breakers.unknown_atr(rig);
  try {
    const { words } = await rig.run(['doctor', '--offline', '--port', String(rig.daemon.port)]);
    assert.match(words, /atrs = \["3B 88 01 54 45 53 54 4F 4E 4C 59 8B"\]/);
  } finally { await broken.mend(); }
});

test('without a table of families that can be read nothing is said of the kind of a card', async () => {
  const broken = await breakers.unknown_atr(rig);
  const families = '.config/tamga/families.toml';
  rig.write(families, '[[family]]\nweight = 1\n');
  try {
    const { main, findings } = await rig.doctor({}, '--offline');
    assert.equal(main, 'configuration.invalid');
    const causes = findings.map(({ cause }) => cause);
    assert.ok(causes.includes('readers.good'), causes.join());
    for (const guess of ['readers.unknown_atr', 'tokens.none', 'modules.none']) assert.ok(!causes.includes(guess), guess);
  } finally {
    rig.write(families, Rig.families);
    await broken.mend();
  }
});

test('of a missing driver the doctor names every file it looked for, and the program that brings them', async () => {
  const broken = await breakers.no_module_for_family(rig);
  try {
    const { findings } = await rig.doctor({}, '--offline');
    const { says, step, detail } = findings.find(({ cause }) => cause === 'modules.none_for_family');
    assert.match(says, /Orphan.*: nowhere\.so, elsewhere\.so$/);
    assert.equal(step, 'Install Orphan Client, then plug the token in again.');
    assert.ok(detail.includes(rig.file('elsewhere.so')), detail);
  } finally { await broken.mend(); }
});

test('a file that others can change is named with what is wrong and the command that mends it', async () => {
  const file = rig.file('.config/tamga/modules.toml');
  fs.chmodSync(file, 0o666);
  try {
    const { main, findings } = await rig.doctor({}, '--offline');
    const { step, detail } = findings.find(({ cause }) => cause === main);
    assert.equal(detail, 'everybody can write to the file (mode 0666)');
    execFileSync('sh', ['-c', step.slice(step.indexOf(': ') + 2)]);
    assert.equal(fs.statSync(file).mode & 0o777, 0o644);
  } finally { fs.chmodSync(file, 0o600); }
});

test('tamga tokens names a driver that crashes, and fails', async () => {
  const broken = breakers.module_crashes(rig);
  try {
    await rig.restartDaemon();
    const { status, words, complaints } = await rig.run(['tokens']);
    assert.equal(status, 1);
    assert.equal(words, '');
    assert.match(complaints, /token_crashed[^]*The driver fake \(.*\) crashes/);
  } finally {
    broken.mend();
    await rig.restartDaemon();
  }
});

test('what the doctor says in Kazakh and Russian has no English words about tokens', async () => {
  for (const language of ['kk', 'ru']) {
    const { words } = await rig.run(['doctor', '--offline', '--port', String(rig.daemon.port)], { language });
    const said = words.split('\n').filter((line) => /^\[ .. \] (modules|tokens):/.test(line)).join('\n');
    assert.match(said, /modules: [^]*tokens: /);
    assert.doesNotMatch(said, /tokens: \d|certificates|octets/);
  }
});

test('a locked PIN comes with the way its family unlocks it', async () => {
  const broken = breakers.pin_locked(rig);
  const families = rig.file('.config/tamga/families.toml');
  fs.writeFileSync(families, '[[family]]\nid = "planted"\nstorage = "AKAKEYStore"\nname = { kk = "Planted", ru = "Planted", en = "Planted" }\n'
    + 'tokens = [{ manufacturer = "*" }]\nunblocking = "so_pin"\n');
  try {
    const { findings } = await rig.doctor({}, '--offline');
    assert.match(findings.find(({ cause }) => cause === 'tokens.pin_locked').step, /administrator PIN: by the command tamga keys unblock/);
  } finally {
    fs.writeFileSync(families, Rig.families);
    broken.mend();
  }
});

test('--sign-test makes a signature through the window; without it nobody is asked for a PIN', async () => {
  const asked = rig.daemon.shown().length;
  await rig.doctor({}, '--offline');
  assert.equal(rig.daemon.shown().length, asked);

  const { findings } = await rig.doctor({}, '--offline', '--sign-test');
  assert.equal(findings.at(-1).cause, 'sign.good', findings.at(-1).says);
  assert.equal(rig.daemon.shown().length, asked + 1);
});

test('--token-dump has what is not known of devices, and no label, number or certificate', async () => {
  const { status, words } = await rig.run(['doctor', '--token-dump']);

  assert.equal(status, 0);
  for (const fact of [/manufacturer = 'SoftHSM project'/, /mechanisms = \[/, /label = '\*{13}'/, /serial = '\*{16}'/, /der_octets/]) assert.match(words, fact);
  assert.doesNotMatch(words, /Planted|3082[0-9a-f]{20}/);
});

test('the table in docs/support.md is this one', async () => {
  const rows = [];
  for (const { setup, cause, fix } of table) {
    const { words } = await rig.run(['explain', cause]);
    rows.push(`| ${words.slice(0, 5)} | \`${cause}\` | ${setup} | ${fix ? 'yes' : ''} |`);
  }
  const documented = fs.readFileSync(path.join(root, 'docs/support.md'), 'utf8').split('\n').filter((line) => /^\| D\d{4} /.test(line));
  assert.deepEqual(documented, rows);
});
