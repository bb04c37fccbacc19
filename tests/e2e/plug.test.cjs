// A card that comes and goes, many times in a row, and a pcscd that goes and comes: what is plugged in is right within a
// second, nothing is started anew for it, and nothing stays behind. TAMGA_PLUG_CYCLES says how often; 20 where it does not.
'use strict';

const assert = require('node:assert/strict');
const { after, before, test } = require('node:test');
const { Daemon, basics, children, fromPem, until, verifyCms } = require('./support/daemon.cjs');
const { possessions, settled } = require('./support/possessions.cjs');
const { Readers } = require('./support/readers.cjs');

const cycles = Number(process.env.TAMGA_PLUG_CYCLES || 20);
const content = 'plugged in';
const request = JSON.stringify(basics(Buffer.from(content).toString('base64')));
const which = '{"module":"kz.gov.pki.knca.commonUtils","method":"getActiveTokens"}';
let readers;
let daemon;
let socket;

before(async () => {
  readers = await Readers.start();
  daemon = await Daemon.start({ families: true, env: readers.env });
  socket = await daemon.connect();
  await readers.remove(1);
  await readers.seen([true, false]);
});
after(async () => {
  await daemon?.stop();
  await readers?.stop();
});

const active = async () => JSON.parse(await socket.ask(which)).responseObject;
const are = (tokens) => async () => JSON.stringify(await active()) === JSON.stringify(tokens);

async function sign() {
  daemon.person('key first\npin 12345678\naccept\n');
  return JSON.parse(await socket.ask(request));
}

async function signs() {
  const reply = await sign();
  assert.ok(reply.body?.result, JSON.stringify(reply) + daemon.log());
  verifyCms({ home: daemon.home, token: readers.token(0) }, fromPem(reply.body.result[0]));
}

const held = () => possessions(daemon, { pcscd: children(readers.process.pid).pcscd });

test(`S29: a card is known within a second of the PC/SC event, ${cycles} times in a row, and nothing is left behind`, async () => {
  const cycle = async () => {
    for (const [happens, tokens] of [['removed', []], ['inserted', ['AKKaztokenStore']]]) {
      await readers[happens](0);
      const began = Date.now();
      await until(`${tokens} after it was ${happens}`, are(tokens), 5000);
      slowest = Math.max(slowest, Date.now() - began);
    }
  };
  let slowest = 0;
  await cycle();
  await signs();
  const before = await settled(held);
  slowest = 0;

  for (let i = 0; i < cycles; i += 1) {
    await cycle();
    if (i % 10 === 9) await signs();
  }

  assert.ok(slowest <= 1000, `the slowest took ${slowest} ms`);
  await until('everything to be as before', () => JSON.stringify(held()) === JSON.stringify(before), 5000)
    .catch(() => assert.deepEqual(held(), before));
});

test('a window that is open when the card is plugged in shows its keys, and signs with one', async () => {
  await readers.removed(0);
  await until('the card to be gone', are([]), 2000);
  daemon.person('await_tokens\nkey first\npin 12345678\naccept\n');
  const windows = daemon.shown().length;
  const reply = socket.ask(request);
  await until('the window to be open', () => daemon.shown().length > windows, 5000);
  assert.equal(daemon.shown().at(-1).keys?.length ?? 0, 0);

  await readers.inserted(0);
  const { body } = JSON.parse(await reply);

  assert.ok(body?.result, daemon.log());
  verifyCms({ home: daemon.home, token: readers.token(0) }, fromPem(body.result[0]));
});

test('a pcscd that stops, dies or is restarted is noticed, and the module is initialised anew in the same process', async () => {
  const token = held()['tamga-token 0'].pid;
  for (const end of ['pcscd stop', 'pcscd kill']) {
    await readers.say(end);
    await until(`no token after ${end}`, are([]), 2000);
    await readers.say('pcscd start');
    await until('the token to be back', are(['AKKaztokenStore']), 3000);
    await signs();
  }
  assert.equal(held()['tamga-token 0'].pid, token);
});

test('a pcscd that dies in mid-signature ends that request, and the log says by what', async () => {
  await readers.say('signing_time 0 800');
  daemon.person('key first\npin 12345678\naccept\n');
  const before = await readers.signatures(0);
  const reply = socket.ask(request);
  await until('the signature to begin', async () => await readers.signatures(0) > before, 5000);

  await readers.say('pcscd kill');
  const { status } = JSON.parse(await reply);
  await readers.say('signing_time 0 0');
  await readers.say('pcscd start');

  assert.equal(status, false);
  // The module may fail before the watcher has heard of it.
  assert.match(daemon.log(), /asked="sign_cms" outcome="(card_service_lost|token_failure)"/);
  await until('the token to be back', are(['AKKaztokenStore']), 3000);
  await signs();
});

test('a pcscd that leaves when it is idle and is started for whoever connects, as on Debian, is noticed each time', async () => {
  const pcscd = () => children(readers.process.pid).pcscd?.[0];
  const token = possessions(daemon)['tamga-token 0'].pid;
  // The socket is always there: nothing but the end of our own connection tells that it is another pcscd.
  await readers.say('pcscd on_demand');
  let last;
  for (let i = 0; i < 3; i += 1) {
    await until('another pcscd', () => pcscd() !== undefined && pcscd() !== last, 3000);
    last = pcscd();
    await until('the token to be back', are(['AKKaztokenStore']), 3000);
    await signs();
    await readers.say('pcscd stop');
  }
  assert.equal(possessions(daemon)['tamga-token 0'].pid, token);

  // One that is not running when Tamga starts.
  await daemon.stop();
  await readers.say('pcscd stop');
  assert.equal(pcscd(), undefined);
  daemon = await Daemon.start({ families: true, env: readers.env });
  socket = await daemon.connect();
  await until('the token of a pcscd that Tamga woke', are(['AKKaztokenStore']), 5000);
  await signs();
});
