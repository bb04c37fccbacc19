// The browsers' own question whether a page of the internet may reach this computer, and the policy of packaging/ that answers it:
// put, by the program that the package's installation runs, where real browsers read it. A browser is told which pages to hold to be
// of the internet: Chromium by a flag, Firefox by a preference, and Firefox, whose present version asks nothing of WebSockets, that it is to ask.
'use strict';

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { after, before, describe, test } = require('node:test');
const { Sites, knock } = require('./support/browser.cjs');
const { Daemon, build, root, verifyCms } = require('./support/daemon.cjs');
const { inOwnEtc, prefix } = require('./support/own_etc.cjs');
const { prepare, start } = require('./support/visitor.cjs');

const isRoot = process.getuid() === 0; // as in installed.test.cjs
if (isRoot && !inOwnEtc(__filename)) return;

const read = (name) => fs.readFileSync(path.join(root, name), 'utf8');
const made = path.join(build, 'packaging');
const policies = (verb) => execFileSync(path.join(made, 'browser-policies'), [verb], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
const greeting = '{"result":{"version":"1.4"}}';
// What a browser that asks does with a socket is nothing at all; Tamga greets within milliseconds.
const undecided = 'nothing in 3 s';
const answerOf = (visitor, url) => Promise.race([knock(visitor, url), new Promise((resolve) => { setTimeout(resolve, 3000, undecided); })]);

for (const make of ['Chromium', 'Firefox']) {
  describe(make, { skip: !isRoot }, () => {
    let daemon;
    let sites;
    let visitor;
    const page = (action, argument) => visitor.evaluate(action, argument);
    const open = () => page((given) => window.page.open(given), { port: daemon.port });
    const visit = (name) => visitor.goto(`https://${name}:${sites.port}/client.html`);
    // A browser reads policies when it starts.
    const restart = async () => {
      await visitor?.close();
      visitor = await start(make, daemon.home, sites.port);
      await visit('egov.kz');
    };

    before(async () => {
      fs.cpSync(made, path.join(prefix, 'share/tamga/policies'), { recursive: true, filter: (name) => name === made || name.endsWith('.json') });
      sites = await Sites.start({
        '/tamga.mjs': { body: read('protocol/js/tamga.mjs') },
        '/client.mjs': { body: read('tests/e2e/pages/client.mjs') },
        '/client.html': { body: read('tests/e2e/pages/client.html') },
      });
      daemon = await Daemon.start({ config: `[origins]\nallow = ["egov.kz:${sites.port}", "portal.test:${sites.port}"]\n` });
      prepare(make, daemon.home, sites, sites.port);
      assert.equal(daemon.tamga('trust', '--install').status, 0);
      await restart();
    });
    after(async () => {
      await visitor?.close();
      await daemon?.stop();
      sites?.stop();
    });

    test('without the policy a portal\'s page does not reach Tamga', async () => {
      assert.doesNotMatch(policies('status'), /: open$/m);

      // Without a window to ask in, Chromium says no at once.
      assert.equal(await answerOf(visitor, daemon.url), make === 'Chromium' ? 1006 : undecided);
    });

    test('the page then says what to do, and so does the page of Tamga itself', async () => {
      await visit('egov.kz');
      await visitor.decide('denied');

      const { error } = await open();

      assert.equal(error.reason, 'blocked_by_browser');
      assert.match(error.message, /Press the icon beside the address, allow access to apps on this device/);
      assert.match(error.russian, /Нажмите значок в адресной строке, разрешите доступ/);
      await visitor.goto(daemon.url.replace('wss:', 'https:')); // this computer's own page: nobody is asked
      assert.match(await page(() => document.body.textContent), /браузер[^]*разреш/i);
    });

    test('with the policy it signs, and nobody is asked', async () => {
      policies('install');
      await restart();
      if (make === 'Firefox') await visitor.decide('prompt'); // what was answered above; it is remembered

      assert.deepEqual(await open(), { result: { protocol: 'tamga.v1', secure: true, version: '1.0' } });
      const { result, error } = await page(() => window.page.sign('Өтініш'));

      assert.ifError(error);
      verifyCms(daemon, Buffer.from(result.signatures[0], 'base64'), 'Өтініш');
    });

    test('the policy opens this computer to portals alone', async () => {
      await visit('portal.test');

      assert.notEqual(await answerOf(visitor, daemon.url), greeting);
    });

    test('once it is taken back the page is kept out again', async () => {
      policies('remove');
      await restart();

      assert.notEqual(await answerOf(visitor, daemon.url), greeting);
      assert.deepEqual(['/etc/chromium/policies/managed/tamga.json', '/etc/firefox/policies/policies.json', '/var/lib/tamga'].filter(fs.existsSync), []);
    });
  });
}
