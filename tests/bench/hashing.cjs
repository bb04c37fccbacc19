// Rows about digests: ours beside `openssl speed`, which has the same code under it, so that what is ours shows.
'use strict';

const { execFile } = require('node:child_process');
const path = require('node:path');
const { promisify } = require('node:util');
const { alternate, figure, median, programs, row, spread } = require('./support.cjs');

const run = promisify(execFile);
const rounds = 9;
const noisy = 0.15;
const environment = { ...process.env, OPENSSL_CONF: path.join(__dirname, '../data/gost.cnf') };

const ours = (name) => async () => Number((await run(path.join(programs, 'tamga-hashing'), [name])).stdout) / 1e6;
/** "+F:22:sha256:511705088.00": octets a second in the last field. */
const theirs = (name) => async () => {
  const { stdout } = await run('openssl', ['speed', '-mr', '-seconds', '1', '-bytes', '16384', '-evp', name], { env: environment });
  return Number(stdout.match(/^\+F:.*:([\d.]+)$/m)[1]) / 1e6;
};

module.exports = async (only) => {
  if (!only('hashing')) return;
  for (const [title, own, other] of [['SHA-256', 'sha256', 'sha256'], ['Streebog-512', 'streebog512', 'md_gost12_512']]) {
    const [mine, speed] = await alternate(rounds, [ours(own), theirs(other)]);
    const ratio = (median(mine) / median(speed)).toFixed(2);
    row(`  openssl speed ${other}, 16 KiB`, '', figure(speed, 'MB/s', 0));
    row(`${title}, 16 KiB, against that`, 'at least 0.9', figure(mine, 'MB/s', 0),
      { ratio, met: Number(ratio) >= 0.9, valid: spread(speed) <= noisy });
  }
};
