// The account of a key owner: profile, list of keys, revocation, renewal, state of applications, PIN.
'use strict';

const { button, field, form, html, languages, page, say, table, tick } = require('./layout.cjs');
const account = require('../account.cjs');
const { deciding } = require('../rights.cjs');

const day = (seconds) => new Date(seconds * 1000).toISOString().slice(0, 10);
const stateWords = (c, state) => html`<span class="${{ valid: 'good', issued: 'good', installed: 'good', revoked: 'bad', declined: 'bad' }[state] ?? ''}" data-state="${state}">${say(c, `state_${state}`)}</span>`;

function overview(c) {
  const isHead = c.portal.store.one("SELECT 1 FROM positions WHERE iin = ? AND role = 'head'", c.person.iin);
  const tasks = [['/account/keys', 'keys'], ['/account/renew', 'renew'], ['/account/applications', 'applications'], ['/account/pin', 'pin'],
    ...(deciding(c.portal, c.person.iin).length ? [['/account/employees', 'employees'], ['/account/employees/keys', 'employees_keys']] : []),
    ...(isHead ? [['/account/delegations', 'delegations']] : [])];
  const settings = form(c, '/account/settings', html`<p><label for="language">${say(c, 'language')}</label><select id="language" name="language">
${Object.entries(languages).map(([id, name]) => html`<option value="${id}"${id === c.language ? html` selected` : ''}>${name}</option>`)}</select></p>
<p class="tick"><input type="checkbox" id="letters" name="letters" value="yes"${c.person.letters ? html` checked` : ''}><label for="letters">${say(c, 'letters')}</label></p>${button(c, 'save')}`);
  return page(c, say(c, 'account'), html`<ul class="tasks">${tasks.map(([to, key]) => html`<li><a href="${to}">${say(c, key)}</a></li>`)}</ul>
<h2>${say(c, 'profile')}</h2><dl><dt>${say(c, 'name')}</dt><dd>${c.person.name}</dd><dt>${say(c, 'iin')}</dt><dd>${c.person.iin}</dd>
<dt>${say(c, 'phone')}</dt><dd>${c.person.phone ?? '–'}</dd></dl><h2>${say(c, 'settings')}</h2>${settings}`);
}

function saveSettings(c) {
  const language = Object.hasOwn(languages, c.form.language ?? '') ? c.form.language : 'kk';
  c.portal.store.run('UPDATE people SET language = ?, letters = ? WHERE iin = ?', language, c.form.letters ? 1 : 0, c.person.iin);
  return { location: '/account', set: [`language=${language}; Path=/; SameSite=Lax`] };
}

const states = ['valid', 'expired', 'revoked'];

function keys(c) {
  const wanted = states.includes(c.query.state) ? c.query.state : undefined;
  const filters = [undefined, ...states].map((each) => html`<a href="/account/keys${each ? `?state=${each}` : ''}"${each === wanted ? html` aria-current="true"` : ''}>${say(c, each ? `state_${each}` : 'state_any')}</a> `);
  const rows = account.certificates(c.portal, c.person.iin, { state: wanted }).map(({ serial, purpose, role, authority, not_after: until, state }) => [
    html`<code>${serial}</code>`, `${say(c, `purpose_${purpose}`)}, ${say(c, `role_${role}`)}, ${authority === 'rsa' ? 'RSA' : 'GOST'}`, day(until), stateWords(c, state),
    state === 'valid' ? html`<a href="/account/revoke/${serial}">${say(c, 'revoke')}</a>` : '']);
  return page(c, say(c, 'keys'), html`<p class="filters">${filters}</p>${table(c, ['serial', 'purpose', 'until', 'state', ''], rows, 'no_keys')}
<p class="quiet">${say(c, 'keys_lost')}</p>`);
}

function revoke(c) {
  const found = account.revocable(c.portal, c.session, c.params.serial);
  const before = found.iin === c.person.iin && account.recommendedBefore(c.portal, found);
  const warning = before ? html`<p class="note">${say(c, 'order_recommended')} <a href="/account/revoke/${before.serial}">${say(c, 'revoke_that_first')}</a></p>${tick(c, 'anyway', 'anyway')}` : '';
  return page(c, say(c, 'revoke'), html`<dl><dt>${say(c, 'serial')}</dt><dd><code>${found.serial}</code></dd><dt>${say(c, 'purpose')}</dt><dd>${say(c, `purpose_${found.purpose}`)}</dd></dl>
${form(c, `/account/revoke/${found.serial}`, html`${field(c, 'reason', 'reason', html`required`)}${tick(c, 'consent', 'consent')}${warning}${button(c, 'go_on')}`)}`);
}

const formRevocation = (c) => ({ location: `/documents/${account.formRevocation(c.portal, c.session, { serial: c.params.serial, ...c.form })}` });

function renew(c) {
  const file = (key, name, more) => field(c, key, name, html`type="file" accept=".p10,.csr,.der,.pem,.p7s,.cms,.p7m" ${more ?? ''}`);
  return page(c, say(c, 'renew'), html`<p>${say(c, 'renew_how')}</p><pre>tamga keys renew --out DIR</pre>
<dl><dt>${say(c, 'name')}</dt><dd>${c.person.name}</dd><dt>${say(c, 'iin')}</dt><dd>${c.person.iin}</dd></dl>
${form(c, '/account/renew', html`${file('file_signed', 'signed', html`required`)}
<fieldset><legend>${say(c, 'files_requests')}</legend>${file('file_both', 'both')}${file('file_authentication', 'authentication')}${file('file_signature', 'signature')}</fieldset>
${field(c, 'email', 'email', html`type="email"`)}${field(c, 'locality', 'locality', html`required`)}
<p><label for="store">${say(c, 'store')}</label><select id="store" name="store">${['Kaztoken', 'eToken', 'JaCarta', 'AKey', 'file'].map((each) => html`<option value="${each}">${each === 'file' ? say(c, 'store_file') : each}</option>`)}</select></p>
<p class="quiet">${say(c, 'store_note')}</p>${tick(c, 'is_correct', 'correct')}${button(c, 'send')}`, html`enctype="multipart/form-data"`)}`);
}

async function submit(c) {
  const octets = (name) => (Buffer.isBuffer(c.form[name]) ? c.form[name] : undefined);
  const requests = Object.fromEntries(['both', 'authentication', 'signature'].map((name) => [name, octets(name)]).filter(([, file]) => file));
  const number = await account.submit(c.portal, c.session, { ...c.form, store: c.form.store || 'file', signed: octets('signed') ?? Buffer.alloc(0), requests });
  return { location: `/account/applications/${number}` };
}

function applications(c) {
  const rows = c.portal.store.all('SELECT * FROM applications WHERE iin = ? ORDER BY number DESC', c.person.iin)
    .map(({ number, at, state }) => [html`<a href="/account/applications/${number}">${number}</a>`, day(at), stateWords(c, state)]);
  return page(c, say(c, 'applications'), html`<form action="/account/applications/find">${field(c, 'number', 'number', html`inputmode="numeric" required`)}${button(c, 'find')}</form>
${table(c, ['number', 'date', 'state'], rows, 'no_applications')}`);
}

function application(c) {
  const { number, state, reason, certificates } = account.application(c.portal, c.session, c.params.number ?? c.query.number);
  const files = certificates.map(({ purpose, serial }) => html`<li><a href="/account/applications/${number}/${purpose}.cer" download>${say(c, `purpose_${purpose}`)}, <code>${serial}</code> (.cer)</a></li>`);
  const install = certificates.length ? html`<h2>${say(c, 'install')}</h2><p>${say(c, 'install_how')}</p><pre>tamga keys install FILE</pre>
<ul>${files}<li><a href="/account/applications/${number}/certificates.p7b" download>${say(c, 'all_of_them')} (.p7b)</a></li></ul>` : '';
  const done = state === 'issued' ? form(c, `/account/applications/${number}/installed`, button(c, 'are_installed')) : '';
  return page(c, say(c, 'application', number), html`<p role="status">${say(c, 'state')}: ${stateWords(c, state)}</p>
${reason ? html`<p class="note">${say(c, 'reason')}: ${reason}</p>` : ''}${state === 'submitted' ? html`<p>${say(c, 'waits_for_head')}</p>` : ''}${install}${done}`);
}

function certificateFile(c) {
  const found = account.application(c.portal, c.session, c.params.number).certificates.find(({ purpose }) => `${purpose}.cer` === c.params.file);
  return found && { type: 'application/pkix-cert', body: Buffer.from(found.der) };
}

async function file(c) {
  if (c.params.file === 'certificates.p7b') {
    const found = account.application(c.portal, c.session, c.params.number);
    if (found.certificates.length) return { type: 'application/x-pkcs7-certificates', body: await account.bundle(c.portal, found) };
  }
  return certificateFile(c) ?? { status: 404, type: 'text/plain', body: 'not_found\n' };
}

function installed(c) {
  account.installed(c.portal, c.session, c.params.number);
  return { location: `/account/applications/${c.params.number}` };
}

const pin = (c) => page(c, say(c, 'pin'), html`<p>${say(c, 'pin_token')}</p><p>${say(c, 'pin_file')}</p><pre>tamga pin change</pre><p class="note">${say(c, 'pin_lost')}</p>`);

const routes = [
  ['GET', '/account', overview], ['POST', '/account/settings', saveSettings], ['GET', '/account/keys', keys],
  ['GET', '/account/revoke/:serial', revoke], ['POST', '/account/revoke/:serial', formRevocation],
  ['GET', '/account/renew', renew], ['POST', '/account/renew', submit],
  ['GET', '/account/applications', applications], ['GET', '/account/applications/find', application], ['GET', '/account/applications/:number', application],
  ['GET', '/account/applications/:number/:file', file], ['POST', '/account/applications/:number/installed', installed],
  ['GET', '/account/pin', pin],
].map(([method, place, work]) => ({ method, place, level: 'keys', work }));

module.exports = { routes, stateWords };
