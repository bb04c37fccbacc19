// Four services of the sample catalogue (tests/data/services/sample.toml), and what the law's rule asks for each: a login
// and password; a one-time password besides, or an EDS in its place; an EDS.
'use strict';

const codes = require('./codes.cjs');
const documents = require('./documents.cjs');
const { Refused } = require('./verify.cjs');
const { deciding, position } = require('./rights.cjs');

/** criteria: risk, changes the provider's database, minutes, paid (the Rules, Appendix 2) */
const services = [
  { id: 'address-certificate', criteria: [false, false, 10, false] },
  { id: 'no-criminal-record', criteria: [true, false, 30, false] },
  { id: 'address-change', criteria: [true, true, 20, false] },
  { id: 'pharmacy-licence', criteria: [false, false, 20, true], permit: true, organisation: true },
].map((service) => ({ ...service, method: methodOf(service) }));

function methodOf({ criteria: [risk, changes, minutes, paid], permit }) {
  const points = (risk ? 2 : 1) + (changes ? 2 : 0) + (minutes > 30 ? 1 : 0) + (paid ? 1 : 0);
  if (permit || points >= 4) return 'eds';
  return points >= 2 ? 'code' : 'password';
}

function service(id) {
  const found = services.find((each) => each.id === id);
  if (!found) throw new Refused('not_found');
  return found;
}

const escaped = (text) => text.replace(/[&<>"\r]/g, (sign) => `&#${sign.charCodeAt(0)};`);

/** The request that is confirmed: XML, as portals of the state have it. */
function requestText(portal, session, { id }, { words, bin }) {
  const { name } = portal.store.one('SELECT name FROM people WHERE iin = ?', session.iin);
  const organisation = bin ? `<organisation bin="${bin}"/>` : '';
  return `<request><service>${id}</service><applicant iin="${session.iin}">${escaped(name)}</applicant>${organisation}`
    + `<content>${escaped(words)}</content><date>${new Date(portal.now() * 1000).toISOString().slice(0, 10)}</date></request>`;
}

/** For an organisation its head asks, or who has the right to sign and the head's authorisation. */
function heedOrganisation(portal, { iin }, bin) {
  if (!bin) throw new Refused('organisation_needed');
  if (!['head', 'signatory'].includes(position(portal, iin, bin))) throw new Refused('role_insufficient');
  if (!deciding(portal, iin).includes(bin)) throw new Refused('not_authorised');
}

/**
 * Forms a request. Gives what is to be done next: { request } where it is accepted, { code: number } where a code confirms
 * it, { document } where a signature does.
 */
function apply(portal, session, id, { words, bin, withKey }) {
  const asked = service(id);
  if (asked.organisation) heedOrganisation(portal, session, bin);
  const text = requestText(portal, session, asked, { words, bin: asked.organisation ? bin : undefined });
  if (asked.method === 'eds' || (asked.method === 'code' && withKey)) {
    const payload = { service: id, organisation: asked.organisation && portal.store.one('SELECT bin, name FROM organisations WHERE bin = ?', bin) };
    return { document: documents.form(portal, session, { kind: 'service', payload, text, format: 'xml', bin: asked.organisation ? bin : null }) };
  }
  const state = asked.method === 'password' ? 'accepted' : 'formed';
  const { lastInsertRowid: number } = portal.store.insert('requests', { iin: session.iin, service: id, text, method: asked.method, state, at: portal.now() });
  return asked.method === 'password' ? { request: number } : { code: number };
}

/** The request of that number, if it is the session's person's. */
function request(portal, session, number) {
  const found = portal.store.one('SELECT * FROM requests WHERE number = ? AND iin = ?', number, session.iin);
  if (!found) throw new Refused('not_found');
  return found;
}

/** Confirms a formed request by a one-time password. */
function confirm(portal, session, number, typed) {
  codes.take(portal, session, session.iin, `request ${request(portal, session, number).number}`, typed);
  portal.store.run("UPDATE requests SET state = 'accepted' WHERE number = ?", number);
}

documents.whenAccepted('service', (portal, { id, iin, payload, text }) => {
  const { lastInsertRowid } = portal.store.insert('requests', { iin, service: payload.service, text, method: 'eds', document: id, state: 'accepted', at: portal.now() });
  return `/requests/${lastInsertRowid}`;
});

module.exports = { apply, confirm, request, service, services };
