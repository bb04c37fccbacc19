// Every task that a key's owner has in the account (docs/keys.md has the table), in Chromium, wherever the keys lie: on a token of
// the GOST module, on a virtual card through stock OpenSC (RSA), in key files (PKCS#12). One story, row by row; each row stands on
// those before it. The reference portal judges what was signed with openssl and xmlsec1.
'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { after, before, describe, test } = require('node:test');
const { Sites } = require('./support/browser.cjs');
const { testFolder } = require('./support/daemon.cjs');
const { Readers } = require('./support/readers.cjs');
const { Stand } = require('./support/stand.cjs');
const { makeRequest, startPortal } = require('../portal/support/visitor.cjs');
const { fitsCard, makeGostToken, makeKeyFile, storeOnCard } = require('../portal/support/token.cjs');
const { describe: read, sha256 } = require('../portal/verify.cjs');

const bin = '123456789121';
const iins = { citizen: '123456789011', head: '123456789021', signatory: '123456789022', employee: '123456789024' };
const owners = { authentication: 'citizen', citizen: 'citizen', head: 'head', signatory: 'signatory', employee: 'employee' };
const pin = '12345678';
const serialOf = async ({ certificate }) => (await read(certificate)).serial;
/** On a token with the keys of several people the owner points at a line with their own name. */
const atToken = (owner, typed = pin) => `key subject=${owners[owner].toUpperCase()}\npin ${typed}\naccept\n`;

/**
 * Where keys lie: the kind of the keys, and which of them fit; `lay` puts pairs there and gives the options of the daemon, what a person does, and how it
 * ends. What `cannot` yet be done there waits.
 */
const media = {
  'a token with GOST keys': {
    kind: 'gost512', cannot: {},
    async lay(pairs) {
      const folder = testFolder('account-gost');
      return { options: { modules: makeGostToken(folder, Object.values(pairs)) }, person: atToken, end: () => fs.rmSync(folder, { recursive: true }) };
    },
  },
  'a virtual card with RSA keys, through OpenSC': {
    kind: 'rsa', fits: fitsCard, cannot: { makePairs: true, changePassword: true },
    async lay(pairs) {
      const readers = await Readers.start();
      await storeOnCard(readers, 0, Object.values(pairs));
      await readers.removed(1);
      return { options: { families: true, env: readers.env }, person: atToken, end: () => readers.stop() };
    },
  },
  'key files': {
    kind: 'rsa', cannot: { makePairs: true, changePassword: true },
    async lay(pairs) {
      const folder = testFolder('account-files');
      const file = (owner) => path.join(folder, `${owner}.p12`);
      for (const [owner, pair] of Object.entries(pairs)) makeKeyFile(file(owner), pair, 'Qwerty12');
      return {
        options: { modules: '' }, person: (owner) => `file ${file(owner)}\nkey first\npin Qwerty12\naccept\n`, end: () => fs.rmSync(folder, { recursive: true }),
      };
    },
  },
};

let sites;
before(async () => { sites = await Sites.start(); });
after(() => sites?.stop());

for (const [name, { kind, fits, cannot, lay }] of Object.entries(media)) {
  describe(`with ${name}`, () => {
    let portal;
    let stand;
    let pairs;
    let place;
    let applied; // the citizen's application: { ours, number, issued }

    before(async () => {
      portal = await startPortal({ name: 'portal.test', tls: sites.tls });
      pairs = {};
      for (const [owner, login] of Object.entries(owners)) {
        pairs[owner] = await portal.makeKey({ iin: iins[login], kind, bin: login === 'citizen' ? null : bin, purpose: owner === 'authentication' ? owner : 'signature', fits });
      }
      place = await lay(pairs);
      stand = await Stand.start(portal, sites, place.options, kind === 'rsa' ? 'rsa' : 'gost512');
    });
    after(async () => {
      await stand?.stop();
      await place?.end();
      await portal?.end();
    });

    /** From now on this person sits at the computer, with the key of theirs that is meant. */
    const person = (owner) => stand.daemon.person(place.person(owner));
    const signIn = async (login) => {
      await stand.signInByQr(login);
      person(login);
    };

    /**
     * What is handed in: { files by their field, ours: the number of the application here }. Made by `keys renew` where new pairs can
     * be made; elsewhere with requests by openssl, and an application that the present key signs as any document.
     */
    async function apply(owner, purposes, folder = owner) {
      const serials = await Promise.all(purposes.map((purpose) => serialOf(pairs[purpose === 'authentication' ? purpose : owner])));
      const out = stand.file(folder);
      fs.mkdirSync(out);
      if (cannot.makePairs) {
        const made = Object.fromEntries(purposes.map((purpose) => [purpose, makeRequest({ iin: iins[owner], bin: owner === 'citizen' ? undefined : bin }).der]));
        const named = Object.entries(made).map(([purpose, der]) => `${purpose}: ${sha256(der)}\n`).join('');
        const signed = path.join(out, 'application.cms');
        await stand.tamga('sign', stand.file(`${folder}.txt`, `Application for new certificates\n${named}`), '-o', signed, '--serial', serials.at(-1));
        return { files: { signed, ...Object.fromEntries(Object.entries(made).map(([purpose, der]) => [purpose, stand.file(`${folder}-${purpose}.p10`, der)])) } };
      }
      const told = await stand.tamga('keys', 'renew', '--yes', '--json', ...serials.flatMap((serial) => ['--certificate', serial]), '--email', 'person@example.test', '--out', out);
      const { number, keys } = JSON.parse(told.trim().split('\n').at(-1));
      const files = Object.fromEntries(keys.map(({ use }, at) => [use, path.join(out, `${number}-${at + 1}.p10`)]));
      return { files: { signed: path.join(out, `${number}.cms`), ...files }, ours: number };
    }

    test('sign in: the authentication key signs the challenge, and 1414 sends the code', async () => {
      person('authentication');
      await stand.visit('/sign-in');
      await stand.press('Sign in with a key', /\/sign-in\/code$/);
      await stand.page.fill('#code', stand.code('citizen'));
      await stand.press('Confirm', `${portal.origin}/`);

      assert.equal(await stand.who(), 'CITIZEN 1');
      await stand.page.goto(`${portal.origin}/account`);
      assert.equal(await stand.heading(), 'Account of the key owner');
    });

    test('profile and settings: the language changes, and nobody is asked for a key', async () => {
      const windows = stand.daemon.shown().length;

      await stand.page.selectOption('#language', 'ru');
      await stand.page.uncheck('#letters');
      await Promise.all([stand.page.waitForURL(/\/account$/), stand.page.getByRole('button', { name: 'Save' }).click()]);

      assert.equal(await stand.page.locator('html').getAttribute('lang'), 'ru');
      assert.equal(await stand.page.isChecked('#letters'), false);
      assert.equal(stand.daemon.shown().length, windows);
    });

    test('a service that needs an EDS is applied for with the signature key, and accepted', async () => {
      await signIn('citizen');

      await stand.ask('address-change');
      await stand.signDocument(/\/requests\/\d+$/);

      assert.equal(await stand.state(), 'accepted');
    });

    test(`renew: ${cannot.makePairs ? 'an application' : 'new pairs, their requests and an application'} signed with the present key, handed in and remembered by its number`, async () => {
      const { files, ours } = await apply('citizen', ['authentication', 'signature']);
      await stand.page.goto(`${portal.origin}/account`);

      const number = await stand.handIn(files);

      applied = { ours, number };
      assert.match(await stand.heading(), new RegExp(`${number}`));
      assert.equal(await stand.state(), 'issued');
    });

    test('application status: found by its number, with the certificates that were issued', async () => {
      await stand.page.goto(`${portal.origin}/account/applications`);
      await stand.page.fill('#number', String(applied.number));
      await stand.page.getByRole('button', { name: 'Find' }).click();
      await stand.page.locator('h1', { hasText: `${applied.number}` }).waitFor();

      assert.equal(await stand.state(), 'issued');
      applied.certificates = stand.file('certificates.p7b', await stand.download('certificates.p7b'));
      applied.signature = await stand.download('signature.cer');
    });

    if (!cannot.makePairs) {
      test('install certificates: each beside its key and tried, and the new key signs', async () => {
        await stand.tamga('keys', 'submitted', applied.ours, '--portal-number', String(applied.number));
        const told = JSON.parse(await stand.tamga('keys', 'install', applied.certificates, '--json'));
        assert.equal(told.application.state, 'installed');
        assert.equal(told.old.length, 2);
        await stand.press('The certificates are installed', /\/account\/applications\/\d+$/);
        await stand.page.locator('[data-state=installed]').waitFor();

        const serial = await serialOf({ certificate: applied.signature });
        await stand.tamga('sign', stand.file('letter.txt', 'A letter'), '-o', stand.file('letter.cms'), '--serial', serial);
        const { content, signer } = await portal.judge.cms(fs.readFileSync(stand.file('letter.cms')));
        assert.deepEqual([content.toString(), signer.serial], ['A letter', serial]);
      });
    }

    test('list of keys: the portal has all with their state, and so has Tamga of those that were used here', async () => {
      const known = await Promise.all([pairs.authentication, pairs.citizen, { certificate: applied.signature }].map(serialOf));
      await stand.page.goto(`${portal.origin}/account/keys?state=valid`);

      const shown = await stand.page.locator('tbody').textContent();
      const here = await stand.tamga('keys', 'list', '--state', 'valid');

      for (const serial of known) assert.ok(shown.includes(serial), serial);
      assert.ok(here.includes(known[1]), here);
    });

    if (!cannot.changePassword) {
      test('change PIN: of the whole token, after which the new one signs and the old one does not', async () => {
        stand.daemon.person('key first\npin 12345678\nnew_pin 24681357\naccept\n');
        await stand.tamga('pin', 'change');

        stand.daemon.person(atToken('citizen', '24681357'));
        await stand.ask('address-change');
        await stand.signDocument(/\/requests\/\d+$/);
        assert.equal(await stand.state(), 'accepted');

        stand.daemon.person(atToken('citizen'));
        await stand.ask('address-change');
        await stand.page.check('#correct');
        await stand.page.getByRole('button', { name: 'Sign', exact: true }).click();
        assert.equal(await stand.reason(), 'user_cancelled');
        assert.match(stand.daemon.shown().at(-1).errors.join(), /PIN/);
        stand.daemon.person('key first\npin 24681357\nnew_pin 12345678\naccept\n');
        await stand.tamga('pin', 'change');
      });
    }

    test('employees\' applications: declined by the head; by the signatory only with the head\'s authorisation, then approved', async () => {
      const numbers = [];
      await signIn('employee');
      for (const round of ['first', 'second']) {
        const { files } = await apply('employee', ['signature'], round);
        numbers.push(await stand.handIn(files));
        assert.equal(await stand.state(), 'submitted');
      }
      const at = (number) => `${portal.origin}/account/employees/applications/${number}`;
      const stateOf = (number) => portal.store.one('SELECT state FROM applications WHERE number = ?', number).state;
      const decide = async (number, decision, reason = '') => {
        await stand.page.goto(at(number));
        await stand.page.fill('#reason', reason);
        await stand.page.check('#correct');
        await stand.press(decision, /\/documents\//);
        await stand.signDocument(/\/account\/employees$/);
        assert.match(stand.daemon.shown().at(-1).documents[0].text, new RegExp(`application: ${number}`));
      };

      await stand.page.goto(at(numbers[0]));
      assert.equal(await stand.page.locator('[role=alert]').getAttribute('data-reason'), 'role_insufficient');
      await signIn('signatory');
      await stand.page.goto(at(numbers[0]));
      assert.equal(await stand.page.locator('[role=alert]').getAttribute('data-reason'), 'not_authorised');

      await signIn('head');
      await decide(numbers[0], 'Decline', 'Not on this token');
      assert.equal(stateOf(numbers[0]), 'declined');
      await stand.page.goto(`${portal.origin}/account/delegations`);
      await Promise.all([stand.page.waitForURL(/\/documents\//), stand.page.locator('tr', { hasText: 'SIGNATORY' }).getByRole('button').click()]);
      await stand.signDocument(/\/account\/delegations$/);

      await signIn('signatory');
      await decide(numbers[1], 'Approve');
      assert.equal(stateOf(numbers[1]), 'issued');
    });

    test('employees\' key list: the head finds an employee\'s certificate and signs its revocation', async () => {
      const serial = await serialOf(pairs.employee);
      await signIn('head');
      await stand.page.goto(`${portal.origin}/account/employees/keys`);
      await stand.page.fill('#iin', iins.employee);
      await stand.page.getByRole('button', { name: 'Find' }).click();
      await stand.page.locator('tr', { hasText: serial }).getByRole('link').click();

      await stand.revoke(/\/account\/employees\/keys/);

      assert.equal(await stand.page.locator('tr', { hasText: serial }).locator('[data-state]').getAttribute('data-state'), 'revoked');
    });

    test('revoke: the authentication certificate first, then that of the signature key, which signs both', async () => {
      await signIn('citizen');
      for (const pair of ['authentication', 'citizen']) {
        const serial = await serialOf(pairs[pair]);
        await stand.page.goto(`${portal.origin}/account/revoke/${serial}`);
        await stand.revoke(/\/account\/keys$/);
        assert.equal(await stand.page.locator('tr', { hasText: serial }).locator('[data-state]').getAttribute('data-state'), 'revoked');
      }
    });
  });
}
