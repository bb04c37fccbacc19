// Measures everything, or the rows named: batch single several tokens start window hashing verifying idle cms xml beside
// streaming v1 remembered.
'use strict';

const os = require('node:os');
const { printTable } = require('./support.cjs');

const named = process.argv.slice(2);
const only = (name) => named.length === 0 || named.includes(name);

(async () => {
  console.log(`${os.cpus().length} x ${os.cpus()[0].model}, Node ${process.version}, load ${os.loadavg()[0].toFixed(2)} at the start`);
  for (const part of ['./speed.cjs', './tokens.cjs', './start.cjs', './hashing.cjs', './verifying.cjs', './memory.cjs', './streaming.cjs', './v1.cjs']) await require(part)(only);
  printTable();
  console.log(`load ${os.loadavg()[0].toFixed(2)} at the end`);
})();
