// A PDF from a page of tamga.v1 to the real window: drawn by the real tamga-preview, read page by page, signed by
// keyboard, on a display of its own. The PDF is the one that Chromium prints.
'use strict';

const assert = require('node:assert/strict');
const { execFileSync, spawn } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { after, before, test } = require('node:test');
const { launch } = require('./support/browser.cjs');
const { Daemon, build, testFolder, until, verifyCms } = require('./support/daemon.cjs');
const { Client } = require('./support/v1.cjs');

const pictures = path.join(build, 'pictures');
const sheet = (colour, words) => `<div style="height: 40px; background: ${colour}; print-color-adjust: exact"></div><p>${words}`;
const started = [];
let home;
let display;
let daemon;
let pdf;

/** A program that ends with the test; its output is gathered in `said`. */
function start(program, args, env = {}) {
  const child = spawn(program, args, { env: { PATH: process.env.PATH, HOME: home, ...env }, stdio: ['ignore', 'pipe', 'ignore'] });
  child.said = '';
  child.stdout.on('data', (text) => { child.said += text; });
  child.ended = new Promise((resolve) => { child.on('exit', resolve); });
  started.unshift(child);
  return child;
}
const tool = (...command) => execFileSync('timeout', ['30', ...command],
  { env: { PATH: process.env.PATH, DISPLAY: display }, encoding: 'utf8', maxBuffer: 1 << 28 }).trim();
const sleep = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

/** The window, once it is there and its buttons work. */
async function window() {
  // Not --sync: the request is sent by this very process, between two looks.
  const found = await until('the window', () => {
    try { return tool('xdotool', 'search', '--onlyvisible', '--name', '^Tamga$'); } catch { return ''; }
  });
  tool('xdotool', 'windowfocus', '--sync', found);
  await sleep(900); // until then nothing typed counts
  return found;
}
/** Waits until the window has pixels of just that colour. */
function colour(found, wanted) {
  return until(`${wanted} in the window`, () => tool('sh', '-c',
    `import -window ${found} png:- | convert png:- -format %c histogram:info:-`).includes(wanted));
}
function picture(name) { tool('import', '-window', 'root', path.join(pictures, `${name}.png`)); }

before(async () => {
  fs.mkdirSync(pictures, { recursive: true });
  home = testFolder('preview');
  const server = start('Xvfb', ['-displayfd', '1', '-screen', '0', '1366x768x24', '-nolisten', 'tcp', '-noreset']);
  display = `:${(await until('Xvfb', () => server.said.includes('\n') && server.said)).trim()}`;
  start('openbox', [], { DISPLAY: display });
  const browser = await launch(home);
  const [page] = browser.pages();
  await page.setContent(`<meta charset="utf-8">${sheet('#0000ff', 'Өтініш: лицензия беруіңізді сұраймын.')}
    <div style="break-before: page">${sheet('#ff0000', 'Екінші бет')}</div>`);
  pdf = await page.pdf({ format: 'A4', printBackground: true });
  await browser.close();
  daemon = await Daemon.start({
    tamgad: path.join(build, 'dev-libexec/tamgad'),
    env: { DISPLAY: display, DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nonexistent', TAMGA_DEBUG: '1' },
  });
});
after(async () => {
  await daemon?.stop();
  for (const child of started) {
    child.kill('SIGTERM');
    await child.ended;
  }
  fs.rmSync(home, { recursive: true });
});

/** The answer to a request to sign the PDF. */
async function asked() {
  const client = await Client.connect(daemon);
  await client.call('hello', { language: 'kk' });
  return client.call('sign', {
    purpose: 'document', format: 'cms',
    documents: [{ content: pdf.toString('base64'), title: 'Өтініш.pdf', media_type: 'application/pdf' }],
  });
}

test('the pages of a PDF are read in the window, and the PIN typed there signs it', async () => {
  const answer = asked();
  const found = await window();
  await colour(found, '#0000FF');
  picture('pdf-page-1');
  tool('xdotool', 'key', 'ctrl+Next');
  await colour(found, '#FF0000');
  assert.equal(daemon.pids()['tamga-preview'], undefined, 'each went with its picture');
  tool('xdotool', 'type', '--delay', '30', '12345678');
  picture('pdf-page-2');
  tool('xdotool', 'key', 'Return');

  const { signatures } = await answer;
  verifyCms(daemon, Buffer.from(signatures[0], 'base64'), pdf);
});

test('a window that is closed takes its preview along, and the page hears of the cancel', async () => {
  const answer = asked().catch((failure) => failure);
  const found = await window();
  await colour(found, '#0000FF');
  tool('xdotool', 'key', 'Escape');

  const { error } = await answer;
  assert.equal(error.data.error, 'user_cancelled');
  await until('no preview to be left', () => !daemon.pids()['tamga-preview']);
});
