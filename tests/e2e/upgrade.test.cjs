// What an upgrade does to a Tamga that runs: SIGHUP, which the unit's reload sends.
'use strict';

const assert = require('node:assert/strict');
const { after, before, test } = require('node:test');
const { Daemon, basics, fromPem, until, verifyCms } = require('./support/daemon.cjs');
const { Client } = require('./support/v1.cjs');

const content = Buffer.from('Өтініш: келісемін');
const request = basics(content.toString('base64'));
const slowly = 'wait_ms 1500\nkey first\npin 12345678\naccept\n';
let daemon;

before(async () => { daemon = await Daemon.start({ script: slowly }); });
after(() => daemon.stop());

test('the open window is answered, who has nothing open is sent away at once, and Tamga ends to be started anew', async () => {
  const asking = await daemon.connect();
  const asked = asking.ask(request);
  const asksToo = await Client.connect(daemon);
  const other = asksToo.send('sign', { purpose: 'document', format: 'cms', documents: [{ content: content.toString('base64') }] });
  const idle = await daemon.connect();
  await until('the window', () => daemon.shown().length === 1);

  daemon.process.kill('SIGHUP');

  assert.equal(await idle.closed, 1001);
  const reply = JSON.parse(await asked);
  assert.equal(reply.status, true, JSON.stringify(reply));
  verifyCms(daemon, fromPem(reply.body.result[0]), content);
  assert.equal(await asking.closed, 1001);
  const answered = await other;
  assert.ok(answered.result, `what waited for its window is answered too: ${JSON.stringify(answered)}`);
  assert.equal((await asksToo.closed).code, 1001);
  assert.deepEqual(await daemon.ended, { code: 3, signal: null });
  assert.match(daemon.log(), /retiring/);
});

test('with nothing open it ends at once', async () => {
  await daemon.launch();
  const idle = await daemon.connect();
  daemon.process.kill('SIGHUP');

  assert.equal(await idle.closed, 1001);
  assert.deepEqual(await daemon.ended, { code: 3, signal: null });
});

test('SIGTERM ends it also while an answer is waited for', async () => {
  await daemon.launch();
  daemon.person('hang\n');
  const asking = await daemon.connect();
  const windows = daemon.shown().length;
  const asked = asking.ask(request).catch((closed) => closed);
  await until('the window', () => daemon.shown().length > windows);
  daemon.process.kill('SIGHUP');
  daemon.process.kill('SIGTERM');

  await asked;
  assert.equal((await daemon.ended).signal, null);
});
