// The three ways in, and what does not lead in.
'use strict';

const assert = require('node:assert/strict');
const { after, before, test } = require('node:test');
const { take } = require('./codes.cjs');
const { find, qr } = require('./sign_in.cjs');
const { Visitor, startPortal, statement, tool, unescaped } = require('./support/visitor.cjs');

const iin = '123456789011';
const quarter_of_an_hour = 900;
let portal;
let key;

before(async () => {
  portal = await startPortal();
  key = await portal.makeKey({ iin, purpose: 'authentication', kind: 'rsa' });
});
after(() => portal?.end());

/** Past the locks that a test before has set. */
const later = () => portal.wait(quarter_of_an_hour);
const isIn = async (visitor) => (await visitor.get('/')).text.includes('class="who"');

test('login and password lead in, and a wrong password does not', async () => {
  const visitor = new Visitor(portal);

  assert.equal((await visitor.signInByPassword('citizen', 'Portal-1235')).reason, 'password_wrong');
  assert.equal(await isIn(visitor), false);
  await visitor.signInByPassword('citizen');

  assert.equal(await isIn(visitor), true);
});

test('five wrong passwords lock the login for a quarter of an hour, for the right one too', async () => {
  const visitor = new Visitor(portal);
  for (let tries = 0; tries < 5; tries += 1) await visitor.signInByPassword('other', 'wrong');

  assert.equal((await visitor.signInByPassword('other')).reason, 'locked');
  later();

  await visitor.signInByPassword('other');
  assert.equal(await isIn(visitor), true);
});

test('the session after signing in is another than the one before', async () => {
  const visitor = new Visitor(portal);
  await visitor.get('/sign-in');
  const before = visitor.cookies.portal;

  await visitor.signInByPassword('citizen');

  assert.notEqual(visitor.cookies.portal, before);
  visitor.cookies.portal = before;
  assert.equal(await isIn(visitor), false);
});

test('a signed challenge leads in only with the code from 1414', async () => {
  const visitor = new Visitor(portal);

  const asked = await visitor.answerChallenge(key);
  assert.equal(asked.path, '/sign-in/code');
  assert.match(asked.text, /roaming/);
  assert.equal(await isIn(visitor), false);
  await visitor.post('/sign-in/code', { code: visitor.code('citizen') });

  assert.equal(await isIn(visitor), true);
  assert.equal(portal.store.one('SELECT sender FROM messages ORDER BY id DESC').sender, '1414');
});

test('a code is good for one session', async () => {
  const visitor = new Visitor(portal);
  const stranger = new Visitor(portal);
  await visitor.answerChallenge(key);
  const code = visitor.code('citizen');
  await stranger.answerChallenge(key);

  const refused = await stranger.post('/sign-in/code', { code });

  assert.equal(refused.reason, 'code_wrong');
  assert.equal((await visitor.post('/sign-in/code', { code })).status, 200);
  later();
});

test('a code is good once', async () => {
  const visitor = new Visitor(portal);
  await visitor.answerChallenge(key);
  const { session, iin: whose } = portal.store.one('SELECT * FROM codes ORDER BY id DESC');
  const code = visitor.code('citizen');
  await visitor.post('/sign-in/code', { code });

  assert.throws(() => take(portal, { id: session }, whose, 'sign_in', code), { reason: 'code_missing' });
});

test('a code is good for five minutes', async () => {
  const visitor = new Visitor(portal);
  await visitor.answerChallenge(key);
  portal.wait(300);

  assert.equal((await visitor.post('/sign-in/code', { code: visitor.code('citizen') })).reason, 'code_expired');
});

test('a code that was sent again is good in the place of the former one', async () => {
  const visitor = new Visitor(portal);
  await visitor.answerChallenge(key);
  const former = visitor.code('citizen');
  let code = former;
  while (code === former) {
    await visitor.post('/sign-in/code/again');
    code = visitor.code('citizen');
  }

  assert.equal((await visitor.post('/sign-in/code', { code: former })).reason, 'code_wrong');
  await visitor.post('/sign-in/code', { code });

  assert.equal(await isIn(visitor), true);
});

test('five wrong codes lock, and the right one comes too late', async () => {
  const visitor = new Visitor(portal);
  await visitor.answerChallenge(key);
  const code = visitor.code('citizen');
  const wrong = code === '000000' ? '000001' : '000000';
  const reasons = [];
  for (let tries = 0; tries < 5; tries += 1) reasons.push((await visitor.post('/sign-in/code', { code: wrong })).reason);

  assert.deepEqual(reasons, Array(5).fill('code_wrong'));
  assert.equal((await visitor.post('/sign-in/code', { code })).reason, 'locked');
  assert.equal((await visitor.post('/sign-in/code/again')).reason, 'locked');
  later();
  assert.equal((await visitor.post('/sign-in/code', { code })).reason, 'code_missing');
});

test('without a registered number no code is sent, and the page says so', async () => {
  const visitor = new Visitor(portal);
  const pair = await portal.makeKey({ iin: '123456789013', purpose: 'authentication' });

  const refused = await visitor.answerChallenge(pair);

  assert.equal(refused.reason, 'no_number');
  assert.match(refused.text, /No telephone number is registered/);
});

test('abroad without roaming the code does not arrive, and with roaming it does', async () => {
  const visitor = new Visitor(portal);
  const pair = await portal.makeKey({ iin: '123456789014', purpose: 'authentication' });

  await visitor.answerChallenge(pair);
  assert.equal(visitor.code('abroad'), undefined);
  assert.match((await visitor.get('/operator')).text, /abroad without roaming/);
  portal.store.run("UPDATE people SET roaming = 1 WHERE login = 'abroad'");
  await visitor.post('/sign-in/code/again');
  await visitor.post('/sign-in/code', { code: visitor.code('abroad') });

  assert.equal(await isIn(visitor), true);
});

test('a challenge is good once', async () => {
  const visitor = new Visitor(portal);
  const { text } = await visitor.get('/sign-in');
  const [, challenge] = text.match(/data-authenticate="([^"]*)"/);
  const answer = statement(key, portal.origin, unescaped(challenge), portal.now());
  await visitor.post('/sign-in/key', answer);

  assert.equal((await visitor.post('/sign-in/key', answer)).reason, 'challenge_spent');
});

test('a statement for another site, of another time or of a document key is refused', async () => {
  const visitor = new Visitor(portal);
  const signature = await portal.makeKey({ iin, purpose: 'signature' });

  assert.equal((await visitor.answerChallenge(key, { origin: 'https://evil.test' })).reason, 'statement_origin');
  assert.equal((await visitor.answerChallenge(key, { time: portal.now() - 301 })).reason, 'statement_malformed');
  assert.equal((await visitor.answerChallenge(signature)).reason, 'not_for_signing_in');
});

test('a certificate of an authority that the portal does not trust is refused, and one that was revoked', async () => {
  const visitor = new Visitor(portal);
  const own = tool('openssl', ['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256']);
  const selfMade = tool('openssl', ['req', '-x509', '-new', '-key', 'key.pem', '-subj', `/CN=X/serialNumber=IIN${iin}`, '-days', '2',
    '-addext', 'extendedKeyUsage=clientAuth', '-outform', 'DER'], { 'key.pem': own });
  const stranger = { key: own, certificate: selfMade };
  const revoked = await portal.makeKey({ iin, purpose: 'authentication' });
  portal.store.run('UPDATE certificates SET revoked_at = ? WHERE der = ?', portal.now(), revoked.certificate);

  assert.equal((await visitor.answerChallenge(stranger)).reason, 'certificate_untrusted');
  assert.equal((await visitor.answerChallenge(revoked)).reason, 'certificate_revoked');
});

test('a QR code that the application confirms leads in without a code by SMS', async () => {
  const visitor = new Visitor(portal);
  const phone = new Visitor(portal);
  const sent = portal.store.one('SELECT count(*) AS n FROM messages').n;
  await visitor.get('/sign-in');
  const token = qr(portal, find(portal, visitor.cookies.portal));

  assert.match((await visitor.get(`/sign-in/qr.svg?token=${token}`)).text, /^<svg /);
  assert.match((await visitor.get('/sign-in/qr')).text, /shown/);
  assert.equal((await visitor.post('/sign-in/qr')).reason, 'qr_spent');
  assert.equal((await phone.post('/app', { token, device: 'stolen-device', answer: 'confirmed' })).reason, 'device_unknown');
  await phone.post('/app', { token, device: 'citizen-device', answer: 'confirmed' });
  assert.match((await visitor.get('/sign-in/qr')).text, /confirmed/);
  await visitor.post('/sign-in/qr');

  assert.equal(await isIn(visitor), true);
  assert.equal(portal.store.one('SELECT count(*) AS n FROM messages').n, sent);
  assert.equal((await phone.post('/app', { token, device: 'citizen-device', answer: 'confirmed' })).reason, 'qr_spent');
});

test('asking how it stands with the QR code begins no session', async () => {
  const visitor = new Visitor(portal);

  const asked = await visitor.get('/sign-in/qr');

  assert.match(asked.text, /expired/);
  assert.equal(visitor.cookies.portal, undefined);
});

test('a QR code that was refused, or is two minutes old, leads nowhere', async () => {
  for (const [wait, answer, reason] of [[0, 'refused', undefined], [121, 'confirmed', 'qr_spent']]) {
    const visitor = new Visitor(portal);
    const phone = new Visitor(portal);
    await visitor.get('/sign-in');
    const token = qr(portal, find(portal, visitor.cookies.portal));
    portal.wait(wait);

    assert.equal((await phone.post('/app', { token, device: 'citizen-device', answer })).reason, reason);
    assert.equal((await visitor.post('/sign-in/qr')).reason, 'qr_spent');
  }
});

test('a form that comes without the session\'s secret is refused', async () => {
  const visitor = new Visitor(portal);
  await visitor.get('/sign-in');
  visitor.csrf = 'guessed';

  const refused = await visitor.post('/sign-in/password', { login: 'citizen', password: 'Portal-1234' });

  assert.equal(refused.reason, 'form_stale');
});

test('every page says that it is for tests only, in the language of the page, and may run no script of its own', async () => {
  for (const [language, words] of [['kk', /Тек сынауға арналған/], ['ru', /Только для испытаний/], ['en', /For tests only/]]) {
    const visitor = new Visitor(portal, language);
    await visitor.signInByQr('head');
    for (const place of ['/', '/sign-in', '/services/address-change', '/account', '/account/keys', '/account/renew', '/account/applications', '/account/pin',
      '/account/employees', '/account/employees/keys', '/account/delegations', '/operator', '/app', '/nowhere']) {
      const page = await visitor.get(place);
      assert.match(page.text, words, place);
      assert.ok(page.text.includes(`<html lang="${language}">`));
      assert.match(page.headers.get('content-security-policy'), /^default-src 'none'; script-src 'self'; style-src 'self';.* frame-ancestors 'none'/);
      assert.doesNotMatch(page.text, /<script(?! type="module" src="\/portal\.mjs"><)| style=| on\w+=/, place);
    }
  }
});
