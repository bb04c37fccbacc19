// Starts the whole product for a test: tamgad from test-libexec (whose tamga-prompt follows a script), in a home of its
// own, on a free port, with a throw-away SoftHSM2 token. Nothing of it survives `stop`.
'use strict';

const { execFileSync, spawn, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const WebSocket = require('ws');

const root = path.resolve(__dirname, '../../..');
const build = process.env.TAMGA_BUILD || path.join(root, 'build/dev');
const portal = 'https://portal.test';

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = net.createServer();
    probe.on('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

/** A new folder. Under the home folder, not /tmp: configuration and modules must not lie where others can write. */
function testFolder(name) {
  const base = process.env.TAMGA_TEST_HOME || path.join(os.homedir(), '.cache/tamga-tests');
  fs.mkdirSync(base, { recursive: true, mode: 0o700 });
  return fs.mkdtempSync(path.join(base, `${name}-`));
}

/** Polls `look` until it gives something truthy; fails with `what` after `ms`. */
async function until(what, look, ms = 20000) {
  for (const deadline = Date.now() + ms; ;) {
    const seen = await look();
    if (seen) return seen;
    if (Date.now() > deadline) throw new Error(`timed out waiting for ${what}`);
    await new Promise((resolve) => { setTimeout(resolve, 20); });
  }
}

/** Children of a process, by the name of their program. */
function children(pid) {
  const found = {};
  for (const entry of fs.readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const stat = fs.readFileSync(`/proc/${entry}/stat`, 'utf8');
      const [, name, rest] = stat.match(/\((.*)\) (.*)/s);
      if (Number(rest.split(' ')[1]) === pid) (found[name] ||= []).push(Number(entry));
    } catch { /* it ended meanwhile */ }
  }
  return found;
}

class Daemon {
  /**
   * @param options.script   lines for the scripted prompt: what the person does
   * @param options.config   tamga.toml; by default it allows https://portal.test
   * @param options.modules  modules.toml; by default one SoftHSM2 token with two RSA keys
   * @param options.families the shipped families.toml, if true; without `modules` nothing else is configured
   * @param options.tokenEnv environment of tests/support/make_token (TOKEN_KEY=ec ...)
   * @param options.gost     instead of SoftHSM2 a GOST token: order and kinds for tests/support/make_gost_token.cpp
   * @param options.wrap     command to start tamgad by: it gets program and arguments as its own last ones
   * @param options.tamgad   another launcher than test-libexec/tamgad
   * @param options.patience how many ms it may take until a page could connect
   * @throws Error with the log, nothing being left behind, where that takes longer
   */
  static async start(options = {}) {
    const daemon = new Daemon();
    daemon.home = testFolder('e2e');
    daemon.token = path.join(daemon.home, 'token');
    daemon.promptLog = path.join(daemon.home, 'prompt.log');
    daemon.scriptFile = path.join(daemon.home, 'script');
    const config = path.join(daemon.home, '.config/tamga');
    const run = path.join(daemon.home, 'run');
    fs.mkdirSync(config, { recursive: true });
    fs.mkdirSync(run, { mode: 0o700 });
    if (options.gost) {
      fs.mkdirSync(daemon.token);
      execFileSync(path.join(build, 'bin/tamga-make-gost-token'), [daemon.token, ...options.gost]);
      fs.copyFileSync(path.join(daemon.token, 'modules.toml'), path.join(config, 'modules.toml'));
    } else if (options.modules !== undefined) {
      fs.writeFileSync(path.join(config, 'modules.toml'), options.modules);
    } else if (!options.families) {
      execFileSync(path.join(root, 'tests/support/make_token'), [daemon.token],
        { env: { ...process.env, ...options.tokenEnv } });
      fs.copyFileSync(path.join(daemon.token, 'modules.toml'), path.join(config, 'modules.toml'));
    }
    if (options.families) fs.copyFileSync(path.join(root, 'data/families.toml'), path.join(config, 'families.toml'));
    fs.writeFileSync(path.join(config, 'tamga.toml'), options.config ?? '[origins]\nallow = ["portal.test"]\n');
    daemon.person(options.script ?? 'key first\npin 12345678\naccept\n');
    daemon.port = await freePort();
    daemon.env = {
      PATH: process.env.PATH, HOME: daemon.home, XDG_RUNTIME_DIR: run, LANG: 'en_US.UTF-8',
      TAMGA_PROMPT_SCRIPT: daemon.scriptFile, TAMGA_PROMPT_LOG: daemon.promptLog, ...options.env,
    };
    daemon.wrap = options.wrap ?? [];
    try { await daemon.launch(options.tamgad, options.patience); } catch (failure) {
      const log = daemon.log();
      await daemon.stop();
      throw new Error(`${failure.message}\n${log}`);
    }
    return daemon;
  }

  async launch(tamgad = path.join(build, 'test-libexec/tamgad'), patience = undefined) {
    this.logFile = path.join(this.home, 'log');
    const log = fs.openSync(this.logFile, 'a');
    const [program, ...first] = [...this.wrap, tamgad];
    this.process = spawn(program, [...first, '--port', String(this.port)], { env: this.env, stdio: ['ignore', log, log] });
    fs.closeSync(log);
    let failure;
    this.ended = new Promise((resolve) => {
      this.process.on('exit', (code, signal) => resolve({ code, signal }));
      this.process.on('error', (error) => { failure = error; resolve({ code: null, signal: null }); });
    });
    await until('tamgad to listen', () => new Promise((resolve) => {
      if (failure) throw failure;
      if (this.process.exitCode !== null) throw new Error('tamgad ended');
      if (!this.log().includes('address="127.0.0.1"')) return resolve(false);
      const probe = net.connect(this.port, '127.0.0.1', () => { probe.destroy(); resolve(true); });
      probe.on('error', () => resolve(false));
      return undefined;
    }), patience);
  }

  /** What the person does from now on (tests/support/scripted_prompt.cpp). */
  person(script) { fs.writeFileSync(this.scriptFile, script); }
  /** What the person was shown, oldest first: each window with its `keys` (as last asked) and its `errors`. */
  shown() {
    const windows = [];
    if (!fs.existsSync(this.promptLog)) return windows;
    for (const line of fs.readFileSync(this.promptLog, 'utf8').split('\n').filter(Boolean)) {
      const { event, ...seen } = JSON.parse(line);
      const window = windows.at(-1);
      if (event === 'show') windows.push({ ...seen, errors: [], asked: 0 });
      if (event === 'ask') {
        window.keys = seen.keys;
        window.asked += 1;
        if (seen.error) window.errors.push(seen.error);
      }
      if (event === 'tell') window.errors.push(seen.words);
    }
    return windows;
  }
  log() { return fs.existsSync(this.logFile) ? fs.readFileSync(this.logFile, 'utf8') : ''; }
  /** PEM file of the authority that issued our TLS certificate. */
  authority() {
    const tls = path.join(this.home, '.local/state/tamga/tls');
    const generation = fs.readdirSync(tls, { withFileTypes: true }).filter((entry) => entry.isDirectory())[0].name;
    return path.join(tls, generation, 'ca.pem');
  }
  /** The command `tamga` as the person of this home, in English unless they say otherwise: its exit code and its words. */
  tamga(...args) {
    const language = args[0] === '--language' ? [] : ['--language', 'en'];
    const { status, stdout } = spawnSync(path.join(build, 'bin/tamga'), [...language, ...args],
      { env: { PATH: process.env.PATH, HOME: this.home }, encoding: 'utf8' });
    return { status, words: stdout };
  }
  get url() { return `wss://127.0.0.1:${this.port}`; }
  pids() { return children(this.process.pid); }

  /** The prompts that serve a request. A spare one has its control channel and nothing else. */
  prompts() {
    return (this.pids()['tamga-prompt'] ?? []).filter((pid) => {
      try { return fs.readdirSync(`/proc/${pid}/fd`).length > 4; } catch { return false; }
    });
  }

  /** A WebSocket that has said its greeting; `ask(text or object)` sends and resolves with the next text. */
  connect({ origin = portal, url = this.url, headers = {} } = {}) {
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(url, { origin, headers, ca: fs.readFileSync(this.authority()), maxPayload: 1 << 29 });
      const received = [];
      const waiting = [];
      socket.on('message', (data) => {
        const text = data.toString();
        if (waiting.length) waiting.shift().heard(text); else received.push(text);
      });
      socket.next = () => (received.length ? Promise.resolve(received.shift())
        : new Promise((heard, lost) => { waiting.push({ heard, lost }); }));
      socket.on('close', (code) => { for (const { lost } of waiting.splice(0)) lost(new Error(`closed with ${code}`)); });
      socket.ask = (request) => {
        socket.send(typeof request === 'string' ? request : JSON.stringify(request));
        return socket.next();
      };
      socket.closed = new Promise((done) => { socket.once('close', (code) => done(code)); });
      socket.on('error', reject);
      socket.on('unexpected-response', (request, response) => {
        reject(Object.assign(new Error(`HTTP ${response.statusCode}`), { status: response.statusCode }));
        request.destroy();
      });
      socket.on('open', async () => { socket.greeting = await socket.next(); resolve(socket); });
    });
  }

  /** Ends the whole product and starts it again in the same home. */
  async restart() {
    this.process.kill('SIGTERM');
    await this.ended;
    fs.rmSync(this.logFile);
    await this.launch();
  }

  async stop() {
    if (this.process.exitCode === null && this.process.signalCode === null) this.process.kill('SIGTERM');
    const end = await this.ended;
    fs.rmSync(this.home, { recursive: true, force: true });
    return end;
  }
}

/** A scratch file holding `content`, for command-line verifiers. */
function scratch(daemon, name, content) {
  const file = path.join(daemon.home, name);
  fs.writeFileSync(file, content);
  return file;
}

/** `openssl cms -verify -cades` on a DER CMS; gives its content, throws with OpenSSL's words where it refuses. */
function verifyCms(daemon, der, content) {
  const args = ['cms', '-verify', '-cades', '-binary', '-inform', 'DER', '-in', scratch(daemon, 'check.cms', der),
    '-CAfile', path.join(daemon.token, 'ca.pem'), '-purpose', 'any'];
  if (content !== undefined) args.push('-content', scratch(daemon, 'check.content', content));
  return execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'pipe'] });
}

/** `xmlsec1 --verify` on signed XML; throws where it refuses. */
function verifyXml(daemon, xml, args = []) {
  execFileSync('xmlsec1', ['--verify', '--trusted-pem', path.join(daemon.token, 'ca.pem'), ...args,
    scratch(daemon, 'check.xml', xml)], { stdio: ['ignore', 'pipe', 'pipe'] });
}

function fromPem(pem) {
  return Buffer.from(pem.replace(/-----[A-Z ]+-----/g, ''), 'base64');
}

/** A request to NCALayer's `basics` module: sign `data` with whatever key fits. */
function basics(data, signingParams = { decode: true }, format = 'cms') {
  return {
    module: 'kz.gov.pki.knca.basics', method: 'sign',
    args: { allowedStorages: null, format, data, signingParams, signerParams: { extKeyUsageOids: [] } },
  };
}

module.exports = { Daemon, basics, build, children, freePort, fromPem, portal, root, scratch, testFolder, until, verifyCms, verifyXml };
