// A browser of either make with one page in it, trusting what the person whose home it is told it to trust.
'use strict';

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { launch } = require('./browser.cjs');
const { Firefox } = require('./firefox.cjs');

class ChromiumVisitor {
  /** An empty store where `tamga trust` and Chromium look for one. */
  static makeStore(home) {
    const store = path.join(home, '.pki/nssdb');
    fs.mkdirSync(store, { recursive: true, mode: 0o700 });
    execFileSync('certutil', ['-d', `sql:${store}`, '-N', '--empty-password']);
    return store;
  }

  /** @param display where its window is to be; without it there is none, and nobody is asked anything */
  static async start(home, publicPort, display) {
    const visitor = new ChromiumVisitor();
    const args = publicPort ? [`--ip-address-space-overrides=127.0.0.1:${publicPort}=public`] : [];
    visitor.browser = await launch(home, display ? { headless: false, env: { DISPLAY: display }, args: [...args, '--test-type'] } : { args });
    visitor.page = await visitor.browser.newPage();
    return visitor;
  }

  /** The person's answer, granted or denied, to whether this page's site may reach programs on this computer. */
  async decide(setting) {
    const session = await this.browser.newCDPSession(this.page);
    const { origin } = new URL(this.page.url());
    await session.send('Browser.setPermission', { permission: { name: 'loopback-network' }, setting, origin });
  }

  goto(url) { return this.page.goto(url); }
  evaluate(action, argument) { return this.page.evaluate(action, argument); }
  screenshot() { return this.page.screenshot({ fullPage: true }); }
  close() { return this.browser.close(); }
}

const flags = { Chromium: 'P,,', Firefox: 'C,,' }; // Firefox wants even what signed itself to be trusted as an authority

/** Firefox asks for WebSockets only where it is told to. */
const asking = (publicPort) => (publicPort ? {
  'network.lna.websocket.enabled': true, 'network.lna.address_space.public.override': `127.0.0.1:${publicPort}`,
} : {});

/** Makes the store of certificates in `home`, with the sites' one in it. The daemon's comes there by `tamga trust`. */
function prepare(make, home, sites, publicPort) {
  fs.mkdirSync(home, { recursive: true });
  sites.trustIn(make === 'Firefox' ? Firefox.makeProfile(home, asking(publicPort)) : ChromiumVisitor.makeStore(home), flags[make]);
}

/** @param publicPort as in `prepare`: pages from this port of this computer are held to be of the internet */
const start = (make, home, publicPort, display) => (
  make === 'Firefox' ? Firefox.launch(home, { display: display && { DISPLAY: display } }) : ChromiumVisitor.start(home, publicPort, display));

module.exports = { prepare, start };
