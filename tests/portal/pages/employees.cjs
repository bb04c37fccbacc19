// The part of the account for the head of an organisation, and for whom the head authorised: employees' applications and
// keys; and for the head alone, who is authorised.
'use strict';

const { button, field, form, html, page, say, table, tick } = require('./layout.cjs');
const account = require('../account.cjs');
const { stateWords } = require('./account.cjs');
const { deciding } = require('../rights.cjs');
const { Refused } = require('../verify.cjs');

/** Whoever may decide for nobody is told whom to ask. */
function heedAnybody(c) {
  if (!deciding(c.portal, c.person.iin).length) throw new Refused('not_authorised');
}

function list(c) {
  heedAnybody(c);
  const rows = account.waiting(c.portal, c.session).map(({ number, name, role }) => [html`<a href="/account/employees/applications/${number}">${number}</a>`, name, say(c, `role_${role}`)]);
  return page(c, say(c, 'employees'), table(c, ['number', 'name', 'role'], rows, 'no_applications'));
}

function one(c) {
  const { number, name, iin, role, state, email, locality, store } = account.employeeApplication(c.portal, c.session, c.params.number);
  const requests = c.portal.store.all('SELECT purpose, key, authority FROM application_keys WHERE application = ?', number);
  const decide = state === 'submitted' ? form(c, `/account/employees/applications/${number}`, html`${field(c, 'reason_if_declined', 'reason')}
${tick(c, 'is_correct', 'correct')}<p><button name="decision" value="approve">${say(c, 'approve')}</button> <button name="decision" value="decline">${say(c, 'decline')}</button></p>`) : '';
  return page(c, say(c, 'application', number), html`<p role="status">${say(c, 'state')}: ${stateWords(c, state)}</p>
<dl><dt>${say(c, 'name')}</dt><dd>${name}</dd><dt>${say(c, 'iin')}</dt><dd>${iin}</dd><dt>${say(c, 'role')}</dt><dd>${say(c, `role_${role}`)}</dd>
<dt>${say(c, 'email')}</dt><dd>${email || '–'}</dd><dt>${say(c, 'locality')}</dt><dd>${locality || '–'}</dd><dt>${say(c, 'store')}</dt><dd>${store}</dd></dl>
${table(c, ['purpose', 'public_key'], requests.map(({ purpose, key, authority }) => [`${say(c, `purpose_${purpose}`)}, ${authority === 'rsa' ? 'RSA' : 'GOST'}`, html`<code>${key}</code>`]), 'nothing')}${decide}`);
}

const decide = (c) => ({ location: `/documents/${account.formDecision(c.portal, c.session, { number: c.params.number, approve: c.form.decision === 'approve', ...c.form })}` });

function keys(c) {
  heedAnybody(c);
  const find = html`<form action="/account/employees/keys">${field(c, 'iin', 'iin', html`inputmode="numeric" pattern="[0-9]{12}" required`)}${button(c, 'find')}</form>`;
  if (!c.query.iin) return page(c, say(c, 'employees_keys'), find);
  const found = account.employee(c.portal, c.session, c.query.iin);
  const rows = found.certificates.map(({ serial, purpose, state }) => [html`<code>${serial}</code>`, say(c, `purpose_${purpose}`), stateWords(c, state),
    state === 'valid' ? html`<a href="/account/revoke/${serial}">${say(c, 'revoke')}</a>` : '']);
  return page(c, say(c, 'employees_keys'), html`${find}<h2>${found.name}</h2>${table(c, ['serial', 'purpose', 'state', ''], rows, 'no_keys')}`);
}

function delegations(c) {
  const rows = account.delegates(c.portal, c.session).map(({ iin, name, role, authorised }) => [name, say(c, `role_${role}`), say(c, authorised ? 'authorised' : 'unauthorised'),
    form(c, '/account/delegations', html`<input type="hidden" name="iin" value="${iin}"><button name="authorise" value="${authorised ? '' : 'yes'}">${say(c, authorised ? 'withdraw' : 'authorise')}</button>`)]);
  return page(c, say(c, 'delegations'), html`<p>${say(c, 'delegations_note')}</p>${table(c, ['name', 'role', 'state', ''], rows, 'nothing')}`);
}

const delegate = (c) => ({ location: `/documents/${account.formDelegation(c.portal, c.session, { iin: c.form.iin, authorise: Boolean(c.form.authorise) })}` });

const routes = [
  ['GET', '/account/employees', list], ['GET', '/account/employees/applications/:number', one], ['POST', '/account/employees/applications/:number', decide],
  ['GET', '/account/employees/keys', keys], ['GET', '/account/delegations', delegations], ['POST', '/account/delegations', delegate],
].map(([method, place, work]) => ({ method, place, level: 'keys', work }));

module.exports = { routes };
