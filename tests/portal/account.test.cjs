// The account of a key owner: every step of it, for a citizen, an employee, a head, and for who has the right to sign or is
// of personnel, with the head's authorisation and without.
'use strict';

const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const fs = require('node:fs');
const { after, before, beforeEach, describe, test } = require('node:test');
const { fromPem } = require('./der.cjs');
const { signedAnew } = require('./national.cjs');
const { atWorkbench } = require('./openssl.cjs');
const { describe: read } = require('./verify.cjs');
const { Visitor, makeRequest, signCms, startPortal, tool } = require('./support/visitor.cjs');

const bin = '123456789121';
const iins = { citizen: '123456789011', other: '123456789012', abroad: '123456789014', head: '123456789021', signatory: '123456789022', personnel: '123456789023', employee: '123456789024', head2: '123456789031' };
const sha256 = (octets) => crypto.createHash('sha256').update(octets).digest('hex');
const keys = {};
let portal;

before(async () => {
  portal = await startPortal();
  keys.other = await portal.makeKey({ iin: iins.other });
  for (const login of ['head', 'signatory', 'personnel', 'employee']) keys[login] = await portal.makeKey({ iin: iins[login], bin });
  keys.citizen = await portal.makeKey({ iin: iins.citizen, kind: 'rsa' });
  keys.head2 = await portal.makeKey({ iin: iins.head2, bin: '123456789122' });
});
after(() => portal?.end());
beforeEach(() => portal.store.run('UPDATE delegations SET ended_at = 1'));

async function inAccount(login) {
  const visitor = new Visitor(portal);
  await visitor.signInByQr(login);
  return visitor;
}
const stateOf = ({ text }) => text.match(/data-state="(\w+)"/)?.[1];
const serialOf = async ({ certificate }) => (await read(certificate)).serial;
const isRevoked = (serial) => portal.store.one('SELECT revoked_at FROM certificates WHERE serial = ?', serial).revoked_at !== null;

/** Hands an application in. @param made { purpose: { der } } */
function apply(visitor, pair, made, { text, ...more } = {}) {
  const named = Object.entries(made).map(([purpose, { der }]) => `request ${purpose}: ${sha256(der)}\n`).join('');
  return visitor.post('/account/renew', {
    signed: signCms(pair, text ?? `Application to renew\n${named}`), ...Object.fromEntries(Object.entries(made).map(([purpose, { der }]) => [purpose, der])),
    email: 'nobody@example.test', locality: 'Test Town', store: 'Kaztoken', correct: 'yes', ...more,
  });
}
const request = (login, more = {}) => makeRequest({ iin: iins[login], bin: ['citizen', 'other'].includes(login) ? undefined : bin, ...more });
/** An employee's application that waits; its number. */
async function waiting(login = 'employee') {
  const { path } = await apply(await inAccount(login), keys[login], { both: request(login) });
  return path.split('/').at(-1);
}
const decision = (visitor, number, more) => visitor.post(`/account/employees/applications/${number}`, { correct: 'yes', decision: 'approve', ...more });
const authorise = async (login) => {
  const head = await inAccount('head');
  return head.sign(await head.post('/account/delegations', { iin: iins[login], authorise: 'yes' }), keys.head);
};

test('login and password do not open the account; a key with a code does', async () => {
  const visitor = new Visitor(portal);
  await visitor.signInByPassword('citizen');
  assert.equal((await visitor.get('/account')).reason, 'level_too_low');

  await visitor.signInByKey('citizen', await portal.makeKey({ iin: iins.citizen, purpose: 'authentication' }));

  assert.equal((await visitor.get('/account')).status, 200);
});

test('the settings keep the language, and that no letters are wanted', async () => {
  const visitor = await inAccount('citizen');

  await visitor.post('/account/settings', { language: 'ru' });

  assert.match((await visitor.get('/account')).text, /Кабинет владельца ключей/);
  assert.deepEqual(portal.store.one("SELECT language, letters FROM people WHERE login = 'citizen'"), { language: 'ru', letters: 0 });
});

test('the list of keys has every certificate with its state, and can be filtered by it', async () => {
  const revoked = await portal.makeKey({ iin: iins.other });
  const expired = await portal.makeKey({ iin: iins.other });
  portal.store.run('UPDATE certificates SET revoked_at = 1 WHERE serial = ?', await serialOf(revoked));
  portal.store.run('UPDATE certificates SET not_after = 1 WHERE serial = ?', await serialOf(expired));
  const visitor = await inAccount('other');
  const shown = async (filter) => [...(await visitor.get(`/account/keys${filter}`)).text.matchAll(/<code>([0-9a-f]+)<\/code>.*?data-state="(\w+)"/g)]
    .map(([, serial, state]) => [serial, state]);

  assert.deepEqual((await shown('')).map(([, state]) => state).sort(), ['expired', 'revoked', 'valid']);
  assert.deepEqual(await shown('?state=revoked'), [[await serialOf(revoked), 'revoked']]);
  assert.deepEqual(await shown('?state=expired'), [[await serialOf(expired), 'expired']]);
  assert.deepEqual(await shown('?state=valid'), [[await serialOf(keys.other), 'valid']]);
});

describe('renewal', () => {
  test('a citizen\'s application is approved, issued and can be installed, as .cer and as .p7b', async () => {
    const visitor = await inAccount('citizen');
    const made = { authentication: request('citizen', { rsa: true }), signature: request('citizen') };

    const issued = await apply(visitor, keys.citizen, made);
    assert.equal(stateOf(issued), 'issued');
    for (const [purpose, { key }] of Object.entries(made)) {
      const { octets } = await visitor.get(`${issued.path}/${purpose}.cer`);
      const described = await read(octets);
      assert.deepEqual([described.iin, described.roles, described.signsIn, described.signs], [iins.citizen, ['individual'], purpose === 'authentication', purpose === 'signature']);
      const own = tool('openssl', ['pkey', '-in', 'key.pem', '-pubout'], { 'key.pem': key });
      assert.deepEqual(tool('openssl', ['x509', '-inform', 'DER', '-in', 'certificate', '-noout', '-pubkey'], { certificate: octets }), own);
    }
    const bundle = await visitor.get(`${issued.path}/certificates.p7b`);
    const inside = tool('openssl', ['pkcs7', '-inform', 'DER', '-in', 'bundle', '-print_certs'], { bundle: bundle.octets }).toString();
    assert.equal(inside.match(/BEGIN CERTIFICATE/g).length, 4);

    assert.equal(stateOf(await visitor.post(`${issued.path}/installed`)), 'installed');
  });

  test('a request by a GOST key is issued by the authority for such keys', async () => {
    const visitor = await inAccount('citizen');
    const der = await atWorkbench(async (bench) => {
      await bench.openssl('genpkey', '-algorithm', 'gost2012_512', '-pkeyopt', 'paramset:A', '-out', 'key.pem');
      const made = await bench.openssl('req', '-new', '-key', 'key.pem', '-md_gost12_512', '-subj', `/CN=ANY/serialNumber=IIN${iins.citizen}/C=KZ`);
      return signedAnew(bench, bench.file('key.pem'), fromPem(made));
    });

    const issued = await apply(visitor, keys.citizen, { both: { der } });
    const { octets } = await visitor.get(`${issued.path}/both.cer`);

    const described = await read(octets);
    assert.deepEqual([described.national, described.signs, described.signsIn], [512, true, true]);
    assert.equal((await portal.judge.certificate(octets)).iin, iins.citizen);
    const broken = Buffer.from(der);
    broken[broken.length - 1] ^= 1;
    assert.equal((await apply(visitor, keys.citizen, { both: { der: broken } })).reason, 'request_invalid');
  });

  test('what is not in order is refused, and nothing is kept of it', async () => {
    const visitor = await inAccount('citizen');
    const made = request('citizen');
    const before = portal.store.one('SELECT count(*) AS n FROM applications').n;
    const broken = Buffer.from(made.der);
    broken[broken.length - 1] ^= 1;

    for (const [reason, pair, requests, more] of [
      ['data_not_confirmed', keys.citizen, { both: made }, { correct: '' }],
      ['files_missing', keys.citizen, {}],
      ['files_missing', keys.citizen, { authentication: made }],
      ['signature_invalid', keys.citizen, { both: made }, { signed: Buffer.from('no CMS') }],
      ['other_person', keys.other, { both: made }],
      ['not_for_signing', await portal.makeKey({ iin: iins.citizen, purpose: 'authentication' }), { both: made }],
      ['request_invalid', keys.citizen, { both: { der: broken } }],
      ['request_invalid', keys.citizen, { both: { der: Buffer.from('no request') } }],
      ['request_of_another', keys.citizen, { both: request('other') }],
      ['request_of_another', keys.citizen, { both: request('citizen', { bin }) }],
      ['request_not_signed', keys.citizen, { both: made }, { text: 'Application to renew' }],
      ['key_not_new', keys.citizen, { authentication: made, signature: made }],
    ]) assert.equal((await apply(visitor, pair, requests, more)).reason, reason);
    assert.equal(portal.store.one('SELECT count(*) AS n FROM applications').n, before);
  });

  test('a key that has a certificate is not certified again', async () => {
    const visitor = await inAccount('citizen');
    const made = { both: request('citizen') };
    await apply(visitor, keys.citizen, made);

    assert.equal((await apply(visitor, keys.citizen, made)).reason, 'key_not_new');
  });

  test('a revoked or expired key renews nothing', async () => {
    const visitor = await inAccount('citizen');
    const revoked = await portal.makeKey({ iin: iins.citizen });
    portal.store.run('UPDATE certificates SET revoked_at = 1 WHERE serial = ?', await serialOf(revoked));

    assert.equal((await apply(visitor, revoked, { both: request('citizen') })).reason, 'certificate_revoked');
  });

  test('an application is found by its number, by whose it is alone', async () => {
    const visitor = await inAccount('citizen');
    const { path } = await apply(visitor, keys.citizen, { both: request('citizen') });
    const number = path.split('/').at(-1);

    assert.equal(stateOf(await visitor.get(`/account/applications/find?number=${number}`)), 'issued');
    const other = await inAccount('other');
    assert.equal((await other.get(`/account/applications/find?number=${number}`)).reason, 'not_found');
    assert.equal((await other.get(`${path}/both.cer`)).reason, 'not_found');
  });

  test('a head\'s own application waits for nobody', async () => {
    assert.equal(stateOf(await apply(await inAccount('head'), keys.head, { both: request('head') })), 'issued');
  });
});

describe('employees\' applications', () => {
  test('an employee\'s waits for the head, who approves it with a signature; then it is issued in the employee\'s position', async () => {
    const number = await waiting();
    const employee = await inAccount('employee');
    assert.equal(stateOf(await employee.get(`/account/applications/${number}`)), 'submitted');
    const head = await inAccount('head');
    assert.match((await head.get('/account/employees')).text, new RegExp(`applications/${number}"`));
    assert.match((await head.get(`/account/employees/applications/${number}`)).text, /EMPLOYEE OF TEST ORGANISATION 1/);

    await head.sign(await decision(head, number), keys.head);

    assert.equal(stateOf(await employee.get(`/account/applications/${number}`)), 'issued');
    const { octets } = await employee.get(`/account/applications/${number}/both.cer`);
    const { iin, bin: organisation, roles } = await read(octets);
    assert.deepEqual([iin, organisation, roles], [iins.employee, bin, ['employee']]);
  });

  test('a declined one has the reason, and cannot be approved any more', async () => {
    const number = await waiting();
    const head = await inAccount('head');
    assert.equal((await decision(head, number, { decision: 'decline' })).reason, 'reason_and_consent');

    await head.sign(await decision(head, number, { decision: 'decline', reason: 'Left the organisation' }), keys.head);

    const seen = await (await inAccount('employee')).get(`/account/applications/${number}`);
    assert.equal(stateOf(seen), 'declined');
    assert.match(seen.text, /Left the organisation/);
    assert.equal((await decision(head, number)).reason, 'decided_already');
  });

  test('nothing is decided before the data was confirmed and the decision signed', async () => {
    const number = await waiting();
    const head = await inAccount('head');

    assert.equal((await decision(head, number, { correct: '' })).reason, 'data_not_confirmed');
    const page = await decision(head, number);
    assert.equal(stateOf(await (await inAccount('employee')).get(`/account/applications/${number}`)), 'submitted');
    assert.equal((await head.sign(page, keys.other)).reason, 'other_person');
    assert.equal((await head.sign(page, await portal.makeKey({ iin: iins.head }))).reason, 'other_organisation');

    assert.equal(stateOf(await (await inAccount('employee')).get(`/account/applications/${number}`)), 'submitted');
  });

  test('an employee decides nothing, whatever is in the certificate', async () => {
    const number = await waiting('signatory');
    const employee = await inAccount('employee');

    assert.equal((await employee.get('/account/employees')).reason, 'not_authorised');
    assert.equal((await employee.get(`/account/employees/applications/${number}`)).reason, 'role_insufficient');
    assert.equal((await decision(employee, number)).reason, 'role_insufficient');
  });

  test('the head of another organisation decides nothing here', async () => {
    const number = await waiting();
    const visitor = await inAccount('head2');

    assert.equal((await decision(visitor, number)).reason, 'role_insufficient');
    assert.doesNotMatch((await visitor.get('/account/employees')).text, /applications\/\d/);
  });

  for (const login of ['signatory', 'personnel']) {
    test(`${login}: the role in the certificate is not enough, the head's authorisation is, until it is withdrawn`, async () => {
      const number = await waiting();
      const visitor = await inAccount(login);
      assert.equal((await decision(visitor, number)).reason, 'not_authorised');
      assert.match((await decision(visitor, number)).text, /ask the head/);

      await authorise(login);
      await visitor.sign(await decision(visitor, number), keys[login]);
      assert.equal(stateOf(await (await inAccount('employee')).get(`/account/applications/${number}`)), 'issued');

      const next = await waiting();
      const page = await decision(visitor, next);
      const head = await inAccount('head');
      await head.sign(await head.post('/account/delegations', { iin: iins[login], authorise: '' }), keys.head);
      assert.equal((await visitor.sign(page, keys[login])).reason, 'not_authorised');
      assert.equal((await decision(visitor, next)).reason, 'not_authorised');
    });
  }

  test('an authorisation is given by the head alone, signed, and not to an employee', async () => {
    const head = await inAccount('head');

    assert.equal((await head.post('/account/delegations', { iin: iins.employee, authorise: 'yes' })).reason, 'role_insufficient');
    assert.equal((await (await inAccount('signatory')).post('/account/delegations', { iin: iins.signatory, authorise: 'yes' })).reason, 'role_insufficient');
    const page = await head.post('/account/delegations', { iin: iins.signatory, authorise: 'yes' });
    assert.equal((await head.sign(page, keys.signatory)).reason, 'other_person');
    const number = await waiting();

    assert.equal((await decision(await inAccount('signatory'), number)).reason, 'not_authorised');
  });

  test('a certificate whose role is not the position that the portal knows decides nothing', async () => {
    const number = await waiting();
    const head = await inAccount('head');
    portal.store.run("UPDATE positions SET role = 'employee' WHERE iin = ?", iins.head);
    const asEmployee = await portal.makeKey({ iin: iins.head, bin });
    portal.store.run("UPDATE positions SET role = 'head' WHERE iin = ?", iins.head);

    assert.equal((await head.sign(await decision(head, number), asEmployee)).reason, 'other_role');
  });
});

describe('revocation', () => {
  const revoke = (visitor, serial, more) => visitor.post(`/account/revoke/${serial}`, { reason: 'A test', consent: 'yes', ...more });

  test('an own certificate is revoked by a signed application, and OCSP and the list say so', async () => {
    const visitor = await inAccount('citizen');
    const pair = await portal.makeKey({ iin: iins.citizen, purpose: 'authentication' });
    const serial = await serialOf(pair);

    const page = await visitor.sign(await revoke(visitor, serial), keys.citizen);

    assert.equal(page.path, '/account/keys');
    assert.ok(isRevoked(serial));
    const list = Buffer.from(await (await fetch(`${portal.services}/rsa/list.crl`)).arrayBuffer());
    assert.match(tool('openssl', ['crl', '-inform', 'DER', '-in', 'list', '-noout', '-text'], { list }).toString().toLowerCase(), new RegExp(`serial number: ${serial}`));
    const files = { 'issuer.pem': pemOf('issuer'), 'root.pem': pemOf('root'), 'leaf.pem': pair.pem };
    const query = tool('sh', ['-c', 'openssl ocsp -no_nonce -issuer issuer.pem -cert leaf.pem -reqout query && cat query'], files);
    const response = Buffer.from(await (await fetch(`${portal.services}/rsa/ocsp`, { method: 'POST', body: query })).arrayBuffer());
    const answer = tool('openssl', ['ocsp', '-no_nonce', '-respin', 'response', '-issuer', 'issuer.pem', '-cert', 'leaf.pem', '-CAfile', 'root.pem', '-verify_other', 'issuer.pem'],
      { ...files, response }).toString();
    assert.match(answer, /leaf\.pem: revoked/);
  });

  test('it needs a reason, the consent, and the owner\'s signature', async () => {
    const visitor = await inAccount('citizen');
    const serial = await serialOf(await portal.makeKey({ iin: iins.citizen, purpose: 'authentication' }));

    assert.equal((await revoke(visitor, serial, { reason: '' })).reason, 'reason_and_consent');
    assert.equal((await revoke(visitor, serial, { consent: '' })).reason, 'reason_and_consent');
    assert.equal((await visitor.sign(await revoke(visitor, serial), keys.other)).reason, 'other_person');
    assert.equal((await revoke(await inAccount('other'), serial)).reason, 'not_found');

    assert.equal(isRevoked(serial), false);
  });

  test('the authentication certificate is recommended to go before the last signature key, and who insists is obeyed', async () => {
    const visitor = await inAccount('abroad');
    const pair = await portal.makeKey({ iin: iins.abroad });
    await portal.makeKey({ iin: iins.abroad, purpose: 'authentication' });
    const other = await serialOf(await portal.makeKey({ iin: iins.abroad }));
    const serial = await serialOf(pair);
    await visitor.sign(await revoke(visitor, other), pair); // not the last one
    assert.ok(isRevoked(other));
    assert.match((await visitor.get(`/account/revoke/${serial}`)).text, /had better go first/);

    assert.equal((await revoke(visitor, serial)).reason, 'order_recommended');
    await visitor.sign(await revoke(visitor, serial, { anyway: 'yes' }), pair);

    assert.ok(isRevoked(serial));
    assert.equal((await revoke(visitor, serial)).reason, 'not_valid_any_more');
  });

  test('an employee\'s is revoked by the head, and by nobody who was not authorised', async () => {
    const pair = await portal.makeKey({ iin: iins.employee, bin });
    const serial = await serialOf(pair);
    const personnel = await inAccount('personnel');
    assert.equal((await personnel.get(`/account/employees/keys?iin=${iins.employee}`)).reason, 'not_authorised');
    assert.equal((await revoke(personnel, serial)).reason, 'not_authorised');
    const head = await inAccount('head');
    assert.match((await head.get(`/account/employees/keys?iin=${iins.employee}`)).text, new RegExp(serial));
    assert.equal((await head.get(`/account/employees/keys?iin=${iins.citizen}`)).reason, 'not_found');

    await head.sign(await revoke(head, serial), keys.head);

    assert.ok(isRevoked(serial));
  });
});

const pemOf = (office) => fs.readFileSync(portal.authorities.rsa.path(`${office}.pem`));
