// Debian's Firefox, driven through the protocol it speaks itself: Marionette, `length:[0, id, command, parameters]` over
// TCP. Its page has `evaluate`, as Playwright's have, so that browser.cjs serves both.
'use strict';

const { execFileSync, spawn } = require('node:child_process');
const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');
const { names } = require('./browser.cjs');
const { until } = require('./daemon.cjs');

const patience = 60000;
const preferences = {
  'marionette.port': 0, // one that is free; Firefox writes it into its profile
  'network.dns.localDomains': names.join(),
  'browser.shell.checkDefaultBrowser': false,
  'browser.aboutwelcome.enabled': false,
  'datareporting.policy.dataSubmissionEnabled': false,
  'app.update.auto': false,
  'extensions.update.enabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
};

/** The words between us and Firefox; `ask` resolves with the answer of its own question. */
class Marionette {
  static connect(port) {
    return new Promise((resolve, reject) => {
      const marionette = new Marionette();
      marionette.waiting = new Map();
      marionette.asked = 0;
      marionette.socket = net.connect(port, '127.0.0.1');
      marionette.socket.once('error', reject);
      marionette.socket.on('close', () => {
        for (const { lost } of marionette.waiting.values()) lost(new Error('Firefox went away'));
      });
      let unread = Buffer.alloc(0);
      marionette.socket.on('data', (data) => {
        unread = Buffer.concat([unread, data]);
        for (let colon = unread.indexOf(':'); colon >= 0; colon = unread.indexOf(':')) {
          const end = colon + 1 + Number(unread.subarray(0, colon));
          if (unread.length < end) return;
          const message = JSON.parse(unread.subarray(colon + 1, end));
          unread = unread.subarray(end);
          if (Array.isArray(message)) marionette.hear(message); else resolve(marionette); // its greeting
        }
      });
    });
  }

  hear([, id, error, answer]) {
    const { heard, lost } = this.waiting.get(id);
    this.waiting.delete(id);
    if (error) lost(new Error(`${error.error}: ${error.message}`)); else heard(answer);
  }

  ask(command, parameters = {}) {
    this.asked += 1;
    const text = Buffer.from(JSON.stringify([0, this.asked, command, parameters]));
    return new Promise((heard, lost) => {
      this.waiting.set(this.asked, { heard, lost });
      this.socket.write(`${text.length}:`);
      this.socket.write(text);
    });
  }
}

class Firefox {
  /** A profile in `home` as Firefox makes one, with its store of certificates; `tamga trust` finds it. */
  static makeProfile(home, more = {}) {
    const folder = path.join(home, '.mozilla/firefox');
    const profile = path.join(folder, 'test.default');
    fs.mkdirSync(profile, { recursive: true, mode: 0o700 });
    fs.writeFileSync(path.join(folder, 'profiles.ini'), '[Profile0]\nName=default\nIsRelative=1\nPath=test.default\nDefault=1\n');
    fs.writeFileSync(path.join(profile, 'user.js'), Object.entries({ ...preferences, ...more })
      .map(([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`).join(''));
    execFileSync('certutil', ['-d', `sql:${profile}`, '-N', '--empty-password']);
    return profile;
  }

  /** Starts Firefox, without a window unless `display` (DISPLAY, XAUTHORITY) is given, as the person whose home is `home`, with the profile made there. */
  static async launch(home, { display } = {}) {
    const profile = path.join(home, '.mozilla/firefox/test.default');
    const portFile = path.join(profile, 'MarionetteActivePort');
    fs.rmSync(portFile, { force: true });
    const firefox = new Firefox();
    firefox.process = spawn('/usr/bin/firefox-esr',
      [...(display ? [] : ['--headless']), '--marionette', '--no-remote', '--profile', profile, 'about:blank'],
      { env: { PATH: process.env.PATH, HOME: home, LANG: 'en_US.UTF-8', MOZ_CRASHREPORTER_DISABLE: '1', ...display }, stdio: 'ignore' });
    firefox.ended = new Promise((resolve) => { firefox.process.once('exit', resolve); });
    try {
      const port = await until('Firefox to say its port', () => {
        if (firefox.process.exitCode !== null) throw new Error(`Firefox ended with ${firefox.process.exitCode}`);
        return fs.existsSync(portFile) && Number(fs.readFileSync(portFile, 'utf8'));
      }, patience);
      firefox.marionette = await Marionette.connect(port);
      await firefox.marionette.ask('WebDriver:NewSession', { capabilities: { alwaysMatch: { acceptInsecureCerts: false } } });
    } catch (failure) {
      await firefox.close();
      throw failure;
    }
    return firefox;
  }

  goto(url) { return this.marionette.ask('WebDriver:Navigate', { url }); }

  /** Runs a function, which sees nothing of this file, in the page; gives what it, or its promise, gives. */
  async evaluate(action, argument) {
    const { value } = await this.marionette.ask('WebDriver:ExecuteAsyncScript', {
      script: `const [argument, done] = arguments;
        (async () => (${action})(argument))().then((value) => done({ value }), (error) => done({ error: String(error) }));`,
      args: [argument ?? null], scriptTimeout: patience, newSandbox: false,
    });
    if (value.error) throw new Error(value.error);
    return value.value;
  }

  /** The person's answer, granted or denied, to whether this page's site may reach programs on this computer. */
  decide(state) { return this.marionette.ask('WebDriver:SetPermission', { descriptor: { name: 'loopback-network' }, state }); }

  /** What is to be seen, as PNG. */
  async screenshot() {
    return Buffer.from((await this.marionette.ask('WebDriver:TakeScreenshot', { full: false })).value, 'base64');
  }

  async close() {
    this.marionette?.socket.destroy();
    if (this.process.exitCode === null && this.process.signalCode === null) this.process.kill('SIGTERM');
    await this.ended;
  }
}

module.exports = { Firefox };
