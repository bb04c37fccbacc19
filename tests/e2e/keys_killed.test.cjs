// A renewal of two pairs, from start to end, in which every step in turn is cut off: by the death of the token's process, and by
// that of the whole product, as when the computer goes off. After each the old keys sign and the renewal is gone on with, until
// the certificates of the portal's authority are installed. RSA on SoftHSM2, GOST on the test module.
'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { after, before, describe, test } = require('node:test');
const { Daemon, testFolder, until } = require('./support/daemon.cjs');
const { command } = require('./support/stand.cjs');
const { Client } = require('./support/v1.cjs');
const { Visitor, startPortal } = require('../portal/support/visitor.cjs');
const { makeGostToken, makeToken } = require('../portal/support/token.cjs');
const { describe: read } = require('../portal/verify.cjs');

const citizen = '123456789011';
const agrees = 'key first\npin 12345678\naccept\n';
const serialOf = async (certificate) => (await read(certificate)).serial;
const isAlive = (pid) => { try { return !/\) Z/.test(fs.readFileSync(`/proc/${pid}/stat`, 'utf8')); } catch { return false; } };

/** Without mercy; who went with tamgad, or by itself, is gone too. */
const kill = (pids) => {
  for (const pid of pids) {
    try { process.kill(pid, 'SIGKILL'); } catch (failure) { if (failure.code !== 'ESRCH') throw failure; }
  }
};

/** What is killed, and how it is there again. */
const deaths = {
  'the token\'s process': {
    kill: (daemon) => kill(daemon.pids()['tamga-token']),
    back: () => {},
  },
  'the whole product': {
    kill(daemon) {
      daemon.fallen = Object.values(daemon.pids()).flat();
      kill([daemon.process.pid, ...daemon.fallen]);
    },
    async back(daemon) {
      await daemon.ended;
      await until('every process to be gone', () => !daemon.fallen.some(isAlive));
      fs.rmSync(daemon.logFile);
      await daemon.launch();
    },
  },
};

/** Two pairs, two requests: four steps, and the signature under the application. Two certificates, and the list of what is there. */
const steps = {
  'keys.renew': [0, 1, 2, 3].map((done) => ({ stage: 'key_work', done })).concat({ stage: 'signing', done: 1 }),
  'keys.install': [0, 1, 2].map((done) => ({ stage: 'key_work', done })),
};

for (const [name, kind, make] of [['SoftHSM2', 'rsa', makeToken], ['the GOST module', 'gost512', makeGostToken]]) {
  describe(`two pairs on ${name}`, () => {
    let folder;
    let portal;
    let daemon;
    let present; // the certificates that are renewed: { authentication, signature }

    before(async () => {
      portal = await startPortal();
      folder = testFolder('killed');
      const pairs = [];
      for (const purpose of ['authentication', 'signature']) pairs.push(await portal.makeKey({ iin: citizen, purpose, kind }));
      present = pairs.map(({ certificate }) => certificate);
      daemon = await Daemon.start({ modules: make(folder, pairs), config: portal.configuration(kind) });
      for (const office of ['root', 'issuer']) daemon.tamga('ca', 'add', portal.authorities[kind].path(`${office}.pem`));
      daemon.person(agrees);
    });
    after(async () => {
      await daemon?.stop();
      await portal?.end();
      fs.rmSync(folder, { recursive: true, force: true });
    });

    const connected = (work) => Client.connect(daemon, { local: true }).then(async (client) => {
      try { return await work(client); } finally { client.close(); }
    });
    const listed = () => connected(async (client) => (await client.call('keys.list', {})).keys);
    const latest = () => connected(async (client) => (await client.call('applications.list', {})).applications[0]);

    /** A letter, signed with the key of this certificate; openssl has the last word. */
    async function signs(certificate) {
      const [letter, signed] = ['letter.txt', 'letter.cms'].map((file) => path.join(daemon.home, file));
      fs.writeFileSync(letter, 'A letter');
      await command(daemon, 'sign', letter, '-o', signed, '--overwrite', '--serial', await serialOf(certificate));
      const { content, signer } = await portal.judge.cms(fs.readFileSync(signed));
      assert.deepEqual([content.toString(), signer.sha256], ['A letter', (await read(certificate)).sha256]);
    }

    /** Asks for `method`, and kills at that step. What was whole before the blow came is a result, and no harm. */
    async function cutOff(death, method, params, { stage, done }) {
      const client = await Client.connect(daemon, { local: true });
      let struck = false;
      client.socket.on('message', (data) => {
        const { method: told, params: progress } = JSON.parse(data.toString());
        if (struck || told !== 'sign.progress' || progress.stage !== stage || progress.done !== done) return;
        struck = true;
        death.kill(daemon);
      });
      const end = await Promise.race([client.send(method, params), client.closed]);
      assert.ok(struck, `${method} ended before step ${stage} ${done}: ${JSON.stringify(end)}`);
      if (end.error) assert.equal(end.error.data.error, 'token_crashed', JSON.stringify(end.error));
      client.close();
      await death.back(daemon);
      await until('the token to be there again', () => connected(async (again) => (await again.send('tokens.list', {})).result?.tokens.length > 0), 60_000);
    }

    for (const [who, death] of Object.entries(deaths)) {
      test(`${who} dies at every step of a renewal and of installing: the old keys sign, and it comes to its end`, async () => {
        const known = (await listed()).length;
        const keys = present.map((certificate) => ({ certificate: certificate.toString('base64') }));
        let application;
        for (const step of steps['keys.renew']) {
          await cutOff(death, 'keys.renew', { keys }, step);
          await signs(present[1]);
          const { number } = await latest();
          application = await connected((client) => client.call('keys.renew', { application: number }));
          assert.equal(application.state, 'signed');
        }
        const made = (await listed()).filter(({ id }) => application.keys.some((key) => key.id === id));
        assert.deepEqual(made.map(({ state }) => state), ['no-certificate', 'no-certificate'], 'each pair was made once');

        const visitor = new Visitor(portal);
        await visitor.signInByQr('citizen');
        const requests = Object.fromEntries(application.keys.map(({ use, request }) => [use, Buffer.from(request, 'base64')]));
        const handedIn = await visitor.post('/account/renew', { signed: Buffer.from(application.signed_application, 'base64'), ...requests, locality: 'Test Town', correct: 'yes' });
        assert.equal(handedIn.reason, undefined);
        const issued = (await visitor.get(`${handedIn.path}/certificates.p7b`)).octets;

        await daemon.restart(); // as after the days that a portal takes
        const files = { files: [issued.toString('base64')] };
        for (const step of steps['keys.install']) {
          await cutOff(death, 'keys.install', files, step);
          await signs(present[1]);
        }
        const installed = await connected((client) => client.call('keys.install', files));
        assert.equal(installed.application.state, 'installed');
        assert.equal(installed.old.length, 2);
        await signs((await visitor.get(`${handedIn.path}/signature.cer`)).octets);
        const there = await listed();
        assert.equal(there.length, known + 2 * steps['keys.renew'].length, 'no half pair is left of what was cut off');
        for (const { id, state } of there.filter((pair) => application.keys.some((key) => key.id === pair.id))) assert.equal(state, 'valid', id);
      });
    }
  });
}
