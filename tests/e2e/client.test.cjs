// protocol/js in pages of real browsers, with the real daemon: what a page gets, and what it learns where it gets nothing.
'use strict';

const assert = require('node:assert/strict');
const { execFileSync, spawn } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { after, before, describe, test } = require('node:test');
const { Sites } = require('./support/browser.cjs');
const { Daemon, freePort, root, scratch, testFolder, until, verifyCms, verifyXml } = require('./support/daemon.cjs');
const { prepare, start } = require('./support/visitor.cjs');

const signs = 'key first\npin 12345678\naccept\n';
const read = (name) => fs.readFileSync(path.join(root, name), 'utf8');
const html = read('tests/e2e/pages/client.html');
const files = {
  '/tamga.mjs': { body: read('protocol/js/tamga.mjs') },
  '/client.mjs': { body: read('tests/e2e/pages/client.mjs') },
  '/client.html': { body: html },
  '/closed.html': { body: html, headers: { 'Content-Security-Policy': "default-src 'self'" } },
};
const portion = Buffer.from(Uint8Array.from({ length: 1 << 20 }, (_, i) => i % 251));
let sites;
const homes = testFolder('visitors');

before(async () => { sites = await Sites.start(files); });
after(() => {
  sites?.stop();
  fs.rmSync(homes, { recursive: true });
});

for (const make of ['Chromium', 'Firefox']) {
  describe(make, () => {
    let daemon;
    let visitor;
    const site = (name = 'portal.test') => `https://${name}:${sites.port}`;
    const page = (action, argument) => visitor.evaluate(action, argument);
    const open = (options = {}) => page((given) => window.page.open(given), { port: daemon.port, ...options });
    const states = () => page(() => window.page.states);

    before(async () => {
      daemon = await Daemon.start({ config: `[origins]\nallow = ["portal.test:${sites.port}"]\n` });
      prepare(make, daemon.home, sites);
      assert.equal(daemon.tamga('trust', '--install').status, 0);
      visitor = await start(make, daemon.home);
      await visitor.goto(`${site()}/client.html`);
    });
    after(async () => {
      await visitor?.close();
      await daemon?.stop();
    });

    test('a page signs over wss', async () => {
      assert.deepEqual(await open(), { result: { protocol: 'tamga.v1', secure: true, version: '1.0' } });

      const { result } = await page((text) => window.page.sign(text), 'Өтініш');

      verifyCms(daemon, Buffer.from(result.signatures[0], 'base64'), 'Өтініш');
      assert.equal(daemon.shown().at(-1).origin, site());
      assert.equal((await page(() => window.page.tokens())).result.length, 1);
    });

    test('a page is told of tokens, shown a certificate, signed in, given XML, and told what a signature is worth', async () => {
      const challenge = Array.from({ length: 32 }, (_, i) => i);

      const { result, error } = await page((octets) => window.page.theRest(octets), challenge);

      assert.ifError(error);
      assert.deepEqual([result.heard, result.iin, result.signature, result.bad], [[1], '123456789011', 'valid', 'bad']);
      assert.equal(result.statement.split('\n').slice(0, 3).join('\n'),
        `TAMGA-AUTHENTICATE-v1\norigin ${site()}\nchallenge ${Buffer.from(challenge).toString('base64')}`);
      verifyXml(daemon, result.xml);
      assert.ok(daemon.shown().some(({ principal }) => /ТОО Мысал/.test(principal)));
    });

    test('an upload that the page calls off makes room for the next one', async () => {
      const { error } = await page((size) => window.page.abortUpload(size), 100);
      assert.equal(error.name, 'AbortError');

      assert.ok((await page((size) => window.page.signLarge(size), 17)).result);
    });

    test('a request that the page calls off takes its window along', async () => {
      daemon.person('hang\n');
      await page(() => window.page.begin('hi'));
      await until('the window', () => daemon.prompts().length > 0);

      const { error } = await page(() => window.page.abort());

      assert.equal(error.name, 'AbortError');
      await until('the window to go', () => daemon.prompts().length === 0, 3000);
      daemon.person(signs);
      assert.ok((await page(() => window.page.sign('hi'))).result);
    });

    test('a File of 40 MiB is uploaded with progress, and is what the window and the signature speak of', async () => {
      const { result, error } = await page(() => window.page.signLarge(40));

      assert.ifError(error);
      const file = scratch(daemon, 'film', Buffer.concat(Array(40).fill(portion)));
      execFileSync('openssl', ['cms', '-verify', '-cades', '-binary', '-inform', 'DER', '-purpose', 'any', '-out', '/dev/null', '-in',
        scratch(daemon, 'film.cms', Buffer.from(result.signature, 'base64')), '-CAfile', path.join(daemon.token, 'ca.pem'),
        '-content', file], { stdio: ['ignore', 'pipe', 'pipe'] });
      const uploading = result.progress.filter(({ stage }) => stage === 'uploading').map(({ done }) => done);
      assert.ok(uploading.length > 4 && uploading.every((done, i) => i === 0 || done > uploading[i - 1]), String(uploading));
      assert.equal(uploading.at(-1), 40 << 20);
      assert.deepEqual([...new Set(result.progress.map(({ stage }) => stage))].slice(0, 2), ['uploading', 'asking']);
      assert.match(daemon.shown().at(-1).documents[0].text, /video\/mp4[^]*40[.]0 MB/);
    });

    test('after the daemon was started anew the page has its connection again, and what was under way was not repeated', async () => {
      daemon.person('hang\n');
      await page(() => window.page.begin('hi'));
      await until('the window', () => daemon.prompts().length > 0);

      await daemon.restart();

      const { error } = await page(() => window.page.ended());
      const windows = daemon.shown().length;
      assert.equal(error.reason, 'connection_lost');
      daemon.person(signs);
      await until('the connection', async () => (await states()).at(-1) === 'open', 60_000);
      assert.equal(daemon.shown().length, windows);
      assert.ok((await page(() => window.page.sign('hi'))).result);
    });

    test('a site that the person refused is told so, at the next connect too', async () => {
      daemon.person('refuse_site\n');
      await visitor.goto(`${site('evil.test')}/client.html`);
      await open();

      const first = await page(() => window.page.sign('hi'));
      const { error } = await open();

      assert.equal(first.error.reason, 'site_refused');
      assert.deepEqual([error.name, error.reason, error.detail], ['TamgaError', 'site_not_allowed', 'site_refused']);
      assert.match(error.russian, /Этому сайту нельзя/);
      daemon.person(signs);
    });

    test('a page whose own policy forbids the connection is told so', async () => {
      await visitor.goto(`${site()}/closed.html`);

      assert.equal((await open()).error.reason, 'blocked_by_page');
    });

    test('a page that came over http is told so', async () => {
      await visitor.goto(`http://portal.test:${sites.plainPort}/client.html`);

      assert.equal((await open()).error.reason, 'page_not_accepted');
      await visitor.goto(`${site()}/client.html`);
    });

    test('a port where nobody listens means not installed', async () => {
      const { error } = await open({ port: await freePort() });

      assert.equal(error.reason, 'not_installed');
      assert.match(error.message, /does not answer on this computer/);
    });

    test('where only NCALayer\'s protocol is answered, it is spoken', async (t) => {
      const { FakeNcalayer } = await import('../js/support.mjs');
      const ncalayer = await FakeNcalayer.start(({ args }) => ({ body: { result: args.data }, status: true }), { tls: sites.tls });
      t.after(() => ncalayer.stop());

      assert.deepEqual(await open({ port: ncalayer.port }), { result: { protocol: 'ncalayer', secure: true, version: '1.4' } });
      assert.deepEqual((await page(() => window.page.sign('hi'))).result, { format: 'cms', signatures: ['aGk='] });
      await page(() => window.page.close());
    });

    test('a page of the internet learns that the browser blocks it, and works once the person allowed it', async () => {
      const home = path.join(homes, `public-${make}`);
      prepare(make, home, sites, sites.port);
      const stranger = await start(make, home, sites.port);
      try {
        await stranger.goto(`${site()}/client.html`);
        const asks = () => stranger.evaluate((given) => window.page.open(given), { port: daemon.port, allowPlain: true });

        await stranger.decide('denied');
        const { error } = await asks();
        await stranger.decide('granted');
        const { result } = await asks();

        assert.equal(error.reason, 'blocked_by_browser');
        assert.match(error.russian, /разрешите доступ к приложениям/);
        assert.equal(result.protocol, 'tamga.v1');
      } finally { await stranger.close(); }
    });

    test('without tamga trust the page learns that the certificate is not trusted, and signs over ws only if it says so', async () => {
      const home = path.join(homes, `stranger-${make}`);
      prepare(make, home, sites);
      const stranger = await start(make, home);
      try {
        await stranger.goto(`${site()}/client.html`);
        const asks = (options) => stranger.evaluate((given) => window.page.open(given), { port: daemon.port, ...options });

        const { error } = await asks({});
        const plain = await asks({ allowPlain: true });
        const { result } = await stranger.evaluate(() => window.page.sign('hi'));

        assert.equal(error.reason, 'certificate_not_trusted');
        assert.match(error.message, /tamga trust --install/);
        assert.deepEqual(plain, { result: { protocol: 'tamga.v1', secure: false, version: '1.0' } });
        verifyCms(daemon, Buffer.from(result.signatures[0], 'base64'), 'hi');
      } finally { await stranger.close(); }
    });
  });
}

/** A screen of the test's own, with somebody who gives windows the keyboard. */
async function screen() {
  const server = spawn('Xvfb', ['-displayfd', '1', '-screen', '0', '1000x700x24', '-nolisten', 'tcp', '-noreset'], { stdio: ['ignore', 'pipe', 'ignore'] });
  let said = '';
  server.stdout.on('data', (text) => { said += text; });
  const display = `:${(await until('Xvfb', () => said.includes('\n') && said)).trim()}`;
  const env = { PATH: process.env.PATH, DISPLAY: display };
  const manager = spawn('openbox', [], { env, stdio: 'ignore' });
  return { display, env, close: () => { manager.kill(); server.kill(); } };
}

for (const make of ['Chromium', 'Firefox']) {
  const kept = { Chromium: 'prompt', Firefox: 'denied' }[make]; // what the browser makes of a question that was closed
  test(`a person who closes ${make}'s question is not asked it again at once, and the page learns why it has nothing`, async (t) => {
    const { display, env, close } = await screen();
    const home = path.join(homes, `asked-${make}`);
    prepare(make, home, sites, sites.port);
    const visitor = await start(make, home, sites.port, display);
    t.after(async () => {
      await visitor.close();
      close();
    });
    await visitor.goto(`https://portal.test:${sites.port}/client.html`);
    const { FakeTamga } = await import('../js/support.mjs');
    const tamga = await FakeTamga.start({}, { tls: sites.tls }); // where nobody listens Chromium does not ask
    t.after(() => tamga.stop());
    const permission = () => visitor.evaluate(() => window.page.permission('loopback-network'));

    assert.equal(await permission(), 'prompt');
    const opening = visitor.evaluate((given) => window.page.open(given), { port: tamga.port });
    await new Promise((resolve) => { setTimeout(resolve, 2000); }); // a person reads
    const { error } = await until('the question to be gone', () => {
      execFileSync('xdotool', ['key', 'Escape'], { env });
      return Promise.race([opening, new Promise((resolve) => { setTimeout(resolve, 300); })]);
    });

    assert.deepEqual([error.reason, error.detail, tamga.requests], ['blocked_by_browser', 'wss: 1006', []]);
    assert.match(error.message, /https:\/\/127\.0\.0\.1:13579/, 'where it is explained');
    assert.equal(await permission(), kept);
    assert.ok((await visitor.evaluate(() => window.page.states)).includes('browser_may_ask'));
  });
}
