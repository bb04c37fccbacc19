// S9, S12, S28 and S29 together: pages ask for everything at once, rightly and wrongly typed, while tokens vanish and come
// back, a module crashes, hangs and talks rubbish, a card is pulled out and pcscd stops. The dice decide, the same each time.
// Each answer must be one that the fault of its round explains; what the fault does not concern must not notice it.
//
// TAMGA_STORM_OPERATIONS says how many requests (100 where it does not), TAMGA_STORM_SEED another storm.
// tamga-token is the one with deadlines in a fifth of the time: a call that hangs ends after 2 to 6 s.
'use strict';

const assert = require('node:assert/strict');
const { createHash } = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const { after, before, test } = require('node:test');
const { build, children, fromPem, until } = require('./support/daemon.cjs');
const { dice, pause } = require('./support/dice.cjs');
const { fakeTokens, pin: right } = require('./support/fake_tokens.cjs');
const { memory, possessions, settled, zombies } = require('./support/possessions.cjs');
const { Readers } = require('./support/readers.cjs');

const operations = Number(process.env.TAMGA_STORM_OPERATIONS || 100);
const seed = Number(process.env.TAMGA_STORM_SEED || 20240229);
const wrong = '00000000';
const pages = ['one', 'two', 'three', 'four'].map((name) => `https://${name}.test`);
const looker = 'https://looker.test'; // asks whether all is well
const targets = ['left', 'right', 'ТЕСТОВ']; // two tokens of the fake module, and the card
const storages = ['AKJaCartaStore', 'AKKaztokenStore']; // the fake module, the card
const sanitized = fs.readFileSync(path.join(build, 'bin/tamga-web')).includes('__asan_init');
const batch = 20;

let readers;
let tokens;
let daemon;
let roll; // the dice that decide what happens
let moment = () => 0; // so many ms a page waits before it asks
const sockets = new Map();

before(async () => {
  readers = await Readers.start();
  await readers.remove(1);
  await readers.seen([true, false]);
  tokens = await fakeTokens(['left', 'right'], {
    storage: storages[0],
    tries: 100000,
    families: true,
    env: { ...readers.env, TAMGA_DEBUG: '1' }, // the watcher then says what it has seen
    tamgad: path.join(build, 'hasty-libexec/tamgad'),
    config: `[origins]\nallow = [${[...pages, looker].map((page) => `"${page.slice(8)}"`)}]\n`,
  });
  daemon = tokens.daemon;
});
after(async () => {
  await tokens?.stop();
  await readers?.stop();
});

// ---- what is asked ----

/** What pages ask for and persons do: `typed` are their PINs, `ends` the outcomes where nothing is wrong. */
const kinds = {
  list: { weight: 3, typed: [], ends: ['ok'] },
  sign: { weight: 6, typed: [right], ends: ['ok'] },
  xml: { weight: 2, typed: [right], ends: ['ok'] },
  batch: { weight: 2, typed: [right], ends: ['ok'] },
  large: { weight: 1, typed: [right], ends: ['ok'] },
  wrong: { weight: 2, typed: [wrong], ends: ['user_cancelled'] },
  mistyped: { weight: 2, typed: [wrong, right], ends: ['ok'] },
  cancel: { weight: 1, typed: [], more: 'cancel', ends: ['user_cancelled'] },
  // Which may come too late.
  cancel_waiting: { weight: 1, typed: [right], more: 'cancel_while_waiting', ends: ['user_cancelled', 'ok'] },
  leave: { weight: 1, typed: [right], ends: null }, // nobody is there to be answered
};

const ours = {
  absent: ['token_absent', 'key_not_found', 'user_cancelled'], // where its key is not listed the person gives up
  crash: ['token_crashed', 'user_cancelled', 'token_absent'],
  hang: ['token_timeout', 'token_crashed', 'user_cancelled', 'token_absent'],
  answers: ['token_failure', 'token_absent', 'key_not_found', 'signature_invalid', 'user_cancelled'],
  service: ['card_service_lost', 'token_absent', 'token_failure', 'key_not_found', 'user_cancelled'],
};

/** One of `list`, by its weight. */
function pick(list) {
  let place = roll(list.reduce((sum, { weight }) => sum + weight, 0));
  return list.find(({ weight }) => { place -= weight; return place < 0; });
}
const one = (list) => list[roll(list.length)];

/** What can go wrong. `hits` are the targets it concerns, `ends` the further outcomes it explains for them. */
const faults = [
  { weight: 10, make: () => ({ name: 'nothing', hits: [], ends: [] }) },
  { weight: 3, make: () => knob((slot) => `absent ${slot}`, 'absent') },
  { weight: 2, make: () => knob((slot) => `vanish ${one(['C_Login', 'C_Sign', 'C_FindObjects'])} ${slot}`, 'absent') },
  { weight: 2, make: () => whole(`crash ${one(['C_GetTokenInfo', 'C_Login', 'C_Sign', 'C_FindObjects', 'C_Logout'])} ${one(['segv', 'abort', 'exit'])}`, 'crash') },
  { weight: 1, make: () => whole(`hang ${one(['C_Login', 'C_Sign', 'C_OpenSession'])} ${roll(2)}`, 'hang') },
  { weight: 2, make: () => knob((slot) => `fail ${one(['C_Login', 'C_Sign', 'C_OpenSession', 'C_SignInit'])} ${one(['30', '5', '32', 'b3'])} ${slot}`, 'answers') },
  { weight: 1, make: () => whole(`rubbish ${one(['C_Sign', 'C_FindObjects', 'C_GetAttributeValue', 'C_GetSlotList'])}`, 'answers') },
  { weight: 2, make: () => ({ ...whole(`delay C_Sign ${50 + roll(200)}`, 'answers'), ends: [] }) },
  { weight: 2, make: () => cards('card', () => readers.removed(0), () => readers.inserted(0).then(() => true)) },
  { weight: 1, make: () => cards('leave_in_signature', () => readers.say('leave_in_signature 0 1'), undoLeaving) },
  { weight: 1, make: () => cards('pcscd', () => readers.say(`pcscd ${one(['stop', 'kill'])}`), () => readers.say('pcscd start').then(() => true)) },
];

/** Knobs for one token of the fake module. */
function knob(line, kind) {
  const slot = roll(2);
  return { ...whole(line(slot), kind), hits: [targets[slot]] };
}
/** Knobs for its whole process. */
function whole(line, kind) {
  return { name: line, begin: () => tokens.knobs(line), end: () => tokens.knobs(''), hits: targets.slice(0, 2), ends: ours[kind] };
}
/** `end` tells whether the card went. A round is over once the watcher has seen it come back: until then it still ends leases. */
function cards(name, begin, end) {
  const seen = () => daemon.log().match(/reader name=.* card="3b/g).length;
  let before;
  return {
    name,
    hits: targets.slice(2),
    ends: ours.service,
    begin: () => { before = seen(); return begin(); },
    end: async () => { if (await end()) await until('the watcher to see the card again', () => seen() > before, 5000); },
  };
}

async function undoLeaving() {
  await readers.say('leave_in_signature 0 0');
  if (await readers.isInserted(0)) return false;
  await readers.seen([false, false]);
  await readers.inserted(0);
  return true;
}

const basics = (format, data) => JSON.stringify({
  module: 'kz.gov.pki.knca.basics', method: 'sign',
  args: {
    allowedStorages: null, format, data, signingParams: format === 'cms' ? { decode: true } : {}, signerParams: { extKeyUsageOids: [] },
  },
});
const base64 = (text) => Buffer.from(text).toString('base64');

function request({ kind, name }) {
  if (kind === 'list') return '{"module":"kz.gov.pki.knca.commonUtils","method":"getActiveTokens"}';
  if (kind === 'xml') return basics('xml', `<a>${name}</a>`);
  if (kind === 'batch') return basics('cms', Array.from({ length: batch }, (_, i) => base64(`${name} ${i}`)));
  return basics('cms', base64(kind === 'large' ? name.padEnd(1_500_000, '.') : name));
}

function plan(number, page) {
  const kind = pick(Object.keys(kinds).map((name) => ({ name, weight: kinds[name].weight }))).name;
  // The card bears five wrong PINs: they are typed at the fake tokens alone.
  const target = one(kinds[kind].typed.includes(wrong) ? targets.slice(0, 2) : targets);
  return { kind, page, target: kind === 'list' ? null : target, name: `operation ${number}`, patience: roll(300), at: moment() };
}

/** What the persons do, each at their own site. */
function scriptOf(plans) {
  return plans.map(({ kind, page, target }) => [
    `site ${page}`, `key certificate=${target}`, ...kinds[kind].typed.map((pin) => `pin ${pin}`), kinds[kind].more ?? '', '',
  ].join('\n')).join('');
}

// ---- what comes of it ----

async function socketOf(page) {
  const known = sockets.get(page);
  if (known?.readyState === 1) return known;
  const socket = await daemon.connect({ origin: page });
  sockets.set(page, socket);
  return socket;
}

async function perform(plan_) {
  await pause(plan_.at);
  const socket = await socketOf(plan_.page);
  if (plan_.kind === 'leave') {
    socket.on('error', () => {});
    socket.send(request(plan_));
    await pause(plan_.patience);
    socket.terminate();
    sockets.delete(plan_.page);
    return null;
  }
  return JSON.parse(await socket.ask(request(plan_)));
}

/** Reads what was appended to a file since it was asked last. */
function follow(file) {
  let from = 0;
  return () => {
    const all = fs.existsSync(file) ? fs.readFileSync(file) : Buffer.alloc(0);
    const news = all.subarray(from).toString();
    from = all.length;
    return news.split('\n').filter(Boolean);
  };
}

/** The answer belongs to its request and to the token that was chosen. */
function judgeReply({ kind, name, target }, reply) {
  if (kind === 'list') return;
  const { result } = reply.body;
  if (kind === 'xml') return assert.ok(JSON.stringify(result).includes(`>${name}<`), name);
  assert.equal(result.length, kind === 'batch' ? batch : 1);
  result.forEach((pem, i) => {
    const der = fromPem(pem);
    assert.ok(der.includes(kind === 'batch' ? `${name} ${i}` : name), `the answer to ${name}`);
    assert.ok(der.includes(target), `${name} is signed with ${target}`);
  });
}

/** Our own count of a token's wrong PINs, as the window would show it. */
function ownCount(slot) {
  const name = createHash('sha256').update(`${slot}\nfake`).digest('hex').slice(0, 32);
  const file = path.join(daemon.home, '.local/state/tamga/wrong-pins', name);
  return fs.existsSync(file) ? Number(fs.readFileSync(file, 'utf8')) : 0;
}

/** Compares what was typed, what reached the module and what is kept of it: an attempt is neither lost nor made up. */
function judgeAttempts(plans, fault, { spied, shown }, counted) {
  const concerned = plans.filter(({ target }) => target === 'left' || target === 'right');
  const typed = shown.map(JSON.parse).filter(({ event }) => event === 'pin').flatMap(({ origin, nth }) => {
    const mine = concerned.find(({ page }) => page === origin);
    return mine ? [kinds[mine.kind].typed[nth - 1]] : [];
  });
  const logins = spied.filter((line) => line === 'C_Login').length;
  const verdicts = spied.filter((line) => /^(right|wrong) /.test(line));
  const wrongs = verdicts.filter((line) => line.startsWith('wrong')).length;
  const wrongTyped = typed.filter((pin) => pin === wrong).length;
  assert.ok(logins <= typed.length, `${logins} logins of ${typed.length} PINs typed`);
  assert.ok(wrongs <= wrongTyped, `${wrongs} wrong PINs at the token, ${wrongTyped} typed`);
  const unhindered = concerned.every(({ kind, target }) => !fault.hits.includes(target) && kind !== 'leave' && kind !== 'cancel_waiting');
  if (unhindered) {
    assert.equal(logins, typed.length);
    assert.equal(wrongs, wrongTyped);
  }
  for (const slot of [0, 1]) {
    for (const verdict of verdicts.filter((line) => line.endsWith(` ${slot}`))) {
      counted[slot] = verdict.startsWith('wrong') ? counted[slot] + 1 : 0;
    }
    const kept = ownCount(slot);
    assert.ok(kept >= counted[slot], `${kept} kept for token ${slot}, which counted ${counted[slot]}`);
    // A login that a crash or an unclear answer cut off stays counted: docs/adr/0009-pin-attempts.md.
    assert.ok(kept <= counted[slot] + logins - verdicts.length, `${kept} kept for token ${slot}, which counted ${counted[slot]}`);
    counted[slot] = kept;
  }
}

function judgeOutcomes(plans, replies, fault, logged) {
  const outcomes = new Map(pages.map((page) => [page, []]));
  for (const line of logged) {
    const [, origin, outcome] = line.match(/ request origin="([^"]*)".* outcome="?(\w+)/) ?? [];
    outcomes.get(origin)?.push(outcome);
  }
  plans.forEach((each, i) => {
    if (each.kind === 'leave') return;
    const [outcome, ...further] = outcomes.get(each.page);
    assert.deepEqual(further, [], `one outcome of ${each.name}`);
    const hit = fault.hits.includes(each.target);
    const explained = [...kinds[each.kind].ends, ...(hit ? fault.ends : [])];
    assert.ok(explained.includes(outcome),
      `${each.name} (${each.kind} with ${each.target}) ended with ${outcome}; it can with ${explained}`);
    if (outcome === 'ok') judgeReply(each, replies[i]);
  });
}

// ---- the storm ----

async function isWell() {
  const socket = await socketOf(looker);
  const reply = JSON.parse(await socket.ask(request({ kind: 'list' })));
  return JSON.stringify(reply.responseObject.sort()) === JSON.stringify(storages);
}

const pcscd = () => ({ pcscd: children(readers.process.pid).pcscd });
/** Descriptors and threads, whichever process it is meanwhile. */
const held = () => JSON.stringify(Object.entries(possessions(daemon, pcscd())).map(([name, { fds, threads }]) => [name, fds, threads]).sort());

test(`S9, S12, S28, S29: ${operations} operations in a storm of faults end with no unexplained error, none of their attempts `
  + `lost, and nothing left behind (seed ${seed})`, async (t) => {
  const logged = follow(daemon.logFile);
  const shown = follow(daemon.promptLog);
  const spied = follow(tokens.file('calls'));
  const counted = [0, 0];
  const met = {};
  const rounds = [];
  let number = 0;

  /** A fault and some operations; then it must be as if nothing had been. */
  const round = async (fault, plans) => {
    rounds.push(`${fault.name}: ${plans.map(({ kind, target, name }) => `${name} ${kind} ${target ?? ''}`.trim()).join(', ')}`);
    try {
      daemon.person(scriptOf(plans));
      const [early, late] = [roll(120), roll(300)];
      const replies = Promise.all(plans.map(perform));
      replies.catch(() => {}); // looked at below
      await pause(early);
      await fault.begin?.();
      await pause(late);
      const stays = /crash|hang|fail|rubbish|delay|leave/.test(fault.name);
      if (!stays) await fault.end?.();
      const answers = await replies;
      if (stays) await fault.end?.();
      await until('the windows to go', () => daemon.prompts().length === 0, 10000);
      await until('all tokens to be back', isWell, 45000);
      const lines = logged();
      // exit() destroys what the other threads of that process are using; they end with it, in whatever way.
      if (!fault.name.endsWith('exit')) assert.doesNotMatch(lines.join('\n'), /Sanitizer|runtime error/);
      judgeOutcomes(plans, answers, fault, lines);
      judgeAttempts(plans, fault, { spied: spied(), shown: shown() }, counted);
    } catch (error) {
      const log = daemon.log().split('\n').filter((line) => !line.includes(looker)).slice(-40);
      error.message = `TAMGA_STORM_SEED=${seed}; ${error.message}\nthe last rounds:\n${[...rounds.slice(-8), ...log].join('\n')}`;
      throw error;
    }
    for (const { kind } of plans) met[kind] = (met[kind] ?? 0) + 1;
    const [word] = fault.name.split(' ');
    met[word] = (met[word] ?? 0) + 1;
  };
  const some = (count) => pages.slice(0, count).map((page) => plan(number += 1, page));
  const calm = async (count) => {
    const nothing = faults[0].make();
    for (let i = 0; i < count; i += 1) await round(nothing, some(pages.length));
  };

  // The same dice for the warm-up and for the calm at the end: the same work before both looks.
  roll = dice(seed);
  await until('all tokens to be there', isWell, 10000);
  await calm(8);
  const [before, memoryBefore] = [await settled(held), memory(daemon, pcscd())];

  moment = () => roll(60);
  number = 0;
  while (number < operations) await round(pick(faults).make(), some(1 + roll(pages.length)));

  const last = number;
  roll = dice(seed);
  moment = () => 0;
  await calm(8);
  await until('descriptors and threads to be as before', () => held() === before, 10000).catch(() => assert.equal(held(), before));
  assert.deepEqual(zombies([daemon.process.pid, process.pid]), []);
  const growth = Object.entries(memory(daemon, pcscd())).map(([name, mb]) => [name, mb - memoryBefore[name]]);
  t.diagnostic(`${last} operations: ${Object.entries(met).map(([name, count]) => `${name} ${count}`).join(', ')}`);
  t.diagnostic(`memory: ${growth.map(([name, mb]) => `${name} ${memoryBefore[name].toFixed(1)} MB ${mb < 0 ? '' : '+'}${mb.toFixed(1)}`).join(', ')}`);
  // AddressSanitizer keeps what was freed, up to 256 MB: the build that is shipped is measured, by tests/long/storm.long.
  // 3 MB: what the allocator keeps for the next request, and a process that is younger than it was at the first look.
  for (const [name, mb] of growth) assert.ok(sanitized || mb <= 3, `${name} grew by ${mb.toFixed(1)} MB`);
});
