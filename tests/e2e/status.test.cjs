// The status page: what it says to everybody, what only a link opens, and what it looks like in real browsers; and the
// command that makes the link.
'use strict';

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const http = require('node:http');
const https = require('node:https');
const path = require('node:path');
const { after, before, test } = require('node:test');
const { launch } = require('./support/browser.cjs');
const { Daemon, build, root, until } = require('./support/daemon.cjs');
const { Firefox } = require('./support/firefox.cjs');
const { Client } = require('./support/v1.cjs');

const pictures = path.join(build, 'pictures');
let daemon;
let command; // over the local socket
let token;

before(async () => {
  daemon = await Daemon.start({ tokenEnv: { TOKEN_DAYS: '3' } });
  command = await Client.connect(daemon, { local: true });
  [token] = (await command.call('tokens.list')).tokens;
  fs.mkdirSync(pictures, { recursive: true });
});
after(async () => {
  command?.close();
  await daemon?.stop();
});

/** What is answered over TLS, or plainly where the address says so. */
function get(address, headers = {}) {
  const own = `https://127.0.0.1:${daemon.port}`;
  const url = new URL(address.startsWith('/') ? own : address);
  const [client, options] = url.protocol === 'https:' ? [https, { ca: fs.readFileSync(daemon.authority()), servername: '', checkServerIdentity: () => {} }] : [http, {}];
  if (address.startsWith('/')) options.path = address; // as it is: a URL would take its dots away
  return new Promise((resolve, reject) => {
    client.get(url, { headers, ...options }, (response) => {
      const pieces = [];
      response.on('data', (piece) => pieces.push(piece)).on('end', () => resolve({
        status: response.statusCode, headers: response.headers, body: Buffer.concat(pieces), text: Buffer.concat(pieces).toString(),
      }));
    }).on('error', reject);
  });
}

function tamga(args, env = {}) {
  const { status, stdout, stderr } = spawnSync(path.join(build, 'bin/tamga'), args, {
    env: { PATH: process.env.PATH, HOME: daemon.home, XDG_RUNTIME_DIR: daemon.env.XDG_RUNTIME_DIR, ...env }, encoding: 'utf8', timeout: 60000,
  });
  return { status, words: stdout, complaints: stderr };
}

const inEnglish = { LANGUAGE: 'en' };
const makeLink = async () => (await command.call('status.link')).url;
const languageOf = ({ text }) => text.match(/<html lang="(\w+)">/)[1];

test('S4: every file of the page has its type and all the headers, and nothing else is served', async () => {
  const served = {
    '/': 'text/html; charset=utf-8', '/?language=kk': 'text/html; charset=utf-8', '/status.css': 'text/css; charset=utf-8',
    '/status.js': 'text/javascript; charset=utf-8', '/chromium.png': 'image/png', '/firefox.png': 'image/png',
  };
  const absent = ['/status', '/index.html', '/status.css/', '/STATUS.CSS', '/?', '/?language=xx', '/?language=kk&x', '/?x=1',
    '/tokens', '/../status.css', '/%2e', '//', '/favicon.ico', '/chromium.png?1'];

  for (const target of [...Object.keys(served), ...absent]) {
    const answer = await get(target, { Origin: 'https://evil.test' });
    assert.equal(answer.status, served[target] ? 200 : 404, target);
    if (served[target]) assert.equal(answer.headers['content-type'], served[target]);
    assert.equal(answer.headers['x-content-type-options'], 'nosniff', target);
    assert.equal(answer.headers['referrer-policy'], 'no-referrer', target);
    assert.equal(answer.headers['cache-control'], 'no-store', target);
    assert.equal(answer.headers['cross-origin-resource-policy'], 'same-origin', target);
    assert.equal(answer.headers['content-security-policy'], "default-src 'none'; script-src 'self'; style-src 'self'; "
      + `img-src 'self' data:; connect-src wss://127.0.0.1:${daemon.port}; frame-ancestors 'none'; base-uri 'none'; form-action 'none'`, target);
    assert.deepEqual(Object.keys(answer.headers).filter((name) => name.startsWith('access-control')), [], target);
  }
});

test('the pictures are small and as large as the page says', async () => {
  const page = (await get('/')).text;
  for (const name of ['chromium.png', 'firefox.png']) {
    const { body } = await get(`/${name}`);
    assert.ok(body.length < 15000, `${name}: ${body.length} octets`);
    const [, width, height] = page.match(new RegExp(`src="/${name}" width="(\\d+)" height="(\\d+)" alt="[^"]{40,}"`));
    assert.deepEqual([body.readUInt32BE(16), body.readUInt32BE(20)], [Number(width), Number(height)], name);
  }
});

test('the language is that of the address, else of the browser, else of this computer', async () => {
  for (const tag of ['kk', 'ru', 'en']) assert.equal(languageOf(await get(`/?language=${tag}`, { 'Accept-Language': 'ru' })), tag);
  assert.equal(languageOf(await get('/', { 'Accept-Language': 'de, ru;q=0.3, kk-KZ;q=0.8' })), 'kk');
  assert.equal(languageOf(await get('/', { 'Accept-Language': 'ru-RU,ru;q=0.9,en;q=0.8' })), 'ru');
  assert.equal(languageOf(await get('/', { 'Accept-Language': 'kk;q=0, de;q=0.1, en;q=0.1' })), 'en');
  assert.equal(languageOf(await get('/', { 'Accept-Language': ';;,=,q=,*' })), 'en', 'that of the daemon');
});

test('the page says what runs here, and nothing of a token, a person or a site', async () => {
  const { text } = await get('/?language=en', { 'Accept-Language': 'ru' });

  const [version] = tamga(['--version']).words.match(/\d+\.\d+\.\d+/);
  assert.ok(text.includes(`<dd>${version}</dd>`), text);
  assert.ok(text.includes('1 of 1 are running'));
  const [since, until_] = [...text.matchAll(/<time datetime="([^"]+)">/g)].map(([, time]) => Date.parse(time));
  assert.ok(Math.abs(Date.now() - since) < 600000);
  assert.ok(until_ - Date.now() > 300 * 86400000);
  for (const secret of [token.label, token.serial, token.model, token.manufacturer, 'portal.test:', '123456789011', daemon.home]) {
    assert.ok(!text.includes(secret), secret);
  }
});

test('a link of the command shows the tokens once, with the end of their numbers', async () => {
  const { url, seconds } = await command.call('status.link');
  const first = await get(url);
  const second = await get(url);

  assert.match(url, new RegExp(`^https://127\\.0\\.0\\.1:${daemon.port}/tokens/[0-9a-f]{32}$`));
  assert.equal(seconds, 60);
  assert.equal(first.status, 200);
  assert.ok(first.text.includes(token.label.trim()), first.text);
  assert.ok(first.text.includes(`<dd>${token.serial.slice(-4)}</dd>`), first.text);
  assert.ok(!first.text.includes(token.serial));
  assert.equal(first.headers['cache-control'], 'no-store');
  assert.equal(second.status, 404);
  assert.ok(!second.text.includes(token.label.trim()));
});

test('a certificate that was used here and ends soon is told on the page of the link, and nowhere else', async () => {
  const before = await get(await makeLink());
  await command.call('sign', { purpose: 'document', format: 'cms', documents: [{ text: 'hi' }] });
  const told = await until('the journal to know the certificate', async () => {
    const { text } = await get(await makeLink());
    return text.includes('Certificates that end soon') && text;
  });

  assert.ok(!before.text.includes('end soon'), 'of a token that is only plugged in no certificate is known');
  assert.match(told, /<li>ТЕСТОВ ТЕСТ: valid until <time datetime="[^"]+">[\d.]+<\/time>, days left: [23]<\/li>/);
  assert.match(told, /<code>tamga keys renew<\/code>/);
  assert.ok(!(await get('/?language=en')).text.includes('ТЕСТОВ'));
});

test('a guessed link opens nothing, and a page of any site cannot even try', async () => {
  const url = await makeLink();
  for (const guess of ['', '0'.repeat(32), url.split('/').at(-1).slice(0, -1), `${url.split('/').at(-1)}0`, 'x'.repeat(5000)]) {
    assert.equal((await get(`/tokens/${guess}`)).status, 404, guess.slice(0, 40));
  }
  for (const headers of [{ Origin: 'https://evil.test' }, { Origin: 'null' }, { 'Sec-Fetch-Site': 'cross-site' },
    { 'Sec-Fetch-Site': 'same-site' }, { 'Sec-Fetch-Site': 'same-origin' }]) {
    const answer = await get(url, headers);
    assert.equal(answer.status, 403, JSON.stringify(headers));
    assert.ok(!answer.text.includes(token.label.trim()));
  }
  assert.equal((await get(url, { Host: 'evil.test' })).status, 421);

  assert.equal((await get(url, { 'Sec-Fetch-Site': 'none' })).status, 200, 'and it is still good for the person');
});

test('a page gets no link, and is told so in a word', async () => {
  const page = await Client.connect(daemon);
  const error = await page.fails('status.link');

  assert.equal(error.data.error, 'unsupported');
  page.close();
});

test('a socket of the status page itself gets no further than open', async () => {
  const own = await Client.connect(daemon, { origin: `https://127.0.0.1:${daemon.port}` });
  assert.equal((await own.closed).code, 1000);
  const other = await Client.connect(daemon, { origin: `https://127.0.0.1:${daemon.port + 1}` });
  assert.ok(await other.call('hello'), 'a program on another port is a site like any other');
  other.close();
});

test('tamga status says what runs and what is plugged in, in words and for programs', () => {
  const english = tamga(['--language', 'en', 'status']);
  assert.equal(english.status, 0, english.complaints);
  assert.match(english.words, /^Tamga is running: \d/);
  assert.ok(english.words.includes(token.serial));
  assert.match(tamga(['--language', 'kk', 'status']).words, /^Tamga жұмыс істеп тұр: /);
  assert.match(tamga(['--language', 'ru', 'status']).words, /^Tamga работает: /);

  const told = JSON.parse(tamga(['--language', 'en', 'status', '--json']).words);
  assert.equal(told.running, true);
  assert.deepEqual(told.tokens, [token]);
});

test('tamga status ends with 5 where no daemon answers', () => {
  const silent = { XDG_RUNTIME_DIR: daemon.home };
  assert.equal(tamga(['--language', 'en', 'status'], silent).status, 5);
  const told = tamga(['status', '--json'], silent);
  assert.equal(told.status, 5);
  assert.deepEqual(JSON.parse(told.words), { running: false });
});

test('tamga status --open hands the link to the browser, and prints it where there is none', async () => {
  const folder = path.join(daemon.home, 'programs');
  const opened = path.join(daemon.home, 'opened');
  fs.mkdirSync(folder);
  fs.writeFileSync(path.join(folder, 'xdg-open'), `#!/bin/sh\nprintf %s "$1" > ${opened}\n`, { mode: 0o700 });
  const programs = `${folder}:${process.env.PATH}`;

  const shown = tamga(['status', '--open'], { ...inEnglish, DISPLAY: ':99', PATH: programs });
  const printed = tamga(['status', '--open'], { ...inEnglish, PATH: programs });
  fs.writeFileSync(path.join(folder, 'xdg-open'), '#!/bin/sh\nexit 3\n');
  const refused = tamga(['status', '--open', '--json'], { ...inEnglish, DISPLAY: ':99', PATH: programs });

  assert.equal(shown.status, 0);
  assert.doesNotMatch(shown.words, /tokens\//);
  assert.equal((await get(fs.readFileSync(opened, 'utf8'))).status, 200);
  assert.match(printed.words, /good once:\nhttps:\S+\n$/);
  assert.equal(languageOf(await get(printed.words.match(/https:\S+/)[0])), 'en', 'of the command');
  assert.ok(JSON.parse(refused.words), 'what a program reads stays JSON');
  assert.match(refused.complaints, /https:\S+\/tokens\//);
});

/** What the live test came to. */
const outcome = async (page) => {
  let seen;
  await until('the page to have tried', async () => {
    seen = await page.evaluate(() => ({ name: document.getElementById('result').className, words: document.getElementById('result').textContent }));
    return seen.name === 'good' || seen.name === 'bad';
  });
  return seen;
};

test('in Chromium the test fails before our certificate is trusted and succeeds after; the keyboard reaches all', async () => {
  let browser = await launch(daemon.home, { args: ['--lang=en-US'] });
  let page = browser.pages()[0];
  await page.goto(`http://127.0.0.1:${daemon.port}/?language=en`);
  assert.equal((await outcome(page)).name, 'bad');
  await assert.rejects(page.goto(`https://127.0.0.1:${daemon.port}/`), /ERR_CERT_AUTHORITY_INVALID/);
  await browser.close();
  assert.equal(daemon.tamga('trust', '--install').status, 0);

  browser = await launch(daemon.home, { args: ['--lang=en-US'] });
  try {
    [page] = browser.pages();
    const complaints = [];
    page.on('console', (message) => complaints.push(message.text()));
    await page.setViewportSize({ width: 800, height: 900 });
    await page.goto(`https://127.0.0.1:${daemon.port}/?language=en`);
    assert.deepEqual(await outcome(page), { name: 'good', words: 'It works: this browser trusts the certificate and reaches Tamga as portals do.' });
    assert.equal(await page.evaluate(() => document.getElementById('result').getAttribute('role')), 'status');
    await page.screenshot({ path: path.join(pictures, 'status-en.png') });

    const reached = [];
    for (let i = 0; i < 4; i += 1) {
      await page.keyboard.press('Tab');
      reached.push(await page.evaluate(() => {
        const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
        return `${document.activeElement.textContent} ${outlineStyle} ${parseFloat(outlineWidth) >= 2}`;
      }));
    }
    assert.deepEqual(reached, ['Қазақша solid true', 'Русский solid true', 'English solid true', 'Try again solid true']);
    await page.keyboard.press('Enter');
    assert.equal((await outcome(page)).name, 'good');

    for (const width of [320, 1280]) {
      for (const language of ['kk', 'ru', 'en']) {
        await page.setViewportSize({ width, height: 700 });
        await page.goto(`https://127.0.0.1:${daemon.port}/?language=${language}`);
        await outcome(page);
        assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), `${language}, ${width} px`);
        const levels = await page.evaluate(() => [...document.querySelectorAll('h1,h2,h3,h4')].map(({ tagName }) => Number(tagName[1])));
        assert.equal(levels.filter((level) => level === 1).length, 1);
        levels.reduce((above, level) => { assert.ok(level <= above + 1, levels.join()); return level; });
      }
    }
    await page.setViewportSize({ width: 320, height: 700 });
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.goto(`https://127.0.0.1:${daemon.port}/?language=kk`);
    await outcome(page);
    await page.screenshot({ path: path.join(pictures, 'status-dark-kk.png'), fullPage: true });
    await page.emulateMedia({ colorScheme: 'light' });
    await page.setViewportSize({ width: 800, height: 600 });
    const answer = await page.goto(await makeLink());
    assert.equal(answer.status(), 200, 'a browser that is sent there by the person');
    await page.screenshot({ path: path.join(pictures, 'status-tokens.png') });
    assert.equal((await page.reload()).status(), 404, 'it was good once');
    assert.deepEqual(complaints.filter((words) => /Content Security|Refused/.test(words)), []);
  } finally { await browser.close(); }
});

test('without script the page says how to see it', async () => {
  const browser = await launch(daemon.home, { args: ['--lang=en-US', '--blink-settings=scriptEnabled=false'] });
  try {
    const page = browser.pages()[0];
    await page.goto(`https://127.0.0.1:${daemon.port}/?language=en`);
    assert.match(await page.locator('#result').textContent(), /^Without JavaScript nothing can be tried\. If the address/);
    assert.equal(await page.locator('#again').isVisible(), false);
  } finally { await browser.close(); }
});

test('in Firefox the test succeeds once our certificate is trusted', async () => {
  Firefox.makeProfile(daemon.home);
  assert.equal(daemon.tamga('trust', '--install').status, 0);
  const firefox = await Firefox.launch(daemon.home);
  try {
    await firefox.goto(`https://127.0.0.1:${daemon.port}/?language=ru`);
    assert.deepEqual(await outcome(firefox), { name: 'good', words: 'Всё в порядке: этот браузер доверяет сертификату и соединяется с Tamga так же, как порталы.' });
    fs.writeFileSync(path.join(pictures, 'status-firefox-ru.png'), await firefox.screenshot());
  } finally { await firefox.close(); }
});

test('the words of the page hold no markup of their own', () => {
  const source = fs.readFileSync(path.join(root, 'daemon/server/status_page.cpp'), 'utf8');
  const messages = [...source.matchAll(/text\(language, ("[^;]*?")[,)]/gs)].map(([, words]) => words);
  assert.ok(messages.length > 30);
  for (const words of messages) assert.doesNotMatch(words, /[<>&]/);
});
