// `tamga report`, `explain`, `log` and `config show`: what those who help are told, and what they are not.
'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { after, before, test } = require('node:test');
const { basics, build, root } = require('../e2e/support/daemon.cjs');
const { breakers } = require('./breakers.cjs');
const { Rig } = require('./rig.cjs');

const iin = '123456789011'; // of the demo certificates
const planted = {
  label: 'Planted label', iin, pin: '12345678', site: 'planted-site.test', document: Buffer.from('planted document').toString('base64'),
};
let rig;
before(async () => { rig = await Rig.start(); });
after(() => rig?.stop());

const asked = (id) => `tamga-web: request origin="https://${planted.site}" asked="sign" outcome="pin_locked" detail="${id}" ms=12`;
const entry = (priority, message) => JSON.stringify({ __REALTIME_TIMESTAMP: '1764000000000000', PRIORITY: priority, MESSAGE: message });

test('S25: a report has findings, versions and errors, and none of the secrets that were planted', async () => {
  const socket = await rig.daemon.connect();
  rig.daemon.person(`key first\npin ${planted.pin}\naccept\n`);
  const reply = JSON.parse(await socket.ask(basics(planted.document)));
  assert.equal(reply.status, true, JSON.stringify(reply));
  rig.daemon.person('cancel\n');
  await socket.ask(basics(planted.document));
  socket.close();
  const signature = reply.body.result[0].split('\n')[1];
  const serial = JSON.parse(rig.tamga('tokens', '--json')).tokens[0].serial;
  fs.writeFileSync(rig.journal, `${asked(iin)}\ntamga-token: module error="${rig.home}/driver.so" serial=${serial}\n`);
  const blocked = breakers.blocked(rig);
  const file = rig.file('report.txt');

  const { status, words } = await rig.run(['report', '--yes', '--port', String(rig.daemon.port), '-o', file]);
  blocked.mend();

  assert.equal(status, 0, words);
  const report = fs.readFileSync(file, 'utf8');
  assert.equal(report, words, 'what is saved was shown');
  assert.equal(fs.statSync(file).mode & 0o777, 0o600);
  const json = JSON.parse(report.split('---- JSON ----\n')[1]);
  assert.equal(json.doctor.main, 'browser.blocked_by_person');
  assert.ok(json.versions.tamga && json.versions.openssl);
  assert.ok(json.requests.some(({ outcome }) => outcome === 'user_cancelled'), JSON.stringify(json.requests));
  assert.equal(json.log.length, 2);
  for (const [what, secret] of Object.entries({ ...planted, signature, serial, home: rig.home, name: 'ТЕСТОВ' })) {
    assert.ok(!report.includes(secret), `${what}: ${secret}`);
  }
  assert.match(report, /Code for the telephone: D6551/);
});

test('a report that nobody wants saved is not', async () => {
  const file = rig.file('unwanted.txt');

  const { status, words, complaints } = await rig.run(['report', '--offline', '-o', file]);

  assert.equal(status, 0);
  assert.match(words, /---- JSON ----/);
  assert.match(complaints, /was not saved/);
  assert.ok(!fs.existsSync(file));
});

test('explain knows codes as people say them, words and numbers of errors, and tells a digit that was misheard', async () => {
  for (const typed of ['D4036', 'd 403-6', '4036', 'port.ncalayer']) {
    const { status, words } = await rig.run(['explain', typed]);
    assert.equal(status, 0, typed);
    assert.match(words, /^D4036 {2}port\.ncalayer\nNCALayer holds port/);
  }
  for (const typed of ['pin_locked', '33023']) assert.match((await rig.run(['explain', typed])).words, /^pin_locked {2}-33023\n/);
  const misheard = await rig.run(['explain', 'D4046']);
  assert.equal(misheard.status, 2);
  assert.match(misheard.complaints, /misheard/);
  assert.match((await rig.run(['explain', 'D4036'], { language: 'kk' })).words, /NCALayer ұстап тұр/);
});

test('log says in plain words what happened, who must act first, and passes over what is not ours', async () => {
  fs.writeFileSync(rig.journal, [
    entry('6', 'tamga-web: listening port=13579 frame_bytes=1'),
    entry('6', asked('x')),
    entry('6', 'tamga-web: request origin="local" asked="tokens.list" outcome="ok" detail="" ms=3'),
    entry('3', 'tamgad: port_taken port=13579 owner="uid 1000, java (pid 7)" action="end that program"'),
    entry('6', 'Qt: something of a library'),
    entry('4', 'tamga-web: unheard_of reason="new"'),
  ].join('\n'));

  const { status, words } = await rig.run(['log']);
  const lines = words.trim().split('\n').map((line) => line.slice(20));

  assert.equal(status, 0);
  assert.deepEqual(lines, [
    '[    ] Tamga listens on port 13579.',
    `[    ] https://${planted.site} asked for sign: The PIN is locked after too many wrong attempts. How it is unlocked differs from token to token: the command tamga doctor says it of yours.`,
    '[    ] a command of this computer asked for tokens.list: done in 3 ms.',
    '[ !! ] Another program holds Tamga\'s port: uid 1000, java (pid 7)',
    '[ ?? ] tamga-web: unheard_of reason="new"',
  ]);
  fs.writeFileSync(rig.journal, '');
  assert.equal((await rig.run(['log'])).status, 1);
});

test('config show names for each value the file that decides', async () => {
  const { status, words } = await rig.run(['config', 'show', '--json']);
  const { values } = JSON.parse(words);
  const file = (key, value) => values.find((one) => one.key === key && (value === undefined || one.value === value))?.file;

  assert.equal(status, 0);
  assert.equal(file('origins.allow', 'portal.test'), rig.file('.config/tamga/tamga.toml'));
  assert.equal(file('timestamp.url', `${rig.services.url}/tsp`), rig.file('.config/tamga/tamga.toml'));
  assert.equal(file('modules.module', '/usr/lib/softhsm/libsofthsm2.so'), rig.file('.config/tamga/modules.toml'));
  assert.deepEqual(values.filter(({ key }) => ['origins.strict', 'modules.remember_minutes', 'batch.documents'].includes(key)),
    [{ key: 'origins.strict', value: 'false' }, { key: 'modules.remember_minutes', value: '15' }, { key: 'batch.documents', value: '10000' }]);
  assert.deepEqual(values.filter(({ key }) => key.startsWith('families.replaced')), []);
  assert.equal(file('families.row', 'kaztoken'), rig.file('.config/tamga/families.toml'));
  assert.match((await rig.run(['config', 'show'])).words, /^origins\.strict = false {3}\(built in\)$/m);
});

test('of two files the one counts that config show names', async () => {
  const etc = rig.file('etc-tamga');
  fs.mkdirSync(etc);
  fs.writeFileSync(path.join(etc, 'tamga.toml'), '[origins]\nstrict = true\n[limits]\nprompt_seconds = 60\n[timestamp]\nurl = "http://stamps.test/"\n');
  fs.writeFileSync(path.join(etc, 'modules.toml'), 'user_modules = false\nremember_minutes = 5\n');
  fs.writeFileSync(path.join(etc, 'families.toml'), '[[family]]\nid = "planted"\nstorage = "AKAKEYStore"\nname = { kk = "P", ru = "P", en = "P" }\n');
  const asRoot = process.getuid() === 0 ? [] : ['--user', '--map-root-user'];
  // /etc with one more folder, for this command alone.
  const wrap = ['unshare', ...asRoot, '--mount', 'sh', '-c',
    `mkdir -p '${rig.file('upper')}' '${rig.file('work')}' && mount -t tmpfs none '${rig.file('work')}' && mkdir '${rig.file('work')}/u' '${rig.file('work')}/w' && cp -r '${etc}' '${rig.file('work')}/u/tamga' && chmod 755 '${rig.file('work')}/u' && mount -t overlay -o 'lowerdir=/etc,upperdir=${rig.file('work')}/u,workdir=${rig.file('work')}/w' overlay /etc && exec "$@"`, 'etc'];

  const { status, words, complaints } = await rig.run(['config', 'show', '--json'], { wrap });

  assert.equal(status, 0, complaints);
  const found = Object.fromEntries(JSON.parse(words).values.map(({ key, value, file }) => [key, [value, file]]));
  assert.deepEqual(found['origins.strict'], ['true', '/etc/tamga/tamga.toml']);
  assert.deepEqual(found['limits.prompt_seconds'], ['60', '/etc/tamga/tamga.toml']);
  assert.deepEqual(found['timestamp.url'], ['http://stamps.test/', '/etc/tamga/tamga.toml']);
  assert.deepEqual(found['modules.remember_minutes'], ['5', '/etc/tamga/modules.toml']);
  const rows = JSON.parse(words).values.filter(({ key }) => key === 'families.row');
  assert.deepEqual([rows[0].value, rows[0].file], ['planted', '/etc/tamga/families.toml']);
  assert.deepEqual(found['families.left_out'], ['user_modules = false', rig.file('.config/tamga/families.toml')]);
  const doctor = await rig.doctor({ wrap }, '--offline');
  const leftOut = doctor.findings.filter(({ cause }) => cause === 'configuration.left_out').map(({ says }) => says);
  assert.deepEqual(leftOut.map((says) => says.split(' ')[2]), ['modules.toml', 'families.toml'].map((name) => rig.file(`.config/tamga/${name}`)));
});

test('S27: nothing of Tamga fetches a program or a plug-in, and no command updates it', () => {
  const help = rig.tamga('--help');
  assert.doesNotMatch(help, /update|upgrade|plug-?in/i);
  const sources = [];
  const walk = (folder) => {
    for (const one of fs.readdirSync(folder, { withFileTypes: true })) {
      const place = path.join(folder, one.name);
      if (one.isDirectory()) walk(place);
      else if (/\.[ch]pp$/.test(one.name)) sources.push(place);
    }
  };
  for (const folder of ['base', 'cli', 'daemon', 'journal', 'keyfile', 'net', 'pkcs11', 'policy', 'preview', 'prompt', 'protocol', 'signing', 'trust']) walk(path.join(root, folder));
  const loading = sources.filter((file) => /\bdlopen\(/.test(fs.readFileSync(file, 'utf8'))).map((file) => path.relative(root, file)).sort();
  assert.deepEqual(loading, ['pkcs11/module.cpp', 'pkcs11/pcsc.cpp'], 'configured modules, and the card service\'s library');
  const fetching = sources.filter((file) => /async_resolve\(|async_connect\(/.test(fs.readFileSync(file, 'utf8'))).map((file) => path.relative(root, file)).sort();
  assert.deepEqual(fetching, ['cli/doctor/web_probe.cpp', 'daemon/http_client.cpp'], 'time-stamps and revocation, from configured addresses');
  assert.ok(fs.existsSync(path.join(build, 'bin/tamga')));
});
