// The three ways in: login and password; a challenge signed with the authentication key, then a code by SMS; a QR code that
// the mobile application confirms. The last two are multi-factor, and open the account of the keys.
'use strict';

const crypto = require('node:crypto');
const codes = require('./codes.cjs');
const { passwordFits } = require('./people.cjs');
const { Refused, sha256 } = require('./verify.cjs');

const session_s = 1800;
const challenge_s = 300;
const qr_s = 120;
const secret = () => crypto.randomBytes(24).toString('base64url');

/** A session, of nobody yet. Gives its cookie. */
function begin(portal) {
  const cookie = secret();
  portal.store.insert('sessions', { id: sha256(cookie), csrf: secret(), expires: portal.now() + session_s });
  return cookie;
}

/** The session of a cookie, its time begun anew, or undefined. */
function find(portal, cookie) {
  const id = sha256(cookie ?? '');
  const { changes } = portal.store.run('UPDATE sessions SET expires = ? WHERE id = ? AND expires > ?', portal.now() + session_s, id, portal.now());
  return changes ? portal.store.one('SELECT * FROM sessions WHERE id = ?', id) : undefined;
}

/** The person is in: under a new cookie, so that nobody who knew the old one is. Gives the cookie. */
function enter(portal, session, iin, level) {
  const cookie = begin(portal);
  portal.store.run('UPDATE sessions SET iin = ?, level = ? WHERE id = ?', iin, level, sha256(cookie));
  end(portal, session);
  return cookie;
}
const end = (portal, session) => portal.store.run('DELETE FROM sessions WHERE id = ?', session.id);

function byPassword(portal, session, { login, password }) {
  codes.heedLock(portal, `password ${login}`);
  const person = portal.store.one('SELECT iin, password FROM people WHERE login = ?', login);
  if (!person || !passwordFits(password, person.password)) {
    codes.countFailure(portal, `password ${login}`);
    throw new Refused('password_wrong');
  }
  codes.forgetFailures(portal, `password ${login}`);
  return enter(portal, session, person.iin, 'password');
}

/** 32 octets in base64, good once and for this session. */
function challenge(portal, session) {
  const value = crypto.randomBytes(32).toString('base64');
  portal.store.run('UPDATE sessions SET challenge = ?, challenge_until = ? WHERE id = ?', value, portal.now() + challenge_s, session.id);
  return value;
}

/** The five lines of a statement (docs/tamga-v1.md, "Signing in"). */
function readStatement(statement) {
  const [, origin, value, certificate, time] = statement.match(/^TAMGA-AUTHENTICATE-v1\norigin (\S+)\nchallenge (\S+)\ncertificate ([0-9a-f]{64})\ntime (\d{1,12})\n$/) ?? [];
  if (!origin) throw new Refused('statement_malformed');
  return { origin, value, certificate, time: Number(time) };
}

/** The first factor, all of it in base64: whose key it was. What is left is the code by SMS; fails with no_number where it cannot come. */
async function byKey(portal, session, { statement: encoded, signature, certificate }) {
  const statement = Buffer.from(encoded, 'base64').toString();
  const told = readStatement(statement);
  // Spent before anything else is looked at: two answers to one challenge cannot both be taken.
  const { changes } = portal.store.run('UPDATE sessions SET challenge = NULL, pending = NULL WHERE id = ? AND challenge = ? AND challenge_until > ?',
    session.id, told.value, portal.now());
  if (!changes) throw new Refused('challenge_spent');
  const der = Buffer.from(certificate, 'base64');
  if (told.origin !== portal.origin) throw new Refused('statement_origin');
  if (told.certificate !== sha256(der) || Math.abs(told.time - portal.now()) > challenge_s) throw new Refused('statement_malformed');
  const signer = await portal.judge.value(Buffer.from(statement), Buffer.from(signature, 'base64'), der);
  if (!signer.signsIn) throw new Refused('not_for_signing_in');
  const person = portal.store.one('SELECT iin FROM people WHERE iin = ?', signer.iin ?? '');
  if (!person) throw new Refused('nobody_registered');
  portal.store.run('UPDATE sessions SET pending = ? WHERE id = ?', person.iin, session.id);
  return person.iin;
}

/** The second factor. Gives the new cookie. */
function byCode(portal, session, typed) {
  if (!session.pending) throw new Refused('code_missing');
  codes.take(portal, session, session.pending, 'sign_in', typed);
  return enter(portal, session, session.pending, 'eds');
}

/** What a new QR code says to the application. Former ones of the session are good no more. */
function qr(portal, session) {
  const token = secret();
  portal.store.run("UPDATE qr SET state = 'used' WHERE session = ?", session.id);
  portal.store.insert('qr', { token: sha256(token), session: session.id, expires: portal.now() + qr_s });
  return token;
}

/** What the simulated application does with a code it has scanned. @param answer confirmed or refused */
function answerQr(portal, { token, device, answer }) {
  const person = portal.store.one('SELECT iin FROM people WHERE device = ?', device);
  if (!person) throw new Refused('device_unknown');
  const { changes } = portal.store.run("UPDATE qr SET state = ?, iin = ? WHERE token = ? AND state = 'shown' AND expires > ?",
    answer === 'confirmed' ? 'confirmed' : 'refused', person.iin, sha256(token ?? ''), portal.now());
  if (!changes) throw new Refused('qr_spent');
}

/** How it stands with the session's QR code: shown, confirmed, refused, expired. */
function qrState(portal, session) {
  const row = portal.store.one("SELECT * FROM qr WHERE session = ? AND state <> 'used'", session.id);
  if (!row || (row.state === 'shown' && row.expires <= portal.now())) return 'expired';
  return row.state;
}

/** Gives the new cookie where the application confirmed. */
function byQr(portal, session) {
  const row = portal.store.one("SELECT * FROM qr WHERE session = ? AND state = 'confirmed'", session.id);
  if (!row || row.expires <= portal.now()) throw new Refused('qr_spent');
  portal.store.run("UPDATE qr SET state = 'used' WHERE token = ?", row.token);
  return enter(portal, session, row.iin, 'qr');
}

module.exports = { answerQr, begin, byCode, byKey, byPassword, byQr, challenge, end, find, qr, qrState };
