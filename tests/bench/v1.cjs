// Rows about tamga.v1: a batch, and a sign-in that is remembered.
'use strict';

const crypto = require('node:crypto');
const { once } = require('node:events');
const fs = require('node:fs');
const WebSocket = require('ws');
const { portal } = require('../e2e/support/daemon.cjs');
const { alternate, bare: bareLoop, figure, median, row, spread, timed, withDaemon } = require('./support.cjs');
const { startPeer } = require('./peers.cjs');
const { Client } = require('../e2e/support/v1.cjs');
const { Logind } = require('../e2e/support/logind.cjs');

const noisy = 0.15;
const pairs = 9;
const document = (i) => Buffer.alloc(1024, `${i} `).toString('base64');

async function batch(daemon) {
  const count = 1000;
  const request = { purpose: 'document', format: 'cms', documents: Array.from({ length: count }, (_, i) => ({ content: document(i) })) };
  const client = await Client.connect(daemon);
  const [loop, ours] = await alternate(pairs, [
    async () => 1000 * (await bareLoop(daemon, 'loop', count))[0],
    () => timed(async () => {
      const { signatures } = await client.call('sign', request);
      if (signatures.length !== count) throw new Error(`${signatures.length} signatures`);
    }),
  ]);
  client.close();
  const ratio = median(loop) / median(ours);
  row('batch of 1,000 documents of 1 KB over tamga.v1, against a bare C_Sign loop', 'at least 0.85', figure(ours, 'ms', 0),
    { ratio: ratio.toFixed(2), met: ratio >= 0.85, valid: spread(loop) <= noisy });
}

/** One after another on one socket; `times` of them are one measurement. */
async function remembered(daemon) {
  const times = 200;
  const peer = await startPeer(daemon, 'kept');
  const [client, socket] = [await Client.connect(daemon), await peer.connect()];
  const authenticate = () => client.call('authenticate', { challenge: crypto.randomBytes(32).toString('base64') });
  // What the client itself costs is made alike: both requests lie ready, and no answer is taken apart.
  const challenge = crypto.randomBytes(32).toString('base64');
  const request = JSON.stringify({ jsonrpc: '2.0', id: 'again', method: 'authenticate', params: { challenge } });
  const bare = new WebSocket(daemon.url, ['tamga.v1'], { origin: portal, ca: fs.readFileSync(daemon.authority()) });
  await once(bare, 'open');
  const again = async () => {
    bare.send(request);
    const [answer] = await once(bare, 'message');
    if (!answer.includes('"result"')) throw new Error(answer.toString());
  };
  const repeated = (work) => () => timed(async () => { for (let i = 0; i < times; i += 1) await work(); });
  try {
    daemon.person('key first\npin 12345678\nremember\naccept\n');
    await authenticate();
    daemon.person('cancel\n'); // whoever is asked once more fails
    const [theirs, ours] = await alternate(pairs, [repeated(() => socket.ask([document(1)])), repeated(again)]);
    const ratio = median(theirs) / median(ours);
    const each = (all) => all.map((ms) => ms / times);
    row('peer, login kept: one bare signature', '', figure(each(theirs), 'ms', 2));
    row('remembered authenticate over tamga.v1, against that', 'at least 0.9', figure(each(ours), 'ms', 2),
      { ratio: ratio.toFixed(2), met: ratio >= 0.9, valid: spread(theirs) <= noisy });
  } finally {
    client.close();
    bare.close();
    socket.close();
    await peer.stop();
  }
}

module.exports = async (only) => {
  if (only('v1')) await withDaemon(batch);
  if (!only('remembered')) return;
  const logind = await Logind.start();
  try { await withDaemon(remembered, { env: logind.env }); } finally { await logind.stop(); }
};
