// The programs that judge and issue: openssl (with gost-engine) and xmlsec1, each run as a child in a folder of its own
// which goes when it ended. Nothing here is Tamga's.
'use strict';

const { execFile } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const environment = { ...process.env, OPENSSL_CONF: path.resolve(__dirname, '../data/gost.cnf') };

/** The program ended with a failure; `message` is what it said. */
class ToolFailed extends Error {}

class Workbench {
  constructor() { this.folder = fs.mkdtempSync(path.join(os.tmpdir(), 'portal-')); }
  /** Writes `content` to a file and gives its path. */
  file(name, content) {
    const place = path.join(this.folder, name);
    if (content !== undefined) fs.writeFileSync(place, content, { mode: 0o600 });
    return place;
  }
  read(name) { return fs.readFileSync(path.join(this.folder, name)); }

  /** Runs a program, at most two minutes; resolves with what it printed: { stdout, stderr }. */
  both(program, ...args) {
    return new Promise((resolve, reject) => {
      const options = { cwd: this.folder, env: environment, encoding: 'buffer', timeout: 120_000, maxBuffer: 1 << 26 };
      execFile(program, args, options, (failure, stdout, stderr) => {
        if (failure) reject(new ToolFailed(`${program} ${args[0]}: ${stderr.toString().trim() || failure.message}`));
        else resolve({ stdout, stderr: stderr.toString() });
      });
    });
  }
  async run(program, ...args) { return (await this.both(program, ...args)).stdout; }
  openssl(...args) { return this.run('openssl', ...args); }
  close() { fs.rmSync(this.folder, { recursive: true, force: true }); }
}

/** Gives `work` a workbench for as long as it takes. */
async function atWorkbench(work) {
  const bench = new Workbench();
  try { return await work(bench); } finally { bench.close(); }
}

module.exports = { ToolFailed, atWorkbench };
