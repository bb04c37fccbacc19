// What the portal has in the place of the world around it: the telephones to which the operator brings messages, and the
// mobile application that scans a QR code.
'use strict';

const { field, form, html, page, say, table } = require('./layout.cjs');
const signIn = require('../sign_in.cjs');

function operator(c) {
  const rows = c.portal.store.all('SELECT m.*, p.name FROM messages m LEFT JOIN people p USING (phone) ORDER BY id DESC LIMIT 20')
    .map(({ name, phone, sender, text, delivered }) => [`${name} ${phone}`, sender, delivered ? html`<code>${text}</code>` : say(c, 'not_delivered')]);
  return page(c, say(c, 'operator'), html`<p>${say(c, 'operator_note')}</p>${table(c, ['phone', 'from', 'message'], rows, 'nothing')}`);
}

const app = (c) => page(c, say(c, 'app'), html`<p>${say(c, 'app_note')}</p>${form(c, '/app', html`
${field(c, 'app_token', 'token', html`value="${c.query.token ?? ''}" required`)}${field(c, 'app_device', 'device', html`required`)}
<p><button name="answer" value="confirmed">${say(c, 'app_confirm')}</button> <button name="answer" value="refused">${say(c, 'app_refuse')}</button></p>`)}`);

function answer(c) {
  signIn.answerQr(c.portal, c.form);
  return page(c, say(c, 'app'), html`<p class="good" role="status">${say(c, 'app_done')}</p>`);
}

const routes = [
  { method: 'GET', place: '/operator', work: operator },
  { method: 'GET', place: '/app', work: app },
  { method: 'POST', place: '/app', work: answer },
];

module.exports = { routes };
