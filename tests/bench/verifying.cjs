// Rows about verification: a stamped CMS with a chain of three certificates, by one processor.
'use strict';

const { execFile } = require('node:child_process');
const path = require('node:path');
const { promisify } = require('node:util');
const { alternate, figure, programs, row } = require('./support.cjs');

const run = promisify(execFile);
const rounds = 3;
const verifying = (name) => async () => Number((await run(path.join(programs, 'tamga-verifying'), [name])).stdout);

module.exports = async (only) => {
  if (!only('verifying')) return;
  const [rsa, gost] = await alternate(rounds, [verifying('rsa'), verifying('gost512')]);
  row('stamped CMS with RSA-2048, verified', '', figure(rsa, '/s', 0));
  row('stamped CMS with GOST-512, verified', '', figure(gost, '/s', 0));
};
