// The key owner's account: certificates, their revocation, applications for new ones, decisions on those of employees, and
// whom the head authorised. What is signed is formed here as text, and goes the way of documents.cjs.
'use strict';

const documents = require('./documents.cjs');
const { ownerOf } = require('./people.cjs');
const { deciding, mayDecide, position } = require('./rights.cjs');
const { Refused, describe, sha256 } = require('./verify.cjs');
const { toPem } = require('./der.cjs');
const { atWorkbench } = require('./openssl.cjs');

const day = (seconds) => new Date(seconds * 1000).toISOString().slice(0, 10);
const lines = (title, members) => `${title}\n${Object.entries(members).map(([name, value]) => `${name}: ${value}\n`).join('')}`;

// ---- certificates ----

function stateOf(portal, certificate) {
  if (certificate.revoked_at) return 'revoked';
  return certificate.not_after < portal.now() ? 'expired' : 'valid';
}

/** A person's certificates, or an employee's at an organisation; authentication before signature. @param state of those wanted */
function certificates(portal, iin, { state, bin } = {}) {
  return portal.store.all('SELECT * FROM certificates WHERE iin = ? ORDER BY purpose, not_after DESC', iin)
    .filter((each) => bin === undefined || each.bin === bin)
    .map((each) => ({ ...each, state: stateOf(portal, each) }))
    .filter((each) => !state || each.state === state);
}

/** Issues one, and keeps it. @param publicKey PEM in the words of gost-engine; @param key its SHA-256 */
async function issue(portal, { iin, bin, purpose, authority, publicKey, key, application, days }) {
  const owner = ownerOf(portal.store, iin, bin);
  const der = await portal.authorities[authority].issue(owner, purpose, publicKey, days);
  const { serial, notAfter } = await describe(der);
  portal.store.insert('certificates', { serial, authority, der, key, iin, bin, role: owner.role, purpose, not_after: notAfter, application });
  return der;
}

// ---- revocation ----

/** The certificate that is to be revoked: the person's own, or an employee's by somebody who may. */
function revocable(portal, session, serial) {
  const found = portal.store.one('SELECT * FROM certificates WHERE serial = ?', serial);
  if (!found) throw new Refused('not_found');
  if (found.iin !== session.iin) {
    if (!found.bin) throw new Refused('not_found');
    mayDecide(portal, session.iin, found.bin);
  }
  if (stateOf(portal, found) !== 'valid') throw new Refused('not_valid_any_more');
  return found;
}

/** An authentication certificate that had better go before the last key for signatures: afterwards nothing could sign that it should. */
function recommendedBefore(portal, certificate) {
  if (certificate.purpose !== 'signature') return undefined;
  const others = certificates(portal, certificate.iin, { state: 'valid', bin: certificate.bin }).filter(({ serial }) => serial !== certificate.serial);
  if (others.some(({ purpose }) => purpose !== 'authentication')) return undefined;
  return others[0];
}

/** Forms the application to revoke. Fails with order_recommended where it is not to be obeyed all the same. */
function formRevocation(portal, session, { serial, reason, consent, anyway }) {
  const found = revocable(portal, session, serial);
  if (!reason || !consent) throw new Refused('reason_and_consent');
  if (found.iin === session.iin && recommendedBefore(portal, found) && !anyway) throw new Refused('order_recommended');
  const text = lines('Application to revoke a certificate', {
    'serial number': serial, purpose: found.purpose, owner: ownerOf(portal.store, found.iin).name, reason, consent: 'given', date: day(portal.now()),
  });
  const bin = found.iin === session.iin ? undefined : found.bin;
  return documents.form(portal, session, { kind: 'revocation', payload: { serial, reason }, text, bin });
}

documents.whenAccepted('revocation', (portal, { iin, payload: { serial, reason } }) => {
  const found = revocable(portal, { iin }, serial);
  portal.store.run('UPDATE certificates SET revoked_at = ?, reason = ? WHERE serial = ?', portal.now(), reason, serial);
  return found.iin === iin ? '/account/keys' : `/account/employees/keys?iin=${found.iin}`;
});

// ---- applications ----

/** The role in which a signer applies: a citizen's, or the position that the portal knows. */
function applicantOf(portal, session, signer) {
  if (!signer.signs) throw new Refused('not_for_signing');
  if (signer.iin !== session.iin) throw new Refused('other_person');
  if (!signer.bin) return { bin: null, role: 'individual' };
  const role = position(portal, session.iin, signer.bin);
  if (!role) throw new Refused('other_organisation');
  return { bin: signer.bin, role };
}

/** A request for a certificate belongs to an application: by its own signature, its names, and its digest in what was signed. */
async function heedRequest(portal, signer, content, octets) {
  const request = await portal.judge.request(octets);
  if (request.iin !== signer.iin || request.bin !== signer.bin) throw new Refused('request_of_another');
  if (!content.includes(request.sha256)) throw new Refused('request_not_signed');
  if (portal.store.one('SELECT 1 FROM certificates WHERE key = ?', request.publicKeySha256)) throw new Refused('key_not_new');
  return request;
}

/**
 * Takes an application to renew: an attached CMS by the present key, whose text names the SHA-256 of every request.
 * @param told  { signed, requests: { authentication | signature | both: PKCS#10 }, email, locality, store, correct }
 * @returns its number
 */
async function submit(portal, session, { signed, requests, email, locality, store, correct }) {
  if (!correct) throw new Refused('data_not_confirmed');
  const purposes = Object.keys(requests);
  if (!signed.length || !['both', 'authentication,signature', 'signature'].includes(purposes.sort().join())) throw new Refused('files_missing');
  const { content, signer } = await portal.judge.cms(signed);
  const applicant = applicantOf(portal, session, signer);
  const keys = [];
  for (const purpose of purposes) keys.push({ purpose, ...await heedRequest(portal, signer, content, requests[purpose]) });
  if (new Set(keys.map(({ publicKeySha256 }) => publicKeySha256)).size !== keys.length) throw new Refused('key_not_new');
  const number = portal.store.together(() => {
    const { lastInsertRowid } = portal.store.insert('applications', { iin: session.iin, ...applicant, state: 'submitted', email, locality, store, signed, at: portal.now() });
    for (const { purpose, der, publicKeySha256, publicKey, algorithm } of keys) {
      portal.store.insert('application_keys', { application: lastInsertRowid, purpose, request: der, key: publicKeySha256, public_key: publicKey, authority: algorithm });
    }
    return lastInsertRowid;
  });
  // Citizens and heads answer for themselves; an employee's waits for the head's consent.
  if (['individual', 'head'].includes(applicant.role)) decide(portal, number, { approve: true, by: null });
  await portal.work();
  return number;
}

function decide(portal, number, { approve, by, reason }) {
  const { changes } = portal.store.run("UPDATE applications SET state = ?, decided_by = ?, reason = ? WHERE number = ? AND state = 'submitted'",
    approve ? 'approved' : 'declined', by, reason ?? null, number);
  if (!changes) throw new Refused('decided_already');
}

/** Issues what was approved. The portal calls it after everything that may have approved something. */
async function issueApproved(portal) {
  for (const { number, iin, bin } of portal.store.all("SELECT * FROM applications WHERE state = 'approved'")) {
    for (const { purpose, public_key: publicKey, key, authority } of portal.store.all(
      'SELECT * FROM application_keys WHERE application = ? AND key NOT IN (SELECT key FROM certificates)', number)) {
      await issue(portal, { iin, bin, purpose, authority, publicKey, key, application: number });
    }
    portal.store.run("UPDATE applications SET state = 'issued' WHERE number = ?", number);
  }
}

/** An application by its number, of the session's person. With its certificates, once they are issued. */
function application(portal, session, number) {
  const found = portal.store.one('SELECT * FROM applications WHERE number = ? AND iin = ?', Number(number), session.iin);
  if (!found) throw new Refused('not_found');
  return { ...found, certificates: portal.store.all('SELECT * FROM certificates WHERE application = ? ORDER BY purpose', found.number) };
}

/** The certificates of an application in one file (PKCS#7), with those of the authority. */
function bundle(portal, { certificates: issued }) {
  return atWorkbench((bench) => {
    const authority = portal.authorities[issued[0].authority];
    const all = [...issued.map(({ der }) => Buffer.from(der)), authority.certificate('issuer'), authority.certificate('root')];
    return bench.openssl('crl2pkcs7', '-nocrl', '-certfile', bench.file('all', all.map((each) => toPem('CERTIFICATE', each)).join('')), '-outform', 'DER');
  });
}

/** The person says that the certificates are where their keys are. */
function installed(portal, session, number) {
  const { changes } = portal.store.run("UPDATE applications SET state = 'installed' WHERE number = ? AND iin = ? AND state = 'issued'", Number(number), session.iin);
  if (!changes) throw new Refused('not_found');
}

// ---- employees ----

/** Applications that wait for a decision of this person. */
function waiting(portal, session) {
  const bins = deciding(portal, session.iin);
  return portal.store.all("SELECT a.*, p.name FROM applications a JOIN people p USING (iin) WHERE a.state = 'submitted' AND a.bin IS NOT NULL ORDER BY number")
    .filter(({ bin }) => bins.includes(bin));
}

/** One of them. Fails with not_authorised where somebody without the head's authorisation asks. */
function employeeApplication(portal, session, number) {
  const found = portal.store.one('SELECT a.*, p.name FROM applications a JOIN people p USING (iin) WHERE number = ?', Number(number));
  if (!found?.bin) throw new Refused('not_found');
  mayDecide(portal, session.iin, found.bin);
  return found;
}

function formDecision(portal, session, { number, approve, reason, correct }) {
  const found = employeeApplication(portal, session, number);
  if (found.state !== 'submitted') throw new Refused('decided_already');
  if (!correct) throw new Refused('data_not_confirmed');
  if (!approve && !reason) throw new Refused('reason_and_consent');
  const text = lines(approve ? 'Approval of an employee\'s application' : 'Refusal of an employee\'s application', {
    application: found.number, employee: found.name, 'SHA-256 of the signed application': sha256(Buffer.from(found.signed)),
    ...(approve ? {} : { reason }), date: day(portal.now()),
  });
  return documents.form(portal, session, { kind: 'decision', payload: { number: found.number, approve, reason }, text, bin: found.bin });
}

documents.whenAccepted('decision', (portal, { iin, payload: { number, approve, reason } }) => {
  employeeApplication(portal, { iin }, number); // the authorisation may have ended meanwhile
  decide(portal, number, { approve, by: iin, reason });
  return '/account/employees';
});

/** Employees of the organisations that this person decides for, by IIN; with their valid certificates. */
function employee(portal, session, iin) {
  const bins = deciding(portal, session.iin);
  if (!bins.length) throw new Refused('not_authorised');
  const place = portal.store.all('SELECT * FROM positions WHERE iin = ?', iin).find(({ bin }) => bins.includes(bin));
  if (!place) throw new Refused('not_found');
  return { ...ownerOf(portal.store, iin, place.bin), certificates: certificates(portal, iin, { bin: place.bin }) };
}

// ---- authorisation by the head ----

/** Those whom the head of an organisation may authorise: those with the right to sign, and of personnel. */
function delegates(portal, session) {
  return portal.store.all(`SELECT p.iin, p.bin, p.role, n.name, (SELECT count(*) FROM delegations d WHERE d.iin = p.iin AND d.bin = p.bin AND d.ended_at IS NULL) AS authorised
    FROM positions h JOIN positions p ON p.bin = h.bin JOIN people n ON n.iin = p.iin
    WHERE h.iin = ? AND h.role = 'head' AND p.role IN ('signatory', 'personnel_officer') ORDER BY n.name`, session.iin);
}

function formDelegation(portal, session, { iin, authorise }) {
  const delegate = delegates(portal, session).find((each) => each.iin === iin);
  if (!delegate) throw new Refused('role_insufficient');
  const text = lines(authorise ? 'Authorisation to decide on employees\' keys' : 'End of an authorisation to decide on employees\' keys', {
    organisation: delegate.bin, 'who is authorised': delegate.name, date: day(portal.now()),
  });
  return documents.form(portal, session, { kind: 'delegation', payload: { iin, authorise }, text, bin: delegate.bin });
}

documents.whenAccepted('delegation', (portal, { iin: head, bin, payload: { iin, authorise } }) => {
  portal.store.run('UPDATE delegations SET ended_at = ? WHERE iin = ? AND bin = ? AND ended_at IS NULL', portal.now(), iin, bin);
  if (authorise) portal.store.insert('delegations', { bin, iin, granted_by: head, granted_at: portal.now() });
  return '/account/delegations';
});

module.exports = {
  application, bundle, certificates, delegates, employee, employeeApplication, formDecision, formDelegation, formRevocation, installed, issue,
  issueApproved, recommendedBefore, revocable, submit, waiting,
};
