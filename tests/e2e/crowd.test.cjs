// One page does not take everything: sockets, memory, the compute thread, the person's window. Pages that nobody has
// allowed do what they can, and a portal is served all the same.
'use strict';

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const crypto = require('node:crypto');
const net = require('node:net');
const { test } = require('node:test');
const WebSocket = require('ws');
const { Daemon, basics, until } = require('./support/daemon.cjs');

const unknownModule = '{"success":false,"errorCode":"MODULE_NOT_FOUND"}';
const activeTokens = { module: 'kz.gov.pki.knca.commonUtils', method: 'getActiveTokens' };
const MiB = 1 << 20;

/** A socket whose one frame of `size` octets lacks its last ten. */
function unfinished(daemon, origin, size) {
  return new Promise((resolve, reject) => {
    const socket = net.connect(daemon.port, '127.0.0.1', () => {
      socket.write(`GET / HTTP/1.1\r\nHost: 127.0.0.1:${daemon.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n`
        + `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${crypto.randomBytes(16).toString('base64')}\r\nOrigin: ${origin}\r\n\r\n`);
    });
    socket.on('error', reject);
    socket.once('data', () => {
      socket.on('data', () => {});
      const head = Buffer.alloc(14);
      head[0] = 0x81;
      head[1] = 0x80 | 127;
      head.writeBigUInt64BE(BigInt(size), 2);
      socket.write(Buffer.concat([head, Buffer.alloc(size - 10, 0x41)]));
      resolve(socket);
    });
  });
}

/** What the kernel holds for the daemon, which has not read it. */
function unread(daemon) {
  const lines = execFileSync('ss', ['-Htn', 'state', 'established', `sport = :${daemon.port}`], { encoding: 'utf8' });
  return lines.trim().split('\n').map((line) => Number(line.trim().split(/\s+/)[0])).reduce((a, b) => a + b, 0);
}

/** Until the daemon reads no more, and something is left. */
async function untilNothingIsRead(daemon) {
  let last = 0;
  let times = 0;
  await until('the daemon to stop reading', () => {
    const now = unread(daemon);
    times = now > 0 && now === last ? times + 1 : 0;
    last = now;
    return times === 10;
  });
}

test('S17: frames of strangers that never end leave room for a portal, whatever its request', async () => {
  const daemon = await Daemon.start({
    modules: '',
    config: `[origins]\nallow = ["portal.test"]\n[limits]\nframe_bytes = ${MiB}\nbuffered_bytes = ${4 * MiB}\n`,
  });
  const evil = [];
  try {
    for (let i = 0; i < 10; i += 1) evil.push(await unfinished(daemon, `https://e${i}.example`, MiB));
    await untilNothingIsRead(daemon);

    const portal = await daemon.connect();
    for (const size of [12_000, 200_000, 900_000]) {
      const started = Date.now();
      assert.equal(await portal.ask({ module: 'x', padding: 'x'.repeat(size) }), unknownModule);
      assert.ok(Date.now() - started < 10_000, `${size} octets after ${Date.now() - started} ms`);
    }
    portal.close();
  } finally {
    for (const socket of evil) socket.destroy();
    await daemon.stop();
  }
});

test('S17: a site gets as many sockets as it may, sites that nobody allowed 128 together; more are closed with 1013', async () => {
  const daemon = await Daemon.start({ modules: '' });
  const open = [];
  /** The code it was closed with, or nothing where it was greeted. */
  const knock = (origin) => new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${daemon.port}`, { origin });
    socket.on('error', reject);
    socket.on('message', () => { open.push(socket); resolve(undefined); });
    socket.on('close', resolve);
  });
  const knocks = async (origin, times) => {
    const codes = [];
    for (let i = 0; i < times; i += 1) codes.push(await knock(origin));
    return { greeted: codes.filter((code) => code === undefined).length, refused: codes.filter((code) => code === 1013).length };
  };
  try {
    assert.deepEqual(await knocks('https://evil.example', 20), { greeted: 16, refused: 4 });
    for (let i = 0; i < 7; i += 1) await knocks(`https://e${i}.example`, 16);
    assert.equal(open.length, 128);
    assert.deepEqual(await knocks('https://other.example', 2), { greeted: 0, refused: 2 });
    assert.deepEqual(await knocks('https://portal.test', 20), { greeted: 20, refused: 0 });

    for (const socket of open.splice(0)) socket.terminate();
    await until('a place', async () => (await knock('https://evil.example')) === undefined);
  } finally {
    for (const socket of open) socket.terminate();
    await daemon.stop();
  }
});

test('pages that ask and leave wait longer each time, under whatever name, and a portal does not', async () => {
  const daemon = await Daemon.start({ modules: '', script: 'hang\n' });
  try {
    let left = 0;
    for (let i = 0; i < 4; i += 1) {
      const page = await daemon.connect({ origin: `https://e${i}.example` });
      page.send(JSON.stringify(activeTokens));
      await until('its window', () => daemon.shown().length === i + 1);
      page.terminate();
      left = Date.now();
    }

    const page = await daemon.connect({ origin: 'https://e5.example' });
    page.send(JSON.stringify(activeTokens));
    daemon.person('cancel\n');
    const portal = await daemon.connect();
    assert.match(await portal.ask(activeTokens), /"code"/);
    assert.equal(await page.next(), '{"code":"500","message":"action.canceled"}');
    assert.ok(Date.now() - left >= 1000, `asked again after ${Date.now() - left} ms`);
    page.close();
    portal.close();
  } finally { await daemon.stop(); }
});

test('a large XML document of one page does not keep the documents of another waiting', async () => {
  const daemon = await Daemon.start({ config: '[origins]\nallow = ["portal.test", "other.test"]\n' });
  try {
    const slow = await daemon.connect({ origin: 'https://other.test' });
    const portal = await daemon.connect();
    const records = '<record id="17"><name>n</name><sum>1</sum></record>'.repeat(240_000);
    slow.send(JSON.stringify(basics(`<r>${records}</r>`, { decode: false }, 'xml')));
    slow.send('--heartbeat--');
    assert.equal(await slow.next(), '--heartbeat--'); // so the document has arrived

    const reply = JSON.parse(await portal.ask(basics(Buffer.alloc(400 * 1024, 65).toString('base64'))));

    assert.equal(reply.status, true);
    assert.equal(JSON.parse(await slow.next()).status, true);
    assert.deepEqual(daemon.shown().map(({ origin }) => origin), ['https://portal.test', 'https://other.test']);
    slow.close();
    portal.close();
  } finally { await daemon.stop(); }
});
