// What happens around a signature: PINs, cancelling, leaving, crashes, secrets. S6, S7, S9, S16 ... on the whole product.
'use strict';

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const { after, before, test } = require('node:test');
const { Daemon, basics, build, fromPem, until, verifyCms } = require('./support/daemon.cjs');

const signs = 'key first\npin 12345678\naccept\n';
const cancelled = '{"body":{},"status":true}';
const document = Buffer.from('Өтініш: келісемін').toString('base64');
let daemon;

before(async () => { daemon = await Daemon.start(); });
after(() => daemon.stop());

const parsed = async (socket, request) => JSON.parse(await socket.ask(request));

test('heartbeats are answered while the window is open, and requests in their order', async () => {
  daemon.person('wait_ms 1000\nkey first\npin 12345678\naccept\n');
  const socket = await daemon.connect();
  socket.send(JSON.stringify(basics(document)));
  socket.send(JSON.stringify({ module: 'unknown' }));
  socket.send('--heartbeat--');

  assert.equal(await socket.next(), '--heartbeat--');
  assert.equal(JSON.parse(await socket.next()).status, true);
  assert.equal(JSON.parse(await socket.next()).errorCode, 'MODULE_NOT_FOUND');
  socket.close();
});

test('S9: a wrong PIN is told and asked again, each typed PIN costing one attempt', async () => {
  daemon.person('key first\npin 00000000\naccept\npin 12345678\naccept\n');
  const socket = await daemon.connect();

  const reply = await parsed(socket, basics(document));

  assert.equal(reply.status, true);
  verifyCms(daemon, fromPem(reply.body.result[0]));
  assert.equal(daemon.shown().at(-1).asked, 2);
  assert.match(daemon.shown().at(-1).errors[0], /PIN/);
  socket.close();
});

test('a page that leaves takes its prompt along', async () => {
  daemon.person('hang\n');
  const socket = await daemon.connect();
  socket.send(JSON.stringify(basics(document)));
  await until('the prompt', () => daemon.prompts().length > 0);

  socket.terminate();

  await until('the prompt to go', () => daemon.prompts().length === 0, 3000);
});

test('64 requests over 8 sockets: no error, every answer to its own request', async () => {
  daemon.person(signs);
  const sockets = await Promise.all(Array.from({ length: 8 }, () => daemon.connect()));
  const answers = await Promise.all(sockets.map(async (socket, s) => {
    const replies = [];
    for (let i = 0; i < 8; i += 1) socket.send(JSON.stringify(basics(Buffer.from(`${s}/${i}`).toString('base64'))));
    for (let i = 0; i < 8; i += 1) replies.push(JSON.parse(await socket.next()));
    return replies;
  }));

  answers.forEach((replies, s) => replies.forEach((reply, i) => {
    assert.equal(verifyCms(daemon, fromPem(reply.body.result[0])).toString(), `${s}/${i}`);
  }));
  for (const socket of sockets) socket.close();
});

test('raw refuses forms that mean something when signed, and bare digests', async () => {
  daemon.person(signs);
  const socket = await daemon.connect();
  const good = await parsed(socket, basics(document, { decode: true, outputCert: true }, 'raw'));
  assert.match(good.body.result.certificate, /BEGIN CERTIFICATE/);
  assert.equal(good.body.result.signatures.length, 1);

  // Take the signed attributes out of a real CMS and offer them for a raw signature.
  const cms = fromPem((await parsed(socket, basics(document))).body.result[0]);
  fs.writeFileSync(`${daemon.home}/a.cms`, cms);
  const dump = execFileSync('openssl', ['asn1parse', '-inform', 'DER', '-in', `${daemon.home}/a.cms`], { encoding: 'utf8' });
  const attributes = dump.split('\n').filter((line) => /d=5 .*cont \[ 0 \]/.test(line)).pop();
  const [, offset, header, length] = attributes.match(/^\s*(\d+):d=5\s+hl=(\d+)\s+l=\s*(\d+)/);
  const octets = Buffer.from(cms.subarray(Number(offset), Number(offset) + Number(header) + Number(length)));
  octets[0] = 0x31; // SET OF, as it is signed (RFC 5652 section 5.4)
  const shown = daemon.shown().length;

  const refused = await parsed(socket, basics(octets.toString('base64'), { decode: true }, 'raw'));
  const digest = await parsed(socket, basics(Buffer.alloc(32).toString('base64'), { decode: true, digested: true }, 'raw'));

  assert.equal(refused.status, false);
  assert.equal(digest.status, false);
  assert.equal(daemon.shown().length, shown, 'nobody was asked');
  socket.close();
});

test('an empty list, a bad base64, a wrong digest length and a bad XML get the dialect\'s error', async () => {
  const socket = await daemon.connect();
  const shown = daemon.shown().length;

  for (const request of [basics([]), basics('SGVs-bG8='), basics('MTEK', { decode: true, encapsulate: false, digested: true }),
    basics('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', {}, 'xml')]) {
    const reply = await parsed(socket, request);
    assert.equal(reply.status, false, JSON.stringify(request));
    assert.ok(reply.code && reply.message);
  }
  assert.equal(daemon.shown().length, shown);
  socket.close();
});

test('a token process that is killed costs one typed error, and the next request works', async () => {
  daemon.person('wait_ms 700\nkey first\npin 12345678\naccept\n');
  const socket = await daemon.connect();
  socket.send(JSON.stringify(basics(document)));
  await until('the prompt', () => daemon.prompts().length > 0);
  process.kill(daemon.pids()['tamga-token'][0], 'SIGKILL');

  const failed = JSON.parse(await socket.next());
  assert.ok(failed.status === false, JSON.stringify(failed));
  daemon.person(signs);
  await until('a new token process', () => daemon.pids()['tamga-token']);
  const reply = await until('a signature', async () => {
    const next = await parsed(socket, basics(document));
    return next.status === true && next.body.result ? next : null;
  });
  verifyCms(daemon, fromPem(reply.body.result[0]));
  socket.close();
});

/** Whether any readable memory of the process holds `needle`. Needs root: the processes are not dumpable. */
function memoryHolds(pid, needle) {
  const memory = fs.openSync(`/proc/${pid}/mem`, 'r');
  try {
    for (const line of fs.readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n')) {
      const range = line.match(/^([0-9a-f]+)-([0-9a-f]+) r\S+ \S+ \S+ \S+\s*(.*)$/);
      if (!range || range[3].startsWith('[v')) continue;
      const start = BigInt(`0x${range[1]}`);
      const size = Number(BigInt(`0x${range[2]}`) - start);
      if (size > 1 << 28) continue; // the sanitizers' shadow
      const buffer = Buffer.alloc(size);
      let got = 0;
      try { got = fs.readSync(memory, buffer, 0, size, start); } catch { continue; }
      if (buffer.subarray(0, got).includes(needle)) return true;
    }
  } finally { fs.closeSync(memory); }
  return false;
}

test('S6: a PIN is found in no memory of tamga-web and tamgad, and after logout not in tamga-token', async () => {
  const pin = '80927431';
  const other = await Daemon.start({ script: `key first\npin ${pin}\naccept\n` });
  try {
    // Spoken to tamga-web by a page, so the search itself is known to find what is there.
    const marker = 'MARKER-57203';
    execFileSync('pkcs11-tool', ['--module', '/usr/lib/softhsm/libsofthsm2.so', '--login', '--pin', '12345678',
      '--change-pin', '--new-pin', pin], { env: { ...process.env, SOFTHSM2_CONF: `${other.token}/softhsm2.conf` }, stdio: 'ignore' });
    const socket = await other.connect({ origin: 'https://portal.test' });
    const reply = await parsed(socket, basics(Buffer.from(marker).toString('base64')));
    assert.equal(reply.status, true, JSON.stringify(reply));
    assert.ok(reply.body.result);
    const { 'tamga-web': [web], 'tamga-token': [token] } = other.pids();

    assert.equal(memoryHolds(web, 'portal.test'), true, 'the search finds what is there');
    assert.equal(memoryHolds(web, pin), false, 'tamga-web');
    assert.equal(memoryHolds(other.process.pid, pin), false, 'tamgad');
    assert.equal(memoryHolds(token, pin), false, 'tamga-token after logout');
    assert.ok(!other.log().includes(pin));
    socket.close();
  } finally { await other.stop(); }
});

test('S25: what is wrong with a document is told to the page, and its words are not logged', async () => {
  const socket = await daemon.connect();

  const reply = await socket.ask(basics('<r><iin880101300123>x</r>', {}, 'xml'));

  assert.match(reply, /iin880101300123/);
  assert.match(daemon.log(), /outcome="xml_malformed"/);
  assert.doesNotMatch(daemon.log(), /880101300123/);
  socket.close();
});

test('of a token with no end of certificates the first are taken, and the log says how many were left out', async () => {
  const folder = fs.mkdtempSync(`${daemon.home}/endless-`);
  fs.writeFileSync(`${folder}/knobs`, `log ${folder}/calls\ntoken endless 87654321 3\n`
    + `certificate 0 01 ${daemon.token}/sign.pem\n`.repeat(600));
  const other = await Daemon.start({
    modules: `[[module]]\nname = "endless"\npath = "${build}/tests/fake_module/libtamga-fake-pkcs11.so"\n`
      + `storage = "AKKaztokenStore"\nenvironment = { TAMGA_FAKE_PKCS11 = "${folder}/knobs" }\n`,
  });
  try {
    const socket = await other.connect();
    const reply = await parsed(socket, basics(document));

    assert.equal(reply.status, false);
    assert.match(other.log(), /certificates_skipped why="too many" number=536/);
    socket.close();
  } finally { await other.stop(); }
});

test('SIGTERM ends everything cleanly, with the prompt dismissed', async () => {
  const other = await Daemon.start({ script: 'hang\n' });
  const socket = await other.connect();
  socket.send(JSON.stringify(basics(document)));
  await until('the prompt', () => other.prompts().length > 0);
  const pids = Object.values(other.pids()).flat();

  const started = Date.now();
  const end = await other.stop();

  assert.deepEqual(end, { code: 0, signal: null });
  assert.equal(await socket.closed, 1001);
  assert.ok(Date.now() - started < 5000);
  for (const pid of pids) assert.throws(() => process.kill(pid, 0));
});

test('certificates that need the PIN: one PIN entry, then the choice', async () => {
  const hidden = await Daemon.start({ script: 'key first\npin 12345678\naccept\n', tokenEnv: { TOKEN_PRIVATE_CERTS: '1', TOKEN_KEY: 'ec' } });
  try {
    const socket = await hidden.connect();

    const reply = await parsed(socket, basics(document));

    verifyCms(hidden, fromPem(reply.body.result[0]));
    socket.close();
  } finally { await hidden.stop(); }
});
