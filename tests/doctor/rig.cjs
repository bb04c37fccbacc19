// A set-up in which nothing is the matter: the daemon with a SoftHSM2 token whose issuer is known, a pcscd of its own with
// two empty readers, services that answer, two browsers that trust, a screen. What a test breaks in it, it mends again.
'use strict';

const { execFile, execFileSync, spawn } = require('node:child_process');
const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');
const readline = require('node:readline');
const { promisify } = require('node:util');
const { Daemon, build, root, testFolder, until } = require('../e2e/support/daemon.cjs');
const { Services } = require('../e2e/support/services.cjs');

const run = promisify(execFile);

/** "TESTONLY" in its historical bytes: of no family. */
const unknownAtr = '3b8801544553544f4e4c598b';

/** Readers of the test's own, both empty; the first one's card is of no known kind, the second one's is a Kaztoken's. */
class EmptyReaders {
  static async start() {
    const readers = new EmptyReaders();
    readers.home = testFolder('doctor-readers');
    readers.folder = path.join(readers.home, 'pcscd');
    readers.env = { PCSCLITE_CSOCK_NAME: path.join(readers.folder, 'pcscd.comm') };
    readers.process = spawn(path.join(root, 'tests/card/readers'),
      [path.join(build, 'bin/virtual-readers'), readers.folder, unknownAtr, 'kaztoken'], { stdio: ['pipe', 'pipe', 'inherit'] });
    readers.ended = new Promise((resolve) => { readers.process.on('exit', resolve); });
    const lines = readline.createInterface({ input: readers.process.stdout })[Symbol.asyncIterator]();
    readers.next = async () => (await lines.next()).value;
    try {
      if (await readers.next() !== 'ready') throw new Error('virtual-readers is not ready');
      await readers.seen([true, true]);
      await readers.remove(0);
      await readers.remove(1);
    } catch (failure) {
      await readers.stop();
      throw failure;
    }
    return readers;
  }

  /** Which readers hold a card, as tamga-token sees it. */
  seen(cards) {
    return until(`the readers to be ${cards}`, async () => {
      const { stdout } = await run(path.join(build, 'bin/tamga-token'), ['--facts'], { env: { HOME: this.home, ...this.env } });
      return JSON.stringify([...stdout.matchAll(/^card = (\w+)$/mg)].map(([, card]) => card === 'true')) === JSON.stringify(cards);
    });
  }
  async say(verb, reader) {
    this.process.stdin.write(`${verb} ${reader}\n`);
    const answer = await this.next();
    if (answer !== 'ok') throw new Error(`${verb}: ${answer}`);
    this.cards = (this.cards ?? [true, true]).map((card, i) => (i === reader ? verb === 'insert' : card));
    await this.seen(this.cards);
  }
  insert(reader) { return this.say('insert', reader); }
  remove(reader) { return this.say('remove', reader); }

  async stop() {
    this.process.stdin.end();
    await this.ended;
    fs.rmSync(this.home, { recursive: true, force: true });
  }
}

class Rig {
  static async start() {
    const rig = new Rig();
    try { await rig.build(); } catch (failure) {
      await rig.stop();
      throw failure;
    }
    return rig;
  }

  async build() {
    this.readers = await EmptyReaders.start();
    this.services = await Services.start();
    this.config = `[origins]\nallow = ["portal.test"]\n${this.services.configuration()}`;
    this.daemon = await Daemon.start({ config: this.config, families: true, modules: '', env: this.readers.env });
    this.home = this.daemon.home;
    this.makeToken();
    this.write('.config/tamga/families.toml', Rig.families);
    await this.daemon.restart();
    this.services.list = Buffer.from('no list'); // OCSP and this answer, and nothing is learnt from them
    this.makeBrowsers();
    await this.makeScreen();
    this.makeSystemd();
    this.tamga('trust', '--install');
    this.tamga('ca', 'add', path.join(this.daemon.token, 'ca.pem'));
  }

  /** Every family, and no OpenSC: what it makes of a card that no driver knows takes its time. */
  static get families() {
    const all = fs.readFileSync(path.join(root, 'data/families.toml'), 'utf8');
    return all.slice(all.indexOf('[[family]]'));
  }

  makeToken() {
    execFileSync(path.join(root, 'tests/support/make_token'), [this.daemon.token], { env: { ...process.env, TOKEN_LABEL: 'Planted label' } });
    this.modules = fs.readFileSync(path.join(this.daemon.token, 'modules.toml'), 'utf8');
    this.write('.config/tamga/modules.toml', this.modules);
  }

  makeBrowsers() {
    this.write('.config/chromium/Default/Preferences', '{"profile":{"zoom":1.5}}');
    this.write('.mozilla/firefox/profiles.ini', '[Profile0]\nName=default\nIsRelative=1\nPath=test.default\n');
    fs.mkdirSync(this.file('.mozilla/firefox/test.default'));
  }

  async makeScreen() {
    this.screen = this.file('screen');
    this.screenServer = net.createServer((socket) => socket.end());
    await new Promise((resolve) => { this.screenServer.listen(this.screen, resolve); });
  }

  /** A systemctl that knows our service: as it says in `unit`, and which starts the daemon. journalctl tells `journal`. */
  makeSystemd() {
    this.unit = this.file('unit');
    this.journal = this.file('journal');
    fs.writeFileSync(this.journal, '');
    this.setUnit('not-found', 'inactive');
    const start = `env -i ${Object.entries(this.daemon.env).map(([name, value]) => `'${name}=${value}'`).join(' ')} setsid '${path.join(build, 'test-libexec/tamgad')}' --port ${this.daemon.port} </dev/null >>'${this.daemon.logFile}' 2>&1 & echo $! >'${this.file('pid')}'
until [ -S '${this.socket}' ] && grep -q 'address="127.0.0.1"' '${this.daemon.logFile}'; do sleep 0.05; done
printf 'LoadState=loaded\\nActiveState=active\\nResult=success\\n' >'${this.unit}'`;
    const stop = `[ -e '${this.file('pid')}' ] || echo ${this.daemon.process.pid} >'${this.file('pid')}'
kill $(cat '${this.file('pid')}') 2>/dev/null; while kill -0 $(cat '${this.file('pid')}') 2>/dev/null; do sleep 0.05; done; : >'${this.daemon.logFile}'`;
    this.program('systemctl', `case "$2" in\nshow) cat '${this.unit}';;\nstart)\n${start}\n;;\nrestart)\n${stop}\n${start}\n;;\nesac`);
    this.program('journalctl', `cat '${this.journal}'`);
  }
  setUnit(load, active) { fs.writeFileSync(this.unit, `LoadState=${load}\nActiveState=${active}\nResult=exit-code\n`); }

  /** Ends the daemon, whoever started it. */
  async stopDaemon() {
    const pids = [this.daemon.process.pid];
    if (fs.existsSync(this.file('pid'))) pids.push(Number(fs.readFileSync(this.file('pid'), 'utf8')));
    for (const pid of pids) { try { process.kill(pid, 'SIGTERM'); } catch { /* it has ended */ } }
    await until('the daemon to end', () => pids.every((pid) => {
      try { return fs.readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z '); } catch { return true; }
    }));
    fs.rmSync(this.file('pid'), { force: true });
  }
  async startDaemon() {
    fs.rmSync(this.daemon.logFile, { force: true });
    await this.daemon.launch();
    this.makeSystemd(); // which knows the daemon by its number
  }
  async restartDaemon() {
    await this.stopDaemon();
    await this.startDaemon();
  }

  file(name) { return path.join(this.home, name); }
  get socket() { return path.join(this.daemon.env.XDG_RUNTIME_DIR, 'tamga/api.sock'); }
  get tls() { return this.file('.local/state/tamga/tls'); }
  write(name, content, mode = 0o600) {
    fs.mkdirSync(path.dirname(this.file(name)), { recursive: true });
    fs.writeFileSync(this.file(name), content);
    fs.chmodSync(this.file(name), mode);
    return this.file(name);
  }
  program(name, script) { this.write(`bin/${name}`, `#!/bin/sh\n${script}\n`, 0o700); }

  get env() {
    return {
      PATH: `${this.file('bin')}:${process.env.PATH}`, HOME: this.home, XDG_RUNTIME_DIR: this.daemon.env.XDG_RUNTIME_DIR,
      WAYLAND_DISPLAY: this.screen, LANG: 'en_US.UTF-8', ...this.readers.env,
    };
  }
  /** A command of `tamga`, in English. */
  tamga(...args) { return execFileSync(path.join(build, 'bin/tamga'), ['--language', 'en', ...args], { env: this.env, encoding: 'utf8' }); }

  /**
   * Any command of `tamga` as it is, in another language, environment or place if `how` says so. Waits for it without
   * holding up what runs in this process.
   */
  run(args, { env = this.env, program = path.join(build, 'bin/tamga'), wrap = [], language = 'en' } = {}) {
    const [first, ...rest] = [...wrap, program, '--language', language, ...args];
    return new Promise((resolve) => {
      execFile(first, rest, { env, timeout: 90000, maxBuffer: 1 << 26 }, (failure, stdout, stderr) => {
        resolve({ status: failure ? failure.code : 0, words: stdout, complaints: stderr });
      });
    });
  }
  /** What the doctor says, with the exit code. */
  async doctor(how = {}, ...args) {
    const { status, words, complaints } = await this.run(['doctor', '--json', '--port', String(how.port ?? this.daemon.port), ...args], how);
    try { return { ...JSON.parse(words), status, complaints }; } catch { throw new Error(`${status}: ${words}${complaints}`); }
  }

  async stop() {
    if (this.daemon) {
      await this.stopDaemon();
      await this.daemon.stop();
    }
    this.screenServer?.close();
    await this.services?.stop();
    await this.readers?.stop();
  }
}

module.exports = { Rig, unknownAtr };
