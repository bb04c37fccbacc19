// Pages that leave at any moment while tokens and windows are killed: a seeded storm, after which everything still works.
// The build under test has AddressSanitizer on; a coroutine that outlives what it refers to shows in the log.
'use strict';

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { after, before, test } = require('node:test');
const { Daemon, build, testFolder, until } = require('./support/daemon.cjs');
const { dice, pause } = require('./support/dice.cjs');

const requests = 240;
const at_once = 8;
let folder;
let daemon;

// The fake module keeps nothing on disk: SoftHSM's store does not survive a SIGKILL at every moment.
before(async () => {
  folder = testFolder('chaos');
  const [key, certificate, knobs] = ['key', 'certificate', 'knobs'].map((name) => path.join(folder, name));
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-sha256', '-days', '2', '-subj', '/CN=Storm',
    '-addext', 'keyUsage=critical,digitalSignature', '-keyout', key, '-out', certificate], { stdio: 'ignore' });
  fs.writeFileSync(knobs, `log ${path.join(folder, 'calls')}\ntoken storm 87654321 3\n`
    + `certificate 0 01 ${certificate}\nkey 0 01 ${key}\n`);
  daemon = await Daemon.start({
    modules: `[[module]]\nname = "fake"\npath = "${build}/tests/fake_module/libtamga-fake-pkcs11.so"\n`
      + `storage = "AKKaztokenStore"\nenvironment = { TAMGA_FAKE_PKCS11 = "${knobs}" }\n`,
  });
});
after(async () => {
  await daemon.stop();
  fs.rmSync(folder, { recursive: true });
});

const sign = (format, data) => JSON.stringify({
  module: 'kz.gov.pki.knca.basics', method: 'sign',
  args: {
    allowedStorages: null, format, data, signingParams: { decode: format === 'cms' },
    signerParams: { extKeyUsageOids: [] },
  },
});

/** Small and large (those go over the compute thread), one and many, CMS and XML. */
function request(roll) {
  const text = (size) => Buffer.alloc(size, 97).toString('base64');
  switch (roll(5)) {
    case 0: return sign('cms', text(100));
    case 1: return sign('cms', text(1_500_000));
    case 2: return sign('cms', Array.from({ length: 200 }, (_, i) => text(i)));
    case 3: return sign('xml', `<a>${'<b>c</b>'.repeat(5_000)}</a>`);
    default: return '{"module":"kz.gov.pki.knca.basics","method":"getActiveTokens"}';
  }
}

const descriptors = (name) => fs.readdirSync(`/proc/${daemon.pids()[name][0]}/fd`).length;

async function signsOnce() {
  const socket = await daemon.connect();
  const reply = JSON.parse(await socket.ask(sign('cms', Buffer.from('still here').toString('base64'))));
  socket.close();
  return reply.status === true && Array.isArray(reply.body.result);
}

test('pages leave at any moment, windows and tokens are killed: nothing leaks, nothing breaks', async () => {
  await until('a first signature', signsOnce);
  await pause(500); // until the connection of that signature is closed
  const web = descriptors('tamga-web');
  const token = descriptors('tamga-token');
  const roll = dice(20240229);

  const page = async () => {
    for (let i = 0; i < requests / at_once; i += 1) {
      const socket = await daemon.connect();
      socket.on('error', () => {});
      socket.send(request(roll));
      if (roll(4) === 0) socket.send(request(roll));
      await pause(roll(150));
      if (roll(12) === 0) for (const pid of daemon.pids()['tamga-prompt'] ?? []) kill(pid);
      if (roll(100) === 0) for (const pid of daemon.pids()['tamga-token'] ?? []) kill(pid);
      if (roll(100) === 0) for (const pid of daemon.pids()['tamga-watcher'] ?? []) kill(pid);
      if (roll(3) === 0) socket.close(); else socket.terminate();
    }
  };
  const kill = (pid) => { try { process.kill(pid, 'SIGKILL'); } catch { /* it ended meanwhile */ } };
  await Promise.all(Array.from({ length: at_once }, page));

  await until('the windows to go', () => daemon.prompts().length === 0, 10000);
  await until('a signature after the storm', signsOnce, 20000); // a token process killed often is started again late
  await until('the windows to go', () => daemon.prompts().length === 0, 10000);
  // What leaks stays for ever; what only ends late does so on a machine that is busy with other things.
  await until(`${web} descriptors of tamga-web`, () => descriptors('tamga-web') <= web, 30000);
  await until(`${token} descriptors of tamga-token`, () => descriptors('tamga-token') <= token, 30000);
  assert.doesNotMatch(daemon.log(), /Sanitizer|runtime error/);
});
