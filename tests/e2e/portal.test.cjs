// The reference portal in Chromium, with the daemon and keys on a SoftHSM2 token: signing in, services, and the account of a key
// owner. The portal judges what the daemon signed with openssl and xmlsec1. Leaves its screenshots in the build directory. The
// other places where keys lie are account.test.cjs's affair.
'use strict';

const assert = require('node:assert/strict');
const { execFile } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { after, before, beforeEach, describe, test } = require('node:test');
const { Sites } = require('./support/browser.cjs');
const { build, root, testFolder, until } = require('./support/daemon.cjs');
const { Stand, patience } = require('./support/stand.cjs');
const { makeRequest, startPortal } = require('../portal/support/visitor.cjs');
const { makeToken, store } = require('../portal/support/token.cjs');
const { password } = require('../portal/people.cjs');
const { describe: read, sha256 } = require('../portal/verify.cjs');

const bin = '123456789121';
const citizen = '123456789011';
const people = { head: '123456789021', signatory: '123456789022', employee: '123456789024' };
let sites;
let portal;

before(async () => {
  sites = await Sites.start();
  portal = await startPortal({ name: 'portal.test', tls: sites.tls });
});
after(async () => {
  await portal?.end();
  sites?.stop();
});

const request = /\/requests\/\d+$/;
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
    stand = await Stand.start(portal, sites, { modules: makeToken(folder, Object.values(keys)) });
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
    await page.fill('#code', stand.code('citizen'));
    await page.getByRole('button', { name: 'Confirm', exact: true }).click();
    await page.locator('[data-state=accepted]').waitFor();

    assert.equal(stand.daemon.shown().length, windows);
    assert.doesNotMatch(stand.daemon.log(), /asked="sign"/);
  });

  test('a citizen signs in with the authentication key and the code from 1414', async () => {
    await stand.visit('/sign-in');
    await stand.picture('sign-in');
    await stand.press('Sign in with a key', /\/sign-in\/code$/);
    await stand.page.fill('#code', stand.code('citizen'));
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
    const made = { authentication: makeRequest({ iin: citizen }), signature: makeRequest({ iin: citizen }) };
    const named = Object.entries(made).map(([purpose, { der }]) => `${purpose}: ${sha256(der)}\n`).join('');
    await stand.tamga('sign', stand.file('application.txt', `Application for new certificates\n${named}`), '-o', stand.file('application.cms'), '--serial', await serialOf(keys.signature));
    await stand.signInByQr('citizen');

    const requests = Object.fromEntries(Object.entries(made).map(([purpose, { der }]) => [purpose, stand.file(`${purpose}.p10`, der)]));
    await stand.handIn({ signed: stand.file('application.cms'), ...requests });
    assert.equal(await stand.state(), 'issued');
    await stand.picture('issued');

    const issued = {};
    for (const [at, purpose] of Object.keys(made).entries()) {
      issued[purpose] = await stand.download(`${purpose}.cer`);
      store(folder, `1${at}`, { key: made[purpose].key, certificate: issued[purpose] });
    }
    await stand.press('The certificates are installed', /\/account\/applications\/\d+$/);
    await stand.page.locator('[data-state=installed]').waitFor();
    const serial = await serialOf({ certificate: issued.signature });
    await stand.tamga('sign', stand.file('letter.txt', 'A letter'), '-o', stand.file('letter.cms'), '--serial', serial);
    const { content, signer } = await portal.judge.cms(fs.readFileSync(stand.file('letter.cms')));
    assert.deepEqual([content.toString(), signer.serial], ['A letter', serial]);
  });

  test('certificates are revoked by a signed application, in the order that is recommended', async () => {
    const [authentication, signature] = [await serialOf(keys.authentication), await serialOf(keys.signature)];
    await stand.signInByQr('citizen');

    for (const serial of [authentication, signature]) {
      await stand.page.goto(`${portal.origin}/account/keys?state=valid`);
      await stand.page.locator('tr', { hasText: serial }).getByRole('link').click();
      if (serial === authentication) await stand.picture('revoke');
      await stand.revoke(/\/account\/keys$/);
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
