// What the portal forms and a person signs: one way for requests for services, decisions, revocations and authorisations.
// A document is formed for one person and one session, shown, signed through the daemon, and accepted once: when its
// signature is good, its content is what was formed, and the signer is whom it is for.
'use strict';

const crypto = require('node:crypto');
const { heedSigner } = require('./rights.cjs');
const { Refused } = require('./verify.cjs');

const validity_s = 900;

/** What is done when a document of a kind is accepted: account.cjs and services.cjs register theirs. Must not wait. */
const acceptance = new Map();
const whenAccepted = (kind, action) => acceptance.set(kind, action);

/** @param document { kind, payload, text, format, bin: of the organisation whose key is demanded } */
function form(portal, session, { kind, payload, text, format = 'cms', bin = null }) {
  const id = crypto.randomBytes(16).toString('hex');
  portal.store.insert('documents', { id, iin: session.iin, session: session.id, kind, payload: JSON.stringify(payload), text, format, bin, expires: portal.now() + validity_s });
  return id;
}

/** The session's document, not accepted yet. */
function find(portal, session, id) {
  const document = portal.store.one('SELECT * FROM documents WHERE id = ? AND session = ? AND accepted_at IS NULL AND expires > ?', id, session.id, portal.now());
  if (!document) throw new Refused('document_spent');
  return { ...document, payload: JSON.parse(document.payload) };
}

async function judged(portal, { format, text }, signature) {
  if (format === 'xml') return portal.judge.xml(signature.toString(), text);
  const { content, signer } = await portal.judge.cms(signature);
  if (!content.equals(Buffer.from(text))) throw new Refused('signature_invalid', 'another document was signed');
  return { signer };
}

/** Takes the signature, an attached CMS or the signed XML. Gives where the person goes on. */
async function accept(portal, session, id, signature) {
  const document = find(portal, session, id);
  const { signer } = await judged(portal, document, signature);
  heedSigner(portal, signer, document);
  const next = portal.store.together(() => {
    const { changes } = portal.store.run('UPDATE documents SET signature = ?, signer = ?, accepted_at = ? WHERE id = ? AND accepted_at IS NULL',
      signature, signer.sha256, portal.now(), id);
    if (!changes) throw new Refused('document_spent');
    return acceptance.get(document.kind)(portal, document);
  });
  await portal.work();
  return next;
}

module.exports = { accept, find, form, whenAccepted };
