// Page -> daemon -> pcscd -> OpenSC -> card, and back as a CMS that OpenSSL verifies: nothing configured, no vendor's module, on cards
// that are slow, pulled out and put back, and with a pcscd that goes and comes.
'use strict';

const assert = require('node:assert/strict');
const { after, before, test } = require('node:test');
const { Daemon, basics, fromPem, until, verifyCms } = require('./support/daemon.cjs');
const { Readers } = require('./support/readers.cjs');

const signs = 'key first\npin 12345678\naccept\n';
const content = 'Өтініш: келісемін';
const request = JSON.stringify(basics(Buffer.from(content).toString('base64')));
const which = '{"module":"kz.gov.pki.knca.commonUtils","method":"getActiveTokens"}';
let readers;
let daemon;
let socket;

before(async () => {
  readers = await Readers.start();
  daemon = await Daemon.start({ families: true, env: readers.env });
  socket = await daemon.connect();
});
after(async () => {
  await daemon?.stop();
  await readers?.stop();
});

const ask = async (text) => JSON.parse(await socket.ask(text));

/** Asks for a signature and has OpenSSL verify it with the authority of the card in that reader. */
async function signsWith(reader, script = signs) {
  daemon.person(script);
  const reply = await ask(request);
  assert.equal(reply.status, true, JSON.stringify(reply) + daemon.log());
  assert.ok(reply.body.result, JSON.stringify(reply) + daemon.log());
  const verified = verifyCms({ home: daemon.home, token: readers.token(reader) }, fromPem(reply.body.result[0]));
  assert.equal(verified.toString(), content);
}

test('a card with the ATR of Kaztoken signs through stock OpenSC', async () => {
  assert.deepEqual((await ask(which)).responseObject, ['AKKaztokenStore']);

  await signsWith(0, 'key subject=ТЕСТОВ\npin 12345678\naccept\n');

  assert.equal(await readers.signatures(0), 1);
});

test('of two cards the one signs whose key was chosen', async () => {
  const before = await readers.signatures(1);

  await signsWith(1, 'key subject=СЫНАҚОВ\npin 12345678\naccept\n');

  assert.equal(await readers.signatures(1), before + 1);
});

test('a slow card is waited for', async () => {
  await readers.say('signing_time 0 1500');
  const began = Date.now();

  await signsWith(0);

  assert.ok(Date.now() - began >= 1500);
  await readers.say('signing_time 0 0');
});

test('a card pulled out in mid-signature fails that request alone, and signs when it is back', async () => {
  await readers.say('signing_time 0 300');
  await readers.say('leave_in_signature 0 1');
  daemon.person(signs);

  const reply = await ask(request);
  await readers.say('signing_time 0 0');
  await readers.seen([false, true]);
  await readers.insert(0);
  await readers.seen([true, true]);

  assert.equal(reply.status, false);
  assert.match(daemon.log(), /outcome="?(token_absent|token_failure)/);
  await signsWith(0);
});

test('a status word that the card should not send fails that request alone', async () => {
  await readers.say('status 0 6f00 1 2a');
  daemon.person(signs);

  const reply = await ask(request);

  assert.equal(reply.status, false);
  await signsWith(0);
});
