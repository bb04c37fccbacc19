// Takes the pictures of the status page anew: what Chromium and Firefox ask before a page may reach this computer, as
// they really draw it on a virtual display, and where Block can be taken back. Run by hand where a browser asks in other
// words; then look at what it leaves in the folder, cut the question out, and put it into daemon/server/status/
// (CONTRIBUTING.md, "Pictures").
//
//   xvfb-run -a -s '-screen 0 1000x600x24' node tests/e2e/support/permission_pictures.cjs FOLDER [chromium|firefox]
'use strict';

const { execFileSync, spawn } = require('node:child_process');
const path = require('node:path');
const { Sites, launch } = require('./browser.cjs');
const { Daemon } = require('./daemon.cjs');
const { Firefox } = require('./firefox.cjs');

const [, , folder = '.', only] = process.argv;
const display = { DISPLAY: process.env.DISPLAY, XAUTHORITY: process.env.XAUTHORITY };
const drawn = (ms = 3000) => new Promise((resolve) => { setTimeout(resolve, ms); }); // nobody tells when it is
const take = (name) => execFileSync('import', ['-window', 'root', path.join(folder, `${name}.png`)]);
async function click(x, y) {
  execFileSync('xdotool', ['mousemove', String(x), String(y), 'click', '1']);
  await drawn();
}

/** Opens a socket that waits for the person. */
const knock = (url) => { window.socket = new WebSocket(url); };

async function chromium(daemon, sites) {
  const browser = await launch(daemon.home, {
    headless: false,
    env: display,
    args: [`--ip-address-space-overrides=127.0.0.1:${sites.port}=public`, '--window-size=1000,600', '--window-position=0,0', '--test-type'],
    ignoreDefaultArgs: ['--enable-automation'],
  });
  const page = browser.pages()[0];
  await page.goto(`https://portal.test:${sites.port}`);
  await page.evaluate(knock, daemon.url);
  await drawn();
  take('chromium-asks');
  await click(310, 217); // Block
  await click(142, 63); // the sign to the left of the address
  take('chromium-blocked');
  await browser.close();
}

async function firefox(daemon, sites) {
  const browser = await Firefox.launch(daemon.home, { display });
  await browser.goto(`https://portal.test:${sites.port}`);
  await browser.evaluate(knock, daemon.url);
  await drawn(6000);
  take('firefox-asks');
  await click(531, 223); // Block
  await click(255, 83); // the sign to the left of the address
  take('firefox-blocked');
  await browser.close();
}

async function main() {
  const manager = spawn('openbox', { stdio: 'ignore' });
  const sites = await Sites.start();
  const daemon = await Daemon.start({ modules: '' });
  try {
    const store = Firefox.makeProfile(daemon.home, {
      'network.lna.websocket.enabled': true,
      'network.lna.address_space.public.override': `127.0.0.1:${sites.port}`,
    });
    sites.trustIn(store, 'C,,');
    daemon.tamga('trust', '--install');
    sites.trustIn(path.join(daemon.home, '.pki/nssdb'), 'P,,');
    if (only !== 'firefox') await chromium(daemon, sites);
    if (only !== 'chromium') await firefox(daemon, sites);
  } finally {
    await daemon.stop();
    sites.stop();
    manager.kill();
  }
}

main();
