// The demo page in Chromium and the real window beside it, on a display of their own: `./dev demo --page` serves, a click
// asks, and the keyboard decides. Leaves its screenshots in the build directory.
'use strict';

const assert = require('node:assert/strict');
const { execFileSync, spawn } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { after, before, test } = require('node:test');
const { launch } = require('./support/browser.cjs');
const { build, root, testFolder, until, verifyCms } = require('./support/daemon.cjs');

const pictures = path.join(build, 'pictures');
const screen = { width: 1366, height: 768 }; // a common laptop's
const waiting = 'Waiting for an answer...';
const started = [];
let home;
let display;
let demo;
let browser;

/** Starts a program that ends with the test; its output is gathered in `said`. */
function start(program, args, env = {}) {
  const process_ = spawn(program, args, {
    env: { PATH: process.env.PATH, HOME: home, LANG: 'en_US.UTF-8', ...env }, stdio: ['ignore', 'pipe', 'inherit'],
  });
  process_.said = '';
  process_.stdout.on('data', (text) => { process_.said += text; });
  process_.ended = new Promise((resolve) => { process_.on('exit', resolve); });
  started.unshift(process_);
  return process_;
}
const tool = (...command) => execFileSync('timeout', ['30', ...command],
  { env: { PATH: process.env.PATH, DISPLAY: display }, encoding: 'utf8' }).trim();

const sleep = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

/** What the demo has in its home: in the folder that goes with it, the one that the harness made for the product. */
function product() {
  const inside = (folder, start) => path.join(folder, fs.readdirSync(folder).find((name) => name.startsWith(start)));
  const folder = inside(inside(home, 'demo-'), 'e2e-');
  return { home: folder, token: path.join(folder, 'token'), log: () => fs.readFileSync(path.join(folder, 'log'), 'utf8') };
}

/** Waits for what the keyboard set off to be painted. */
async function picture(name) {
  await sleep(500);
  tool('import', '-window', 'root', path.join(pictures, `${name}.png`));
}

before(async () => {
  fs.mkdirSync(pictures, { recursive: true });
  home = testFolder('page');
  const server = start('Xvfb', ['-displayfd', '1', '-screen', '0', `${screen.width}x${screen.height}x24`, '-nolisten', 'tcp', '-noreset']);
  display = `:${(await until('Xvfb', () => server.said.includes('\n') && server.said)).trim()}`;
  start('openbox', [], { DISPLAY: display });
  demo = start(process.execPath, [path.join(root, 'tests/demo/demo.cjs'), '--page'],
    { DISPLAY: display, TAMGA_BUILD: build, TAMGA_TEST_HOME: home, DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nonexistent' });
  const [url] = await until('the demo', () => demo.said.match(/http:\/\/localhost:\S+(?= )/));
  browser = await launch(home, {
    headless: false, env: { DISPLAY: display }, args: ['--window-position=0,0', '--window-size=680,768', '--test-type'],
  });
  [demo.page] = browser.pages();
  await demo.page.goto(url);
});
after(async () => {
  await browser?.close();
  for (const process_ of started) {
    process_.kill('SIGTERM');
    await process_.ended;
  }
  fs.rmSync(home, { recursive: true });
});

test('a click opens the window, a wrong PIN is told, and the right one gives the page its signature', async () => {
  const { page } = demo;
  await page.click('#cms');
  const window = tool('xdotool', 'search', '--sync', '--onlyvisible', '--name', '^Tamga$');
  const [, y, height] = tool('xdotool', 'getwindowgeometry', '--shell', window).match(/Y=(\d+)[^]*HEIGHT=(\d+)/);
  assert.ok(Number(y) + Number(height) <= screen.height, `the buttons are in sight: ${y} + ${height}`);
  tool('xdotool', 'windowmove', window, '684', '120');
  tool('xdotool', 'windowfocus', '--sync', window);
  await sleep(900); // until then nothing typed counts
  tool('xdotool', 'type', '--delay', '30', '11111111');
  await picture('page-asks');
  tool('xdotool', 'key', 'Return');
  await until('the token to refuse', () => product().log().includes('outcome="pin_incorrect"'));
  await sleep(1000); // then the window asks again
  tool('xdotool', 'type', '--delay', '30', '12345678');
  await picture('wrong-pin');
  assert.equal(await page.textContent('#result'), waiting);
  tool('xdotool', 'key', 'Return');
  await until('an answer', async () => (await page.textContent('#result')) !== waiting);
  await picture('page-has');

  const signature = await page.textContent('#result');
  assert.match(signature, /^MII/);
  verifyCms(product(), Buffer.from(signature, 'base64'), await page.inputValue('#text'));
});
