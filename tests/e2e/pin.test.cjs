// S9 on the whole product: how many attempts a page, a person and a batch can cost. The token is the fake module, whose spy
// counts every C_Login; a wrong PIN is typed at nothing else.
'use strict';

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { afterEach, beforeEach, test } = require('node:test');
const { Daemon, build, testFolder } = require('./support/daemon.cjs');

const right = '12345678';
const wrong = '00000000';
const hint = (count) => `Wrong PINs typed here: ${count}. Fewer attempts than usual may remain.`;
let folder;
let daemon;

beforeEach(async () => {
  folder = testFolder('pin');
  const [key, certificate, knobs] = ['key', 'certificate', 'knobs'].map((name) => path.join(folder, name));
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-sha256', '-days', '2', '-subj', '/CN=Test',
    '-addext', 'keyUsage=critical,digitalSignature', '-keyout', key, '-out', certificate], { stdio: 'ignore' });
  fs.writeFileSync(knobs, `log ${path.join(folder, 'calls')}\n`
    + `token first ${[...right].reverse().join('')} 9\ntoken second ${[...right].reverse().join('')} 9\n`
    + `certificate 0 01 ${certificate}\nkey 0 01 ${key}\n`);
  daemon = await Daemon.start({
    modules: `[[module]]\nname = "fake"\npath = "${build}/tests/fake_module/libtamga-fake-pkcs11.so"\n`
      + `storage = "AKKaztokenStore"\nenvironment = { TAMGA_FAKE_PKCS11 = "${knobs}" }\n`,
  });
});
afterEach(async () => {
  await daemon.stop();
  fs.rmSync(folder, { recursive: true });
});

const logins = () => fs.readFileSync(path.join(folder, 'calls'), 'utf8').split('\n').filter((call) => call === 'C_Login').length;
const events = (kind) => fs.readFileSync(daemon.promptLog, 'utf8').split('\n').filter(Boolean).map(JSON.parse)
  .filter(({ event }) => event === kind);

/** One page asks for signatures of `documents`; the person acts by `script`. */
async function sign(script, documents = ['one']) {
  daemon.person(script);
  const socket = await daemon.connect();
  const reply = JSON.parse(await socket.ask({
    module: 'kz.gov.pki.knca.basics', method: 'sign',
    args: {
      allowedStorages: ['AKKaztokenStore'], format: 'cms', signingParams: { decode: true },
      data: documents.map((text) => Buffer.from(text).toString('base64')), signerParams: { extKeyUsageOids: [] },
    },
  }));
  socket.close();
  return reply;
}

test('S9: a wrong PIN is one C_Login, and none follows for another slot, request or process', async () => {
  await sign(`key first\npin ${wrong}\n`);
  assert.equal(logins(), 1);

  process.kill(daemon.pids()['tamga-token'][0], 'SIGKILL');
  await sign('key first\ncancel\n');
  await daemon.connect().then((socket) => socket.ask({ module: 'kz.gov.pki.knca.commonUtils', method: 'getActiveTokens' }));

  assert.equal(logins(), 1);
});

test('S9: a batch is one C_Login', async () => {
  const reply = await sign(`key first\npin ${right}\n`, ['one', 'two', 'three']);

  assert.equal(reply.body.result.length, 3);
  assert.equal(logins(), 1);
});

test('S9: wrong PINs are counted over requests and restarts, said before typing, and the third is confirmed', async () => {
  await sign(`key first\npin ${wrong}\n`);
  await daemon.restart();
  await sign(`key first\npin ${wrong}\n`);
  assert.equal(events('ask')[2].pin, hint(1));

  await sign(`key first\npin ${wrong}\ndecline_last_attempt\n`);
  assert.equal(events('ask')[4].pin, hint(2));
  assert.equal(events('confirm').length, 1);
  assert.equal(logins(), 2, 'the third was not made');

  const reply = await sign(`key first\npin ${right}\n`);
  assert.equal(reply.status, true);
  await sign('key first\ncancel\n');
  assert.equal(events('ask').at(-1).pin, '', 'a right PIN ends the count');
});
