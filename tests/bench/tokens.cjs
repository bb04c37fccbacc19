// Rows about tokens as slow as real ones: the fake module sleeps 100 ms in each C_Sign.
'use strict';

const { execFile } = require('node:child_process');
const path = require('node:path');
const { promisify } = require('node:util');
const { alternate, basics, figure, median, programs, row, sign, timed } = require('./support.cjs');
const { fakeTokens, pin } = require('../e2e/support/fake_tokens.cjs');
const { until } = require('../e2e/support/daemon.cjs');

const slow = 'delay C_Sign 100';
const documents = (count) => Array.from({ length: count }, (_, i) => Buffer.alloc(1024, `${i} `).toString('base64'));

/** The bare C_Sign loop of the same module: the seconds of `count` signatures. */
async function bareLoop(tokens, count) {
  const { stdout } = await promisify(execFile)(path.join(programs, 'tamga-bare-loop'), [tokens.module, pin, 'loop', String(count), '0'],
    { env: { TAMGA_FAKE_PKCS11: tokens.file('knobs') } });
  return Number(stdout);
}

async function oneToken() {
  const count = 50;
  const tokens = await fakeTokens(['one'], { lines: slow });
  try {
    const socket = await tokens.daemon.connect();
    const request = basics(documents(count));
    const [loop, ours] = await alternate(3, [
      async () => 1000 * await bareLoop(tokens, count),
      () => timed(() => sign(socket, request, count)),
    ]);
    socket.close();
    const ratio = median(ours) / median(loop);
    row('bare C_Sign loop on a token that takes 100 ms, 50 digests', '', figure(loop, 'ms', 0));
    row('batch of 50 documents on it, against that loop', 'at most 1.03', figure(ours, 'ms', 0),
      { ratio: ratio.toFixed(3), met: ratio <= 1.03 });
  } finally { await tokens.stop(); }
}

async function twoTokens() {
  const count = 40;
  const tokens = await fakeTokens(['left', 'right'], { lines: slow });
  try {
    const sockets = [await tokens.daemon.connect(), await tokens.daemon.connect()];
    const request = basics(documents(count));
    const begin = (i) => {
      tokens.daemon.person(`key subject=${['left', 'right'][i]}\npin ${pin}\naccept\n`);
      return sign(sockets[i], request, count);
    };
    const one = () => timed(() => begin(0));
    const both = () => timed(async () => {
      const before = tokens.calls('C_Login');
      const first = begin(0);
      await until('the first to be at its token', () => tokens.calls('C_Login') > before);
      await Promise.all([first, begin(1)]);
    });
    const [single, together] = await alternate(3, [one, both]);
    for (const socket of sockets) socket.close();
    const ratio = 2 * median(single) / median(together);
    row('40 documents on a token that takes 100 ms', '', figure(single, 'ms', 0));
    row('40 on each of two such tokens at once, against one', 'at least 1.9', figure(together, 'ms', 0),
      { ratio: ratio.toFixed(2), met: ratio >= 1.9 });
  } finally { await tokens.stop(); }
}

module.exports = async (only) => {
  if (!only('tokens')) return;
  await oneToken();
  await twoTokens();
};
