// Codes by SMS from 1414: each is good once, for one session and one purpose, for five minutes; five wrong ones, or five
// wrong passwords, lock for a quarter of an hour. The operator is simulated: messages lie in a table.
'use strict';

const crypto = require('node:crypto');
const { Refused, sha256 } = require('./verify.cjs');

const sender = '1414';
const validity_s = 300;
const lock_s = 900;
const tries = 5;

/** Fails while `what` is locked. */
function heedLock(portal, what) {
  const row = portal.store.one('SELECT locked_until FROM failures WHERE what = ?', what);
  if (row && row.locked_until > portal.now()) throw new Refused('locked', String(Math.ceil((row.locked_until - portal.now()) / 60)));
}

/** Counts a failure; the fifth within a quarter of an hour locks. */
function countFailure(portal, what) {
  const { store } = portal;
  const row = store.one('SELECT count, since FROM failures WHERE what = ?', what);
  const fresh = !row || row.since + lock_s <= portal.now();
  const count = fresh ? 1 : row.count + 1;
  store.run('INSERT OR REPLACE INTO failures VALUES (?, ?, ?, ?)', what, count, fresh ? portal.now() : row.since, count >= tries ? portal.now() + lock_s : 0);
  return count;
}

const forgetFailures = (portal, what) => portal.store.run('DELETE FROM failures WHERE what = ?', what);

/** The operator: brings a message to a telephone, unless it is abroad without roaming. Gives whether it arrived. */
function deliver(portal, person, text) {
  const delivered = !person.abroad || person.roaming ? 1 : 0;
  portal.store.insert('messages', { phone: person.phone, sender, text, sent_at: portal.now(), delivered });
  return delivered === 1;
}

/**
 * Sends a new code; former ones for the same purpose are good no more. Fails with no_number, locked; a person abroad without
 * roaming gets nothing, and the portal cannot know.
 */
function send(portal, session, iin, purpose, words) {
  const person = portal.store.one('SELECT * FROM people WHERE iin = ?', iin);
  heedLock(portal, `code ${iin}`);
  if (!person.phone) throw new Refused('no_number');
  const code = String(crypto.randomInt(1e6)).padStart(6, '0');
  portal.store.run('UPDATE codes SET ended = 1 WHERE iin = ? AND session = ? AND purpose = ?', iin, session.id, purpose);
  portal.store.insert('codes', { session: session.id, iin, purpose, code: sha256(`${session.id} ${code}`), expires: portal.now() + validity_s });
  deliver(portal, person, `${code} ${words}`);
}

/** Takes a code; fails with code_missing, code_expired, code_wrong, locked. */
function take(portal, session, iin, purpose, typed) {
  const { store } = portal;
  heedLock(portal, `code ${iin}`);
  const sent = store.one('SELECT * FROM codes WHERE session = ? AND iin = ? AND purpose = ? AND ended = 0', session.id, iin, purpose);
  if (!sent) throw new Refused('code_missing');
  if (sent.expires <= portal.now()) throw new Refused('code_expired');
  if (sha256(`${session.id} ${typed.replace(/\s/g, '')}`) !== sent.code) {
    const left = tries - countFailure(portal, `code ${iin}`);
    if (left <= 0) store.run('UPDATE codes SET ended = 1 WHERE iin = ?', iin);
    throw new Refused('code_wrong', String(Math.max(left, 0)));
  }
  store.run('UPDATE codes SET ended = 1 WHERE id = ?', sent.id);
  forgetFailures(portal, `code ${iin}`);
}

module.exports = { countFailure, forgetFailures, heedLock, send, take };
