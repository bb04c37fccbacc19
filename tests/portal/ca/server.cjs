// What the authority answers, for each kind of keys: /KIND/ocsp, /KIND/tsp (RFC 3161), /KIND/list.crl, and its certificates.
'use strict';

const { Refused } = require('../verify.cjs');

/** Every certificate of a kind, as openssl is told of it. */
const known = ({ store }, kind) => store.all('SELECT serial, revoked_at AS at FROM certificates WHERE authority = ?', kind);

const answers = {
  'POST ocsp': ['application/ocsp-response', ({ portal, authority, body }) => authority.answerOcsp(body, known(portal, authority.kind))],
  'POST tsp': ['application/timestamp-reply', ({ authority, body }) => authority.answerTimestamp(body)],
  'GET list.crl': ['application/pkix-crl', ({ portal, authority }) => authority.revocationList(known(portal, authority.kind).filter(({ at }) => at))],
  'GET root.cer': ['application/pkix-cert', ({ authority }) => authority.certificate('root')],
  'GET issuer.cer': ['application/pkix-cert', ({ authority }) => authority.certificate('issuer')],
};

const routes = Object.entries(answers).map(([place, [type, work]]) => {
  const [method, name] = place.split(' ');
  return {
    method, place: `/:kind/${name}`,
    async work(c) {
      if (!Object.hasOwn(c.portal.authorities, c.params.kind)) throw new Refused('not_found');
      return { type, body: await work({ ...c, authority: c.portal.authorities[c.params.kind] }) };
    },
  };
});

module.exports = { routes, open: () => {}, failed: (c, { status, reason }) => ({ status, type: 'text/plain', body: `${reason}\n` }) };
