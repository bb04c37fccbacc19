// A systemd-logind of the test's own (tests/support/fake_logind.cpp): what is remembered ends when it says that the
// person went away.
'use strict';

const { spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const readline = require('node:readline');
const { build, testFolder } = require('./daemon.cjs');

class Logind {
  static async start() {
    const logind = new Logind();
    logind.folder = testFolder('bus');
    logind.process = spawn(path.join(build, 'bin/tamga-fake-logind'), [logind.folder], { stdio: ['pipe', 'pipe', 'inherit'] });
    logind.lines = readline.createInterface({ input: logind.process.stdout });
    logind.env = { DBUS_SYSTEM_BUS_ADDRESS: `unix:path=${path.join(logind.folder, 'bus')}` };
    await once(logind.lines, 'line');
    return logind;
  }
  /** lock, hint, sleep, leave, end, present; resolves when it was said. */
  async say(what) {
    const said = once(this.lines, 'line');
    this.process.stdin.write(`${what}\n`);
    await said;
  }
  async stop() {
    this.process.stdin.end();
    await once(this.process, 'exit');
    fs.rmSync(this.folder, { recursive: true, force: true });
  }
}

module.exports = { Logind };
