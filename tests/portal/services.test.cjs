// Services, and what confirms a request for each of them.
'use strict';

const assert = require('node:assert/strict');
const { after, before, test } = require('node:test');
const { Visitor, signCms, signXml, startPortal, unescaped } = require('./support/visitor.cjs');

const citizen = '123456789011';
const head = '123456789021';
const signatory = '123456789022';
const bin = '123456789121';
let portal;
let key;

before(async () => {
  portal = await startPortal();
  key = await portal.makeKey({ iin: citizen, kind: 'rsa' });
});
after(() => portal?.end());

async function signedIn(login) {
  const visitor = new Visitor(portal);
  await visitor.signInByPassword(login);
  return visitor;
}
const ask = (visitor, service, more = {}) => visitor.post(`/services/${service}`, { words: 'Test Street 1, <flat> "2" & 3', ...more });
const stateOf = ({ text }) => text.match(/data-state="(\w+)"/)?.[1];

test('a service that needs no more than the login is accepted at once', async () => {
  const visitor = await signedIn('citizen');

  const answer = await ask(visitor, 'address-certificate');

  assert.equal(stateOf(answer), 'accepted');
  assert.doesNotMatch(answer.text, /data-sign=/);
});

test('who has not signed in is told to', async () => {
  assert.equal((await ask(new Visitor(portal), 'address-certificate')).reason, 'sign_in_first');
});

test('a one-time password confirms the service that needs one, once and for that request', async () => {
  const visitor = await signedIn('citizen');
  const first = await ask(visitor, 'no-criminal-record');
  const code = visitor.code('citizen');
  const second = await ask(visitor, 'no-criminal-record');

  assert.equal(stateOf(first), 'formed');
  assert.notEqual(visitor.code('citizen'), undefined);
  const other = visitor.code('citizen') === code ? 'code_missing' : 'code_wrong';
  assert.equal((await visitor.post(second.path, { code })).reason ?? 'code_missing', other);
  assert.equal(stateOf(await visitor.post(first.path, { code })), 'accepted');
  assert.equal((await visitor.post(first.path, { code })).reason, 'code_missing');
});

test('a signature is taken in the place of a one-time password', async () => {
  const visitor = await signedIn('citizen');
  const sent = portal.store.one('SELECT count(*) AS n FROM messages').n;

  const answer = await visitor.sign(await ask(visitor, 'no-criminal-record', { withKey: 'yes' }), key);

  assert.equal(stateOf(answer), 'accepted');
  assert.equal(portal.store.one('SELECT count(*) AS n FROM messages').n, sent);
});

test('a service that needs a signature is accepted with one, and no code is offered for it', async () => {
  const visitor = await signedIn('citizen');
  const page = await ask(visitor, 'address-change');
  assert.match(page.path, /^\/documents\//);

  const answer = await visitor.sign(page, key);

  assert.equal(stateOf(answer), 'accepted');
  assert.match(answer.text, /Confirmed by a signature/);
});

test('a signature of another text is refused, and the right one can still come', async () => {
  const visitor = await signedIn('citizen');
  const page = await ask(visitor, 'address-change');

  const refused = await visitor.sign(page, key, (text) => text.replace('Test Street 1', 'Test Street 2'));
  const accepted = await visitor.sign(page, key);

  assert.equal(refused.reason, 'signature_invalid');
  assert.equal(stateOf(accepted), 'accepted');
});

test('a signature that was changed, of part of the document, or of no XML at all is refused', async () => {
  const visitor = await signedIn('citizen');
  const page = await ask(visitor, 'address-change');
  const text = unescaped(page.text.match(/<pre id="text">([^<]*)</)[1]);
  const signed = signXml(key, text).toString();
  const send = (signature) => visitor.post(page.path, { signature: Buffer.from(signature).toString('base64') });

  for (const wrong of [
    signed.replace(/<ds:SignatureValue>.{4}/s, (value) => `${value.slice(0, -4)}AAAA`),
    signed.replace('URI=""', 'URI="#part"'),
    signed.replace('</request>', `${signed.match(/<ds:Signature .*<\/ds:Signature>/s)[0]}</request>`),
    signCms(key, text), text, '', '<', 'x'.repeat(5000),
  ]) assert.equal((await send(wrong)).reason, 'signature_invalid');
  assert.equal(stateOf(await send(signed)), 'accepted');
});

test('somebody else\'s key is refused where the portal demands the person\'s own', async () => {
  const visitor = await signedIn('citizen');
  const other = await portal.makeKey({ iin: '123456789012' });

  const refused = await visitor.sign(await ask(visitor, 'address-change'), other);

  assert.equal(refused.reason, 'other_person');
});

test('a document is accepted once, in the session it was formed for', async () => {
  const visitor = await signedIn('citizen');
  const page = await ask(visitor, 'address-change');
  const stranger = await signedIn('citizen');

  assert.equal((await stranger.sign(page, key)).reason, 'document_spent');
  await visitor.sign(page, key);

  assert.equal((await visitor.sign(page, key)).reason, 'document_spent');
});

test('a document that was formed a quarter of an hour ago is not accepted', async () => {
  const visitor = await signedIn('citizen');
  const page = await ask(visitor, 'address-change');
  portal.wait(901);

  assert.equal((await visitor.sign(page, key)).reason, 'document_spent');
});

test('an authentication key signs no request, and neither does one that has expired', async () => {
  const visitor = await signedIn('citizen');
  const authentication = await portal.makeKey({ iin: citizen, purpose: 'authentication' });
  const short = await portal.makeKey({ iin: citizen, days: 1 });

  assert.equal((await visitor.sign(await ask(visitor, 'address-change'), authentication)).reason, 'not_for_signing');
  portal.wait(86_400 + 60);
  assert.equal((await (await signedIn('citizen')).sign(await ask(await signedIn('citizen'), 'address-change'), short)).reason, 'document_spent');
  const later = await signedIn('citizen');
  const refused = await later.sign(await ask(later, 'address-change'), short);

  assert.ok(['signature_invalid', 'certificate_expired'].includes(refused.reason), refused.reason);
});

test('for an organisation its head asks, with the key of that organisation', async () => {
  const visitor = await signedIn('head');
  const own = await portal.makeKey({ iin: head, bin });
  const personal = await portal.makeKey({ iin: head });

  assert.equal((await visitor.sign(await ask(visitor, 'pharmacy-licence', { bin }), personal)).reason, 'other_organisation');
  assert.equal(stateOf(await visitor.sign(await ask(visitor, 'pharmacy-licence', { bin }), own)), 'accepted');
});

test('who has the right to sign asks for the organisation only with the head\'s authorisation, and a personnel officer or an employee not at all', async () => {
  const visitor = await signedIn('signatory');
  const own = await portal.makeKey({ iin: signatory, bin });

  assert.equal((await ask(visitor, 'pharmacy-licence', { bin })).reason, 'not_authorised');
  portal.store.insert('delegations', { bin, iin: signatory, granted_by: head, granted_at: portal.now() });
  assert.equal(stateOf(await visitor.sign(await ask(visitor, 'pharmacy-licence', { bin }), own)), 'accepted');

  for (const login of ['personnel', 'employee', 'head2', 'citizen']) {
    assert.equal((await ask(await signedIn(login), 'pharmacy-licence', { bin })).reason, 'role_insufficient', login);
  }
  assert.equal((await ask(await signedIn('citizen'), 'pharmacy-licence')).reason, 'organisation_needed');
});

test('a person\'s requests are that person\'s affair', async () => {
  const visitor = await signedIn('citizen');
  const { path } = await ask(visitor, 'address-certificate');

  assert.equal((await (await signedIn('other')).get(path)).reason, 'not_found');
});
