// Everything a demo makes lies in one folder, which goes when it ends, however it ends.
'use strict';

const fs = require('node:fs');
const { children, testFolder, until } = require('../e2e/support/daemon.cjs');

function cleanUp() {
  // Who looks at the first lines alone (`./dev demo | head`) does not stop the rest, which cleans up after itself.
  process.stdout.on('error', () => {});
  process.env.TAMGA_TEST_HOME = testFolder('demo');
  process.env.TMPDIR = process.env.TAMGA_TEST_HOME;
  process.on('exit', () => fs.rmSync(process.env.TAMGA_TEST_HOME, { recursive: true, force: true }));
  const own = () => Object.values(children(process.pid)).flat();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.once(signal, async () => {
      for (const pid of own()) process.kill(pid, 'SIGTERM');
      await until('our processes to end', () => own().length === 0).catch(() => {});
      process.exit(130);
    });
  }
}

module.exports = { cleanUp };
