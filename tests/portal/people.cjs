// Who the portal knows: nobody. Names are roles, numbers are counted up, telephones are of no operator.
'use strict';

const crypto = require('node:crypto');

const password = 'Portal-1234';
const organisations = [['123456789121', 'Test Organisation 1'], ['123456789122', 'Test Organisation 2']];

/** [login, IIN, name, position of the first or the second organisation, what is special] */
const people = [
  ['citizen', '123456789011', 'CITIZEN 1'],
  ['other', '123456789012', 'CITIZEN 2'],
  ['nophone', '123456789013', 'CITIZEN WITHOUT A NUMBER', undefined, { phone: null }],
  ['abroad', '123456789014', 'CITIZEN ABROAD', undefined, { abroad: 1 }],
  ['head', '123456789021', 'HEAD OF TEST ORGANISATION 1', [0, 'head']],
  ['signatory', '123456789022', 'SIGNATORY OF TEST ORGANISATION 1', [0, 'signatory']],
  ['personnel', '123456789023', 'PERSONNEL OFFICER OF TEST ORGANISATION 1', [0, 'personnel_officer']],
  ['employee', '123456789024', 'EMPLOYEE OF TEST ORGANISATION 1', [0, 'employee']],
  ['head2', '123456789031', 'HEAD OF TEST ORGANISATION 2', [1, 'head']],
];

function hashPassword(text, salt = crypto.randomBytes(16)) {
  return `${salt.toString('hex')}:${crypto.scryptSync(text, salt, 32, { N: 1024 }).toString('hex')}`;
}
function passwordFits(text, kept) {
  const again = hashPassword(text, Buffer.from(kept.split(':')[0], 'hex'));
  return crypto.timingSafeEqual(Buffer.from(again), Buffer.from(kept));
}

/** Fills an empty database. A person's device, for the simulated application, is known by the login and "-device". */
function introduce(store) {
  if (store.one('SELECT 1 FROM people')) return;
  const kept = hashPassword(password);
  store.together(() => {
    for (const [bin, name] of organisations) store.insert('organisations', { bin, name });
    for (const [login, iin, name, position, special] of people) {
      const phone = `+7 000 000 ${iin.slice(-4, -2)} ${iin.slice(-2)}`;
      store.insert('people', { iin, name, surname: name.split(' ')[0], login, password: kept, phone, device: `${login}-device`, ...special });
      if (position) store.insert('positions', { iin, bin: organisations[position[0]][0], role: position[1] });
    }
  });
}

/** As the authority is to name a person, as a citizen or, with `bin`, in their position there. */
function ownerOf(store, iin, bin) {
  const person = store.one('SELECT iin, name, surname FROM people WHERE iin = ?', iin);
  if (!bin) return { ...person, role: 'individual' };
  const place = store.one('SELECT p.role, o.name AS organisation FROM positions p JOIN organisations o USING (bin) WHERE p.iin = ? AND p.bin = ?', iin, bin);
  return { ...person, bin, ...place };
}

module.exports = { introduce, ownerOf, password, passwordFits };
