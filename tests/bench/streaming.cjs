// A document of 1 GB over tamga.v1, against a bare Beast server that does nothing but hash it.
'use strict';

const { spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const readline = require('node:readline');
const WebSocket = require('ws');
const { alternate, figure, median, programs, row, spread, statusField, timed, withDaemon } = require('./support.cjs');

const MB = 1 << 20;
const octets = 1024 * MB;
const block = Buffer.alloc(MB, 'a document ');
const unmasked = { generateMask: (mask) => mask.fill(0) }; // a mask of zeros, which the client need not apply: it is not measured

async function sendAll(socket) {
  for (let sent = 0; sent < octets; sent += MB) await new Promise((done) => { socket.send(block, done); });
}

/** One call of tamga.v1 on a socket that is asked nothing else meanwhile. */
async function call(socket, method, params) {
  socket.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }));
  const { result, error } = JSON.parse((await once(socket, 'message'))[0].toString());
  if (error) throw new Error(JSON.stringify(error));
  return result;
}

module.exports = async (only) => {
  if (!only('streaming')) return;
  await withDaemon(async (daemon) => {
    const ca = fs.readFileSync(daemon.authority());
    const folder = path.dirname(daemon.authority());
    const [chain, key] = ['chain.pem', 'key.pem'].map((name) => path.join(folder, name));
    const sink = spawn(path.join(programs, 'tamga-bare-sink'), [chain, key], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [port] = await once(readline.createInterface({ input: sink.stdout }), 'line');
    const bare = new WebSocket(`wss://127.0.0.1:${port}`, { ca, ...unmasked });
    const ours = new WebSocket(daemon.url, 'tamga.v1', { ca, origin: 'https://portal.test', ...unmasked });
    await Promise.all([once(bare, 'open'), once(ours, 'open')]);
    const web = daemon.pids()['tamga-web'][0];
    const before = statusField(web, 'VmRSS');
    fs.writeFileSync(`/proc/${web}/clear_refs`, '5');
    let digests = [];
    const [alone, streamed] = await alternate(5, [
      () => timed(async () => {
        await sendAll(bare);
        bare.send('digest');
        digests = [(await once(bare, 'message'))[0].toString()];
      }),
      () => timed(async () => {
        const { upload } = await call(ours, 'upload.begin', { size: octets, digests: ['sha256'] });
        await sendAll(ours);
        digests.push((await call(ours, 'upload.end', { upload })).digests.sha256);
        await call(ours, 'upload.drop', { upload });
        if (digests[0] !== digests[1]) throw new Error('another digest');
      }),
    ]);
    const grown = (statusField(web, 'VmHWM') - before) / 1024;
    sink.kill();
    bare.terminate();
    ours.terminate();
    const valid = spread(alone) <= 0.15;
    const ratio = median(alone) / median(streamed);
    row('bare Beast server, 1 GB hashed', 'quartiles within 15 %', figure(alone, 'ms', 0), { valid });
    row('upload of 1 GB over tamga.v1, against that', 'at least 0.9', figure(streamed, 'ms', 0), { ratio: ratio.toFixed(2), met: ratio >= 0.9, valid });
    row('  growth of tamga-web meanwhile', 'at most 32 MB', `${grown.toFixed(1)} MB`, { met: grown <= 32 });
  });
};
