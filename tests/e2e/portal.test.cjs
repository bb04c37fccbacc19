// The reference portal in Chromium, with the daemon and keys on a SoftHSM2 token, on the GOST module, on a virtual card and in a
// file: signing in, services, and the account of a key owner. The portal judges what the daemon signed with openssl and
// xmlsec1. Leaves its screenshots in the build directory.
'use strict';

const assert = require('node:assert/strict');
const { execFile } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { after, before, beforeEach, describe, test } = require('node:test');
const { Sites } = require('./support/browser.cjs');
const { Daemon, build, root, testFolder, until } = require('./support/daemon.cjs');
const { Publisher, sample } = require('./support/publisher.cjs');
const { Readers } = require('./support/readers.cjs');
const { prepare, start } = require('./support/visitor.cjs');
const { makeRequest, startPortal } = require('../portal/support/visitor.cjs');
const { makeKeyFile, makeToken, store } = require('../portal/support/token.cjs');
const { password } = require('../portal/people.cjs');
const { describe: read, readCertificates, sha256 } = require('../portal/verify.cjs');

const bin = '123456789121';
const citizen = '123456789011';
const people = { head: '123456789021', signatory: '123456789022', employee: '123456789024' };
const pictures = path.join(build, 'pictures');
const patience = 60_000;
let sites;
let portal;

before(async () => {
  fs.mkdirSync(pictures, { recursive: true });
  sites = await Sites.start();
  portal = await startPortal({ name: 'portal.test', tls: sites.tls });
});
after(async () => {
  await portal?.end();
  sites?.stop();
});

/** A daemon that knows the portal, its services and its authority; and a browser of the same person. */
class Stand {
  static async start(options, files) {
    const stand = new Stand();
    const host = new URL(portal.origin).host;
    stand.daemon = await Daemon.start({ config: `[origins]\nallow = ["${host}"]\n${portal.configuration()}`, ...options });
    portal.tamga = stand.daemon.port;
    const publisher = new Publisher(stand.daemon);
    publisher.introduce();
    publisher.publish(sample.replaceAll('"services.portal.test"', `"${host}"`));
    for (const authority of [...Object.values(portal.authorities).flatMap((each) => [each.path('root.pem'), each.path('issuer.pem')]), ...(files?.(stand.daemon) ?? [])]) {
      stand.daemon.tamga('ca', 'add', authority);
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

  /** The command `tamga`, while the portal's services in this process go on answering. */
  tamga(...args) {
    const { HOME, XDG_RUNTIME_DIR, PATH } = this.daemon.env;
    return new Promise((resolve, reject) => {
      execFile(path.join(build, 'bin/tamga'), ['--language', 'en', ...args], { env: { HOME, XDG_RUNTIME_DIR, PATH }, timeout: patience },
        (failure, stdout, stderr) => (failure ? reject(new Error(`tamga ${args[0]}: ${stdout}${stderr}${this.daemon.log()}`)) : resolve(stdout)));
    });
  }

  /** A new visit of nobody. */
  async visit(place) {
    await this.page.context().clearCookies();
    await this.page.context().addCookies([{ name: 'language', value: 'en', url: portal.origin }]);
    await this.page.goto(`${portal.origin}${place}`);
  }
  /** Presses a button, and waits for the page that follows. */
  async press(name, next) {
    await Promise.all([this.page.waitForURL(next), this.page.getByRole('button', { name, exact: true }).click()]);
  }
  async picture(name) { fs.writeFileSync(path.join(pictures, `portal-${name}.png`), await this.page.screenshot({ fullPage: true })); }
  heading() { return this.page.locator('h1').textContent(); }
  state() { return this.page.locator('[data-state]').first().getAttribute('data-state'); }
  who() { return this.page.locator('.who').textContent(); }
  /** What the page says beside its button when the daemon gave no signature. */
  reason() { return this.page.locator('.outcome[data-reason]').getAttribute('data-reason'); }

  /** With the simulated application, in another tab in the place of a telephone. */
  async signInByQr(login) {
    await this.visit('/sign-in');
    const phone = await this.page.context().newPage();
    await phone.goto(`${portal.origin}${await this.page.locator('a[href^="/app?"]').getAttribute('href')}`);
    await phone.fill('#device', `${login}-device`);
    await phone.getByRole('button', { name: 'It is me' }).click();
    await phone.locator('.good').waitFor();
    await phone.close();
    await this.page.waitForURL(`${portal.origin}/`); // by itself: the page asks how it stands
  }

  /** On the page of a document: reads, ticks, signs. */
  async signDocument(next) {
    await this.page.check('#correct');
    await this.press('Sign', next);
  }
  async ask(service, more) {
    await this.page.goto(`${portal.origin}/services/${service}`);
    await this.page.fill('#words', 'Test Street 1');
    await this.press(more ?? 'Go on', (url) => url.pathname !== `/services/${service}`);
  }
}

const request = /\/requests\/\d+$/;
const lastCode = (login) => portal.store.one('SELECT m.text FROM messages m JOIN people p USING (phone) WHERE login = ? ORDER BY id DESC', login).text.slice(0, 6);
const serialOf = async ({ certificate }) => (await read(certificate)).serial;

describe('with keys on a token', () => {
  let folder;
  let stand;
  let keys;

  before(async () => {
    folder = testFolder('portal-token');
    keys = {
      authentication: await portal.makeKey({ iin: citizen, purpose: 'authentication', kind: 'rsa' }),
      signature: await portal.makeKey({ iin: citizen, kind: 'rsa' }),
    };
    for (const [login, iin] of Object.entries(people)) keys[login] = await portal.makeKey({ iin, bin });
    stand = await Stand.start({ modules: makeToken(folder, Object.values(keys)) });
  });
  after(async () => {
    await stand?.stop();
    fs.rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(() => stand.daemon.person('key first\npin 12345678\naccept\n'));

  test('a citizen signs in with login and password, for a service that never reaches the window', async () => {
    const { page } = stand;
    const windows = stand.daemon.shown().length;
    await stand.visit('/sign-in');
    await page.fill('#login', 'citizen');
    await page.fill('#password', password);
    await stand.press('Sign in', `${portal.origin}/`);
    assert.equal(await stand.who(), 'CITIZEN 1');

    await stand.ask('address-certificate');
    assert.equal(await stand.state(), 'accepted');
    await stand.ask('no-criminal-record', 'Confirm by a code');
    await page.fill('#code', lastCode('citizen'));
    await page.getByRole('button', { name: 'Confirm', exact: true }).click();
    await page.locator('[data-state=accepted]').waitFor();

    assert.equal(stand.daemon.shown().length, windows);
    assert.doesNotMatch(stand.daemon.log(), /asked="sign"/);
  });

  test('a citizen signs in with the authentication key and the code from 1414', async () => {
    await stand.visit('/sign-in');
    await stand.picture('sign-in');
    await stand.press('Sign in with a key', /\/sign-in\/code$/);
    await stand.page.fill('#code', lastCode('citizen'));
    await stand.press('Confirm', `${portal.origin}/`);

    assert.equal(await stand.who(), 'CITIZEN 1');
    assert.match(stand.daemon.shown().at(-1).purpose, /sign/i);
  });

  test('a citizen signs in by the QR code, applies for a service that needs an EDS, and sees it accepted', async () => {
    await stand.signInByQr('citizen');
    assert.equal(await stand.who(), 'CITIZEN 1');

    await stand.ask('address-change');
    await stand.picture('document');
    await stand.signDocument(request);

    assert.equal(await stand.state(), 'accepted');
    assert.match(await stand.page.locator('main').textContent(), /Confirmed by a signature/);
    const window = stand.daemon.shown().at(-1);
    assert.match(window.service, /Registration of a new address/);
    assert.match(window.documents[0].text, /<content>Test Street 1<\/content>/);
  });

  test('somebody else\'s key cannot be chosen where the portal demands the person\'s own', async () => {
    await stand.signInByQr('other');
    await stand.ask('address-change');

    await stand.page.check('#correct');
    await stand.page.getByRole('button', { name: 'Sign', exact: true }).click();

    assert.equal(await stand.reason(), 'key_not_found');
    const { keys: shown } = stand.daemon.shown().at(-1);
    assert.ok(shown.length > 0 && shown.every(({ fits }) => !fits), JSON.stringify(shown));
    assert.match(stand.page.url(), /\/documents\//);
  });

  test('an employee cannot approve; the signatory can when the head has authorised them', async () => {
    const number = portal.store.insert('applications', { iin: people.employee, bin, role: 'employee', state: 'submitted', store: 'Kaztoken', signed: Buffer.from('x'), at: portal.now() }).lastInsertRowid;
    const place = `${portal.origin}/account/employees/applications/${number}`;
    const refused = () => stand.page.locator('[role=alert]').getAttribute('data-reason');

    await stand.signInByQr('employee');
    await stand.page.goto(place);
    assert.equal(await refused(), 'role_insufficient');
    await stand.signInByQr('signatory');
    await stand.page.goto(place);
    assert.equal(await refused(), 'not_authorised');

    await stand.signInByQr('head');
    await stand.page.goto(`${portal.origin}/account/delegations`);
    await stand.picture('delegations');
    await Promise.all([stand.page.waitForURL(/\/documents\//), stand.page.locator('tr', { hasText: 'SIGNATORY' }).getByRole('button').click()]);
    await stand.signDocument(/\/account\/delegations$/);

    await stand.signInByQr('signatory');
    await stand.page.goto(place);
    await stand.page.check('#correct');
    await stand.press('Approve', /\/documents\//);
    await stand.signDocument(/\/account\/employees$/);

    assert.equal(portal.store.one('SELECT state FROM applications WHERE number = ?', number).state, 'issued');
    assert.match(stand.daemon.shown().at(-1).documents[0].text, new RegExp(`application: ${number}`));
  });

  test('a citizen renews both keys: hands the files in, gets the certificates, and signs with the new key', async () => {
    const { page, daemon } = stand;
    const place = (name, content) => {
      if (content) fs.writeFileSync(path.join(daemon.home, name), content);
      return path.join(daemon.home, name);
    };
    const made = { authentication: makeRequest({ iin: citizen }), signature: makeRequest({ iin: citizen }) };
    const named = Object.entries(made).map(([purpose, { der }]) => `${purpose}: ${sha256(der)}\n`).join('');
    await stand.tamga('sign', place('application.txt', `Application for new certificates\n${named}`), '-o', place('application.cms'), '--serial', await serialOf(keys.signature));
    await stand.signInByQr('citizen');

    await page.goto(`${portal.origin}/account/renew`);
    await page.setInputFiles('#signed', place('application.cms'));
    for (const [purpose, { der }] of Object.entries(made)) await page.setInputFiles(`#${purpose}`, place(`${purpose}.p10`, der));
    await page.fill('#locality', 'Test Town');
    await page.check('#correct');
    await stand.picture('renew');
    await stand.press('Send', /\/account\/applications\/\d+$/);
    assert.equal(await stand.state(), 'issued');
    await stand.picture('issued');

    const issued = {};
    for (const [at, purpose] of Object.keys(made).entries()) {
      const [download] = await Promise.all([page.waitForEvent('download'), page.locator(`a[href$="${purpose}.cer"]`).click()]);
      issued[purpose] = fs.readFileSync(await download.path());
      store(folder, `1${at}`, { key: made[purpose].key, certificate: issued[purpose] });
    }
    await stand.press('The certificates are installed', /\/account\/applications\/\d+$/);
    await page.locator('[data-state=installed]').waitFor();
    const serial = await serialOf({ certificate: issued.signature });
    await stand.tamga('sign', place('letter.txt', 'A letter'), '-o', place('letter.cms'), '--serial', serial);
    const { content, signer } = await portal.judge.cms(fs.readFileSync(place('letter.cms')));
    assert.deepEqual([content.toString(), signer.serial], ['A letter', serial]);
  });

  test('certificates are revoked by a signed application, in the order that is recommended', async () => {
    const [authentication, signature] = [await serialOf(keys.authentication), await serialOf(keys.signature)];
    await stand.signInByQr('citizen');

    for (const serial of [authentication, signature]) {
      await stand.page.goto(`${portal.origin}/account/keys?state=valid`);
      await stand.page.locator('tr', { hasText: serial }).getByRole('link').click();
      if (serial === authentication) await stand.picture('revoke');
      await stand.page.fill('#reason', 'End of a test');
      await stand.page.check('#consent');
      await stand.press('Go on', /\/documents\//);
      await stand.signDocument(/\/account\/keys$/);
    }

    await stand.page.goto(`${portal.origin}/account/keys?state=revoked`);
    await stand.picture('keys');
    const shown = await stand.page.locator('tbody').textContent();
    assert.ok(shown.includes(authentication) && shown.includes(signature));
    await stand.ask('address-change');
    await stand.page.check('#correct');
    await stand.page.getByRole('button', { name: 'Sign', exact: true }).click();
    // The daemon has asked the portal's OCSP meanwhile, or the portal itself says no.
    await until('a refusal', async () => await stand.page.locator('.outcome[data-reason], [role=alert]').count() > 0, patience);
    assert.doesNotMatch(stand.page.url(), request);
  });
});

test('the demonstration of a renewal comes to its end: pairs, requests, certificates of the portal, a signature with the new key', async () => {
  const program = path.join(root, 'tests/demo/account.cjs');
  const { failure, stdout, stderr } = await new Promise((resolve) => {
    execFile(process.execPath, [program], { env: { ...process.env, TAMGA_BUILD: build }, timeout: 300_000 }, (...[error, out, err]) => resolve({ failure: error, stdout: out, stderr: err }));
  });

  assert.equal(failure, null, stdout + stderr);
  assert.match(stdout, /signed with the certificate [0-9a-f]+\./);
  assert.equal(stdout.match(/of application 1$/gm).length, 2);
  assert.match(stdout, /\nDone\.\n$/);
});

/** The other places where keys lie: [options of the daemon, further authorities that the portal trusts, what the person does]. */
const places = {
  'a GOST key on a token': async () => ({
    options: { gost: ['s_r', 'gost512'] }, authorities: (daemon) => [path.join(daemon.token, 'ca-gost.pem')],
    person: 'key first\npin 12345678\naccept\n',
  }),
  'an RSA key on a virtual card, through OpenSC': async () => {
    const readers = await Readers.start();
    return {
      options: { families: true, env: readers.env }, authorities: () => [0, 1].map((reader) => path.join(readers.token(reader), 'ca.pem')),
      person: 'key first\npin 12345678\naccept\n', end: () => readers.stop(),
    };
  },
  'a key in a file': async () => {
    const folder = testFolder('portal-file');
    const file = path.join(folder, 'key.p12');
    makeKeyFile(file, await portal.makeKey({ iin: citizen }), 'Qwerty12');
    return {
      options: { modules: '' }, person: `file ${file}\nkey first\npin Qwerty12\naccept\n`, end: () => fs.rmSync(folder, { recursive: true }),
    };
  },
};

for (const [name, make] of Object.entries(places)) {
  test(`with ${name} a citizen applies for a service that needs an EDS, and revokes a certificate`, async () => {
    const { options, authorities, person, end } = await make();
    let stand;
    try {
      stand = await Stand.start(options, authorities);
      portal.judge.authorities.push(...(authorities?.(stand.daemon) ?? []).flatMap(readCertificates));
      const victim = await serialOf(await portal.makeKey({ iin: citizen, purpose: 'authentication' }));
      stand.daemon.person(person);
      await stand.signInByQr('citizen');

      await stand.ask('address-change');
      await stand.signDocument(request);
      assert.equal(await stand.state(), 'accepted');

      await stand.page.goto(`${portal.origin}/account/revoke/${victim}`);
      await stand.page.fill('#reason', 'End of a test');
      await stand.page.check('#consent');
      await stand.press('Go on', /\/documents\//);
      await stand.signDocument(/\/account\/keys$/);
      assert.equal(await stand.page.locator('tr', { hasText: victim }).locator('[data-state]').getAttribute('data-state'), 'revoked');
    } finally {
      await stand?.stop();
      await end?.();
    }
  });
}
