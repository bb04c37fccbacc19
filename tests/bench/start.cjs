// Rows about waiting: from the start of the daemon, and from a request to its window.
'use strict';

const { spawn } = require('node:child_process');
const { once } = require('node:events');
const net = require('node:net');
const path = require('node:path');
const readline = require('node:readline');
const { basics, figure, median, now, programs, row, sign, sleep, withDaemon } = require('./support.cjs');
const { until } = require('../e2e/support/daemon.cjs');

const rounds = 15;
const request = basics(Buffer.alloc(1024, 'a ').toString('base64'));

function connects(port) {
  return new Promise((resolve) => {
    const probe = net.connect(port, '127.0.0.1', () => { probe.destroy(); resolve(true); });
    probe.on('error', () => resolve(false));
  });
}

async function end(daemon) {
  daemon.process.kill('SIGTERM');
  await daemon.ended;
}

/** Starts the daemon again in its home, so that the certificates are there already. */
async function startAgain(daemon) {
  await end(daemon);
  const start = now();
  const launched = daemon.launch();
  while (!await connects(daemon.port)) await sleep(1);
  const listening = now() - start;
  const socket = await daemon.connect();
  const greeted = now() - start;
  await sign(socket, request);
  const signed = now() - start;
  socket.close();
  await launched;
  return [listening, greeted, signed];
}

async function starts() {
  await withDaemon(async (daemon) => {
    const all = [];
    for (let i = 0; i < rounds; i += 1) all.push(await startAgain(daemon));
    const [listening, greeted, signed] = [0, 1, 2].map((i) => all.map((each) => each[i]));
    row('start to listening', 'at most 100 ms', figure(listening, 'ms'), { met: median(listening) <= 100 });
    row('  start to the greeting of a page', '', figure(greeted, 'ms'));
    row('start to first signature', 'at most 1 s', figure(signed, 'ms'), { met: median(signed) <= 1000 });
  });
}

/** Xvfb without a window manager, and tests/bench/painted.cpp looking at it. */
async function withDisplay(work) {
  const server = spawn('Xvfb', ['-displayfd', '3', '-screen', '0', '1280x900x24', '-nolisten', 'tcp', '-noreset'],
    { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] });
  const display = `:${String(await once(server.stdio[3], 'data')).trim()}`;
  const watcher = spawn(path.join(programs, 'tamga-painted'), { env: { DISPLAY: display }, stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = readline.createInterface({ input: watcher.stdout })[Symbol.asyncIterator]();
  await lines.next();
  try {
    await work(display, async () => (await lines.next()).value.split(' ').map((ns) => Number(ns) / 1e6));
  } finally {
    watcher.kill();
    server.kill();
    await once(server, 'exit');
  }
}

/** A site that leaves again and again waits for its next window: each round is another site's. */
const sites = Array.from({ length: rounds }, (_, i) => `portal-${i}.test`);

async function windows() {
  await withDisplay((display, nextWindow) => withDaemon(async (daemon) => {
    const mapped = [];
    const painted = [];
    for (let i = 0; i < rounds; i += 1) {
      const socket = await daemon.connect({ origin: `https://${sites[i]}` });
      const start = now();
      socket.send(request);
      const [map, paint] = await nextWindow();
      mapped.push(map - start);
      painted.push(paint - start);
      socket.terminate();
      await until('the window to go', () => daemon.prompts().length === 0);
    }
    row('  request to mapped window', '', figure(mapped, 'ms'));
    row('request to painted window', 'at most 200 ms', figure(painted, 'ms'), { met: median(painted) <= 200 });
  }, {
    tamgad: path.join(process.env.TAMGA_BUILD, 'dev-libexec/tamgad'),
    config: `[origins]\nallow = ${JSON.stringify(sites)}\n`,
    env: { DISPLAY: display },
  }));
}

module.exports = async (only) => {
  if (only('start')) await starts();
  if (only('window')) await windows();
};
