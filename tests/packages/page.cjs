// A portal's page in a real browser of the person who runs this, in the session they have:
//   page.cjs sign BROWSER ORIGIN        has a document signed; the window is answered by keyboard. Prints the CMS in base64
//   page.cjs knock BROWSER ORIGIN       says what a socket to Tamga gives: its greeting, or the code it was closed with
// BROWSER is chromium or firefox; with "-public" behind it, the browser takes the page for one of the internet.
// With HOLD in the environment the window stays open until that file is there.
'use strict';

const { execFile } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { promisify } = require('node:util');
const { chromium } = require('playwright-core');
const { clientIn, knock } = require('../e2e/support/browser.cjs');
const { until } = require('../e2e/support/daemon.cjs');
const { Firefox } = require('../e2e/support/firefox.cjs');

const tamga = 'wss://127.0.0.1:13579';
const [action, browserName, origin] = process.argv.slice(2);
const [name, isPublic] = browserName.split('-');
const home = process.env.HOME;
const overridden = '127.0.0.1:443';

// Beside everything else: the page's request leaves this process while the window is waited for.
const tool = async (...command) => (await promisify(execFile)('timeout', ['120', ...command], { encoding: 'utf8' })).stdout.trim();
const sleep = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

async function openChromium() {
  const context = await chromium.launchPersistentContext(path.join(home, 'chromium'), {
    executablePath: '/usr/bin/chromium',
    chromiumSandbox: false, // it needs namespaces within the ones that this computer is made of
    args: ['--disable-gpu', '--no-first-run', '--disable-background-networking',
      '--host-resolver-rules=MAP egov.kz 127.0.0.1,MAP portal.test 127.0.0.1',
      ...(isPublic ? [`--ip-address-space-overrides=${overridden}=public`] : [])],
  });
  const page = await context.newPage();
  const said = [];
  page.on('console', (message) => said.push(message.text()));
  return { frame: page, said, close: () => context.close() };
}

async function openFirefox() {
  const more = {
    'network.dns.localDomains': 'egov.kz,portal.test',
    ...(isPublic && {
      'network.lna.address_space.public.override': overridden,
      'network.lna.websocket.enabled': true, // off in this version; this is what is going to come
    }),
  };
  const user = path.join(home, '.mozilla/firefox/test.default/user.js');
  const before = fs.readFileSync(user);
  fs.appendFileSync(user, Object.entries(more).map(([key, value]) => `user_pref(${JSON.stringify(key)}, ${JSON.stringify(value)});\n`).join(''));
  const firefox = await Firefox.launch(home);
  return { frame: firefox, said: [], close: async () => { await firefox.close(); fs.writeFileSync(user, before); } };
}

/** What the person does at the window. */
async function person() {
  const [window] = (await tool('xdotool', 'search', '--sync', '--onlyvisible', '--name', '^Tamga$')).split('\n');
  await tool('xdotool', 'windowfocus', '--sync', window);
  if (process.env.HOLD) {
    fs.writeFileSync(`${process.env.HOLD}.open`, '');
    await until('the window to be answered', () => fs.existsSync(process.env.HOLD), 300000);
  }
  await sleep(900); // until then nothing typed counts
  await tool('xdotool', 'type', '--delay', '30', '12345678');
  await tool('xdotool', 'key', 'Return');
}

async function sign(frame) {
  const client = await clientIn(frame, tamga);
  await client.connect();
  const [cms] = await Promise.all([client.createCAdESFromBase64('AKKaztokenStore', Buffer.from('Өтініш').toString('base64')), person()]);
  return cms;
}

(async () => {
  const browser = await (name === 'firefox' ? openFirefox() : openChromium());
  try {
    await browser.frame.goto(origin);
    if (action === 'sign') console.log(await sign(browser.frame));
    // A question that nobody answers is no answer.
    else console.log(await Promise.race([knock(browser.frame, tamga), sleep(8000).then(() => 'undecided')]), ...browser.said);
  } finally { await browser.close(); }
})().catch((failure) => {
  console.error(failure.message);
  process.exitCode = 1;
});
