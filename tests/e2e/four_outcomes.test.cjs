// The reference page asks for each of four services of the sample catalogue, in Chromium and Firefox, and what the law's
// rule makes of them is what the page shows. Leaves its screenshots in the build directory.
'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { after, before, describe, test } = require('node:test');
const { Sites } = require('./support/browser.cjs');
const { Daemon, build, root, until, verifyCms } = require('./support/daemon.cjs');
const { Publisher, sample } = require('./support/publisher.cjs');
const { prepare, start } = require('./support/visitor.cjs');

const read = (name) => fs.readFileSync(path.join(root, name), 'utf8');
/** README's example, as it stands there. */
const [, example] = read('protocol/js/README.md').match(/```js\n([^]*?)```/);
const pictures = path.join(build, 'pictures');
const files = {
  '/tamga.mjs': { body: read('protocol/js/tamga.mjs') },
  '/services.html': { body: read('tests/e2e/pages/services.html') },
  '/services.mjs': { body: read('tests/e2e/pages/services.mjs') },
  '/example/page.html': { body: '<!DOCTYPE html><meta charset="utf-8"><script type="module" src="page.mjs"></script>' },
  '/example/page.mjs': { body: `${example}\nwindow.signApplication = signApplication;\n` },
};
/** For the example: the client, at the port of a test. */
const clientAt = (port) => `import { connect as at, TamgaError } from '../tamga.mjs';
const connect = (options) => at({ ...options, port: ${port} });
export { connect, TamgaError };`;
const name = (service) => `sample-body/${service}`;
let sites;

before(async () => {
  fs.mkdirSync(pictures, { recursive: true });
  sites = await Sites.start(files);
});
after(() => sites?.stop());

for (const make of ['Chromium', 'Firefox']) {
  describe(make, () => {
    const portal = () => `services.portal.test:${sites.port}`;
    let daemon;
    let publisher;
    let visitor;

    /** The catalogue names the sites of the test with their port, and a licence belongs to another site alone. */
    const catalogue = () => sample
      .replaceAll('"services.portal.test"', `"${portal()}"`)
      .replace(`"licence.portal.test", "${portal()}"`, '"licence.portal.test"');

    before(async () => {
      daemon = await Daemon.start({ config: `[origins]\nallow = ["${portal()}"]\n` });
      publisher = new Publisher(daemon);
      publisher.introduce();
      publisher.publish(catalogue());
      prepare(make, daemon.home, sites);
      daemon.tamga('trust', '--install');
      visitor = await start(make, daemon.home);
      files['/example/tamga.mjs'] = { body: clientAt(daemon.port) };
    });
    after(async () => {
      await visitor?.close();
      await daemon?.stop();
    });

    test('two services get their signature, one needs none, one is another site\'s', async () => {
      daemon.person('key first\npin 12345678\naccept\n');
      await visitor.goto(`https://${portal()}/services.html?port=${daemon.port}`);

      await visitor.evaluate(() => document.querySelector('#all').click());

      const outcomes = await until('four outcomes', async () => {
        const seen = await visitor.evaluate(() => [...document.querySelectorAll('#services li')].map((row) => [row.dataset.service,
          row.dataset.outcome, row.querySelector('.outcome').textContent]));
        return seen.every(([, outcome]) => outcome && outcome !== 'asked') && seen;
      }, 60_000);
      fs.writeFileSync(path.join(pictures, `four-outcomes-${make.toLowerCase()}.png`), await visitor.screenshot());
      assert.deepEqual(outcomes.map(([service, outcome]) => [service, outcome]), [
        [name('address-change'), 'signed'],
        [name('no-criminal-record'), 'signed'],
        [name('address-certificate'), 'eds_not_required'],
        [name('pharmacy-licence'), 'service_origin'],
      ]);
      assert.match(outcomes[1][2], /вместо одноразового пароля/);
      for (const [, outcome, words] of outcomes.slice(2)) assert.match(words, new RegExp(`^[А-ЯЁ].{20,}\\(${outcome}\\)$`));
      assert.match(await visitor.evaluate(() => document.querySelector('#state').textContent), /^tamga\.v1 1\.\d+, wss$/);
    });

    test('the window said which service it is for, and was not opened for what was refused', async () => {
      const windows = daemon.shown();

      assert.equal(windows.length, 2);
      assert.match(windows[0].service, /Регистрация по месту жительства \(образец\)/);
      assert.match(windows[1].service, /Справка об отсутствии судимости \(образец\)/);
      const signatures = await visitor.evaluate(() => window.signatures);
      for (const [service, words] of [['address-change', /^Регистрация/], ['no-criminal-record', /^Справка/]]) {
        assert.match(verifyCms(daemon, Buffer.from(signatures[name(service)], 'base64')).toString(), words);
      }
    });

    test('the example in the client\'s README does what it says', async () => {
      daemon.person('key first\npin 12345678\naccept\n');
      await visitor.goto(`https://${portal()}/example/page.html`);

      const [signature, shown] = await visitor.evaluate(async () => {
        const heard = [];
        const file = new File(['Өтініш'], 'application.txt', { type: 'text/plain' });
        return [await window.signApplication(file, { language: 'kk', show: (words) => heard.push(words) }), heard];
      });

      verifyCms(daemon, Buffer.from(signature, 'base64'), 'Өтініш');
      assert.match(shown[0], /^asking 0\/0$/);
      assert.match(daemon.shown().at(-1).purpose, /application\.txt/);
    });

    test('a service in no catalogue is refused', async () => {
      fs.rmSync(publisher.place);

      const [signature, shown] = await visitor.evaluate(async () => {
        const heard = [];
        return [await window.signApplication(new File(['hi'], 'a'), { language: 'en', show: (words) => heard.push(words) }), heard];
      });

      assert.ok(!signature);
      assert.match(shown.at(-1), /known|service/);
    });
  });
}
