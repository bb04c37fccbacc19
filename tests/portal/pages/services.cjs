// Services, requests for them, and the page on which a document is signed.
'use strict';

const { button, field, form, html, page, say, table, tick } = require('./layout.cjs');
const codes = require('../codes.cjs');
const documents = require('../documents.cjs');
const services = require('../services.cjs');

const methods = { password: 'needs_password', code: 'needs_code', eds: 'needs_eds' };

function list(c) {
  const rows = services.services.map(({ id, method }) => [html`<a href="/services/${id}">${say(c, id)}</a>`, say(c, methods[method])]);
  const own = c.person ? c.portal.store.all('SELECT * FROM requests WHERE iin = ? ORDER BY number DESC', c.person.iin) : [];
  return page(c, say(c, 'services'), html`${table(c, ['service', 'confirmed_by'], rows, 'nothing')}
${own.length ? html`<h2>${say(c, 'own_requests')}</h2>${table(c, ['number', 'service', 'state'],
    own.map(({ number, service, state }) => [html`<a href="/requests/${number}">${number}</a>`, say(c, service), say(c, `request_${state}`)]), 'nothing')}` : ''}`);
}

/** The organisation a request is for: one in which the person has a position. */
const organisations = (c) => c.portal.store.all('SELECT o.bin, o.name FROM positions p JOIN organisations o USING (bin) WHERE p.iin = ?', c.person.iin);

function ask(c) {
  const { id, method, organisation } = services.service(c.params.id);
  const choice = organisation ? html`<p><label for="bin">${say(c, 'organisation')}</label><select id="bin" name="bin">
${organisations(c).map(({ bin, name }) => html`<option value="${bin}">${name}</option>`)}</select></p>` : '';
  const buttons = method === 'code'
    ? html`<p><button>${say(c, 'by_code')}</button> <button name="withKey" value="yes">${say(c, 'with_key')}</button></p>` : button(c, 'go_on');
  return page(c, say(c, id), html`<p>${say(c, methods[method])}</p>${form(c, `/services/${id}`, html`${choice}${field(c, 'what', 'words', html`required`)}${buttons}`)}`);
}

function apply(c) {
  const { words = '', bin, withKey } = c.form;
  const next = services.apply(c.portal, c.session, c.params.id, { words, bin, withKey: Boolean(withKey) });
  if (next.document) return { location: `/documents/${next.document}` };
  if (next.request) return { location: `/requests/${next.request}` };
  codes.send(c.portal, c.session, c.session.iin, `request ${next.code}`, say(c, 'code_words'));
  return { location: `/requests/${next.code}` };
}

function show(c) {
  const { number, service, state, text, method, document } = services.request(c.portal, c.session, c.params.number);
  const code = state === 'formed' ? html`<p role="status">${say(c, 'code_sent')}</p>${form(c, `/requests/${number}`, html`
${field(c, 'code', 'code', html`inputmode="numeric" autocomplete="one-time-code" required`)}${button(c, 'confirm')}`)}` : '';
  return page(c, say(c, 'request', number), html`<p class="${state === 'accepted' ? 'good' : ''}" role="status" data-state="${state}">${say(c, service)}: ${say(c, `request_${state}`)}</p>
<p>${say(c, document ? 'done_by_key' : { password: 'done_by_password', code: 'done_by_code' }[method])}</p><pre>${text}</pre>${code}`);
}

function confirm(c) {
  services.confirm(c.portal, c.session, c.params.number, c.form.code ?? '');
  return { location: `/requests/${c.params.number}` };
}

/** What portal.mjs asks the daemon for. */
function asked(c, { iin, bin, kind, payload, format }) {
  const signer = { iin, ...(bin ? { bin } : {}) };
  const shape = format === 'cms' ? { format, attached: true } : { format };
  if (kind !== 'service') return { purpose: 'key_account', signer, ...shape };
  const { service, organisation } = payload;
  return {
    purpose: 'service_request', service: `${c.portal.catalogue}/${service}`, signer, ...shape,
    ...(organisation ? { on_behalf_of: { name: organisation.name, id_number: organisation.bin } } : {}),
  };
}

function sign(c) {
  const document = documents.find(c.portal, c.session, c.params.id);
  const title = say(c, `document_${document.kind}`);
  return page(c, title, html`<p>${say(c, 'read_and_sign')}</p><pre id="text">${document.text}</pre>
${form(c, `/documents/${document.id}`, html`<input type="hidden" name="signature">${tick(c, 'is_correct', 'correct')}${button(c, 'sign')}<p class="outcome" role="status"></p>`,
    html`data-sign="${JSON.stringify(asked(c, document))}" data-title="${title}"`)}`);
}

const accept = async (c) => ({ location: await documents.accept(c.portal, c.session, c.params.id, Buffer.from(c.form.signature ?? '', 'base64')) });

const routes = [
  { method: 'GET', place: '/', work: list },
  { method: 'GET', place: '/services/:id', level: 'person', work: ask },
  { method: 'POST', place: '/services/:id', level: 'person', work: apply },
  { method: 'GET', place: '/requests/:number', level: 'person', work: show },
  { method: 'POST', place: '/requests/:number', level: 'person', work: confirm },
  { method: 'GET', place: '/documents/:id', level: 'person', work: sign },
  { method: 'POST', place: '/documents/:id', level: 'person', work: accept },
];

module.exports = { routes };
