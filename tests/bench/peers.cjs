// Starts the peers (peer.cjs) beside a daemon, on its token and with its TLS certificate, and speaks to them.
'use strict';

const { spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const WebSocket = require('ws');
const { module_, pin } = require('./support.cjs');

async function startPeer(daemon, mode) {
  const tls = path.dirname(daemon.authority());
  const child = spawn(process.execPath, [path.join(__dirname, 'peer.cjs'), mode], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { PEER_MODULE: module_, PEER_PIN: pin, PEER_KEY: path.join(tls, 'key.pem'), PEER_CHAIN: path.join(tls, 'chain.pem'),
      SOFTHSM2_CONF: path.join(daemon.token, 'softhsm2.conf') },
  });
  const [port] = await Promise.race([once(child.stdout, 'data'),
    once(child, 'exit').then(([code]) => { throw new Error(`peer ${mode} ended with ${code}`); })]);
  const ca = fs.readFileSync(daemon.authority());
  return {
    /** A socket whose `ask` sends documents and resolves with their signatures, one question at a time or several. */
    async connect() {
      const socket = new WebSocket(`wss://127.0.0.1:${Number(port)}`, { ca });
      const waiting = [];
      socket.on('message', (text) => waiting.shift()(JSON.parse(text).signatures));
      await once(socket, 'open');
      socket.ask = (documents) => new Promise((heard) => {
        waiting.push(heard);
        socket.send(JSON.stringify({ documents }));
      });
      return socket;
    },
    async stop() {
      child.kill();
      await once(child, 'exit');
    },
  };
}

module.exports = { startPeer };
