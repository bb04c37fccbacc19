// Who may decide for an organisation. What the certificate says of its owner is not enough: the portal's own data says who
// holds which position, and whom the head authorised.
'use strict';

const { Refused } = require('./verify.cjs');

const position = (portal, iin, bin) => portal.store.one('SELECT role FROM positions WHERE iin = ? AND bin = ?', iin, bin)?.role;
const delegated = (portal, iin, bin) => Boolean(portal.store.one('SELECT 1 FROM delegations WHERE iin = ? AND bin = ? AND ended_at IS NULL', iin, bin));

/** Organisations for which a person may decide on employees' keys: the head, and whom the head authorised. */
function deciding(portal, iin) {
  return portal.store.all('SELECT bin, role FROM positions WHERE iin = ?', iin)
    .filter(({ bin, role }) => role === 'head' || (role !== 'employee' && delegated(portal, iin, bin))).map(({ bin }) => bin);
}

/** Fails with not_authorised, which says whom to ask, or role_insufficient where nobody could be authorised. */
function mayDecide(portal, iin, bin) {
  const role = position(portal, iin, bin);
  if (!role || role === 'employee') throw new Refused('role_insufficient');
  if (role !== 'head' && !delegated(portal, iin, bin)) throw new Refused('not_authorised');
}

/** The signer's own key, of that organisation where one is demanded, and issued for the position that the portal knows. */
function heedSigner(portal, signer, { iin, bin }) {
  if (!signer.signs) throw new Refused('not_for_signing');
  if (signer.iin !== iin) throw new Refused('other_person');
  if (!bin) return;
  if (signer.bin !== bin) throw new Refused('other_organisation');
  if (!signer.roles.includes(position(portal, iin, bin))) throw new Refused('other_role');
}

module.exports = { deciding, delegated, heedSigner, mayDecide, position };
