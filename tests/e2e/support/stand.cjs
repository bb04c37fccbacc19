// The reference portal's visitor with everything of the product: a daemon that knows the portal, its services and its
// authority, and Chromium as the same person.
'use strict';

const { execFile } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { Daemon, build } = require('./daemon.cjs');
const { Publisher, sample } = require('./publisher.cjs');
const { prepare, start } = require('./visitor.cjs');

const patience = 60_000;
const pictures = path.join(build, 'pictures');

/**
 * The command `tamga` of a daemon's person, while a portal in this process goes on answering. Whatever it asks is answered with no.
 * Gives what it printed; rejects where it fails.
 */
function command(daemon, ...args) {
  const { HOME, XDG_RUNTIME_DIR, PATH } = daemon.env;
  return new Promise((resolve, reject) => {
    const child = execFile(path.join(build, 'bin/tamga'), ['--language', 'en', ...args], { env: { HOME, XDG_RUNTIME_DIR, PATH }, timeout: patience },
      (failure, stdout, stderr) => (failure ? reject(new Error(`tamga ${args.join(' ')}: ${stdout}${stderr}${daemon.log()}`)) : resolve(stdout)));
    child.stdin.on('error', () => {}); // it asked nothing, and is gone
    child.stdin.end('no\nno\nno\nno\n');
  });
}

class Stand {
  /**
   * @param portal   as startPortal of tests/portal/support gives it, under the name portal.test
   * @param options  of Daemon.start
   * @param kind     whose authority of the portal the daemon asks for time-stamps and about revocation
   */
  static async start(portal, sites, options, kind = 'rsa') {
    const stand = new Stand();
    stand.portal = portal;
    const host = new URL(portal.origin).host;
    stand.daemon = await Daemon.start({ config: `[origins]\nallow = ["${host}"]\n${portal.configuration(kind)}`, ...options });
    portal.tamga = stand.daemon.port;
    const publisher = new Publisher(stand.daemon);
    publisher.introduce();
    publisher.publish(sample.replaceAll('"services.portal.test"', `"${host}"`));
    for (const authority of Object.values(portal.authorities)) {
      for (const office of ['root', 'issuer']) stand.daemon.tamga('ca', 'add', authority.path(`${office}.pem`));
    }
    prepare('Chromium', stand.daemon.home, sites);
    stand.daemon.tamga('trust', '--install');
    stand.visitor = await start('Chromium', stand.daemon.home);
    stand.page = stand.visitor.page;
    stand.page.setDefaultTimeout(patience);
    return stand;
  }

  async stop() {
    await this.visitor?.close();
    await this.daemon?.stop();
  }

  /** As `command`, by this person. */
  tamga(...args) { return command(this.daemon, ...args); }

  /** A file in the person's home, with this content where some is given: its path. */
  file(name, content) {
    const place = path.join(this.daemon.home, name);
    if (content !== undefined) fs.writeFileSync(place, content);
    return place;
  }

  /** A new visit of nobody. */
  async visit(place) {
    await this.page.context().clearCookies();
    await this.page.context().addCookies([{ name: 'language', value: 'en', url: this.portal.origin }]);
    await this.page.goto(`${this.portal.origin}${place}`);
  }
  /** Presses a button, and waits for the page that follows. */
  async press(name, next) {
    await Promise.all([this.page.waitForURL(next), this.page.getByRole('button', { name, exact: true }).click()]);
  }
  async picture(name) {
    fs.mkdirSync(pictures, { recursive: true });
    fs.writeFileSync(path.join(pictures, `portal-${name}.png`), await this.page.screenshot({ fullPage: true }));
  }
  /** The code of the last message from 1414 to somebody. */
  code(login) {
    return this.portal.store.one('SELECT m.text FROM messages m JOIN people p USING (phone) WHERE login = ? ORDER BY id DESC', login).text.slice(0, 6);
  }
  heading() { return this.page.locator('h1').textContent(); }
  state() { return this.page.locator('[data-state]').first().getAttribute('data-state'); }
  who() { return this.page.locator('.who').textContent(); }
  /** What the page says beside its button when the daemon gave no signature. */
  reason() { return this.page.locator('.outcome[data-reason]').getAttribute('data-reason'); }

  /** With the simulated application, in another tab in the place of a telephone. */
  async signInByQr(login) {
    await this.visit('/sign-in');
    const phone = await this.page.context().newPage();
    await phone.goto(`${this.portal.origin}${await this.page.locator('a[href^="/app?"]').getAttribute('href')}`);
    await phone.fill('#device', `${login}-device`);
    await phone.getByRole('button', { name: 'It is me' }).click();
    await phone.locator('.good').waitFor();
    await phone.close();
    await this.page.waitForURL(`${this.portal.origin}/`); // by itself: the page asks how it stands
  }

  /** On the page of a document: reads, ticks, signs. */
  async signDocument(next) {
    await this.page.check('#correct');
    await this.press('Sign', next);
  }
  /** On the page of a certificate: gives a reason and the consent, and signs the application to revoke it. */
  async revoke(next) {
    await this.page.fill('#reason', 'End of a test');
    await this.page.check('#consent');
    await this.press('Go on', /\/documents\//);
    await this.signDocument(next);
  }
  /** Hands an application in: files by the name of their field. Gives its number with the portal. */
  async handIn(files) {
    await this.page.goto(`${this.portal.origin}/account/renew`);
    for (const [name, file] of Object.entries(files)) await this.page.setInputFiles(`#${name}`, file);
    await this.page.fill('#locality', 'Test Town');
    await this.page.check('#correct');
    await this.press('Send', /\/account\/applications\/\d+$/);
    return Number(this.page.url().split('/').at(-1));
  }
  /** What a link on the page gives. @param end of its address */
  async download(end) {
    const [download] = await Promise.all([this.page.waitForEvent('download'), this.page.locator(`a[href$="${end}"]`).click()]);
    return fs.readFileSync(await download.path());
  }
  /** Asks for a service; `more` is the button of another way than the first. */
  async ask(service, more) {
    await this.page.goto(`${this.portal.origin}/services/${service}`);
    await this.page.fill('#words', 'Test Street 1');
    await this.press(more ?? 'Go on', (url) => url.pathname !== `/services/${service}`);
  }
}

module.exports = { Stand, command, patience };
