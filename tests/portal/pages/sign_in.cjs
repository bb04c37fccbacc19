// The page with the three ways in, the page for the code, and the language.
'use strict';

const qrcode = require('qrcode-generator');
const { button, field, form, html, page, say } = require('./layout.cjs');
const codes = require('../codes.cjs');
const signIn = require('../sign_in.cjs');
const { Refused } = require('../verify.cjs');

/** The person is in: a new cookie, and on to what they wanted. */
const entered = (c, cookie) => {
  c.cookie = cookie;
  return { location: '/' };
};

function ways(c) {
  const password = html`<section><h2>${say(c, 'by_password')}</h2>${form(c, '/sign-in/password', html`
${field(c, 'login', 'login', html`autocomplete="username" required`)}
${field(c, 'password', 'password', html`type="password" autocomplete="current-password" required`)}
${button(c, 'sign_in')}`)}<p class="quiet">${say(c, 'by_password_note')}</p></section>`;
  const key = html`<section><h2>${say(c, 'by_key')}</h2>
${form(c, '/sign-in/key', html`<input type="hidden" name="statement"><input type="hidden" name="signature"><input type="hidden" name="certificate">
${button(c, 'by_key_button')}<p class="outcome" role="status"></p>`, html`data-authenticate="${signIn.challenge(c.portal, c.session)}"`)}
<p class="quiet">${say(c, 'by_key_note')}</p></section>`;
  const token = signIn.qr(c.portal, c.session);
  const qr = html`<section><h2>${say(c, 'by_qr')}</h2><div data-qr="/sign-in/qr"><img src="/sign-in/qr.svg?token=${token}" alt="${say(c, 'by_qr_alt')}" width="180" height="180">
${form(c, '/sign-in/qr', html``)}</div><p class="quiet">${say(c, 'by_qr_note')}</p><p><a href="/app?token=${token}" target="_blank">${say(c, 'by_qr_scan')}</a></p></section>`;
  return page(c, say(c, 'sign_in'), html`<div class="ways">${password}${key}${qr}</div>`);
}

const askCode = (c, note) => page(c, say(c, 'code'), html`<p role="status">${note}</p>
${form(c, '/sign-in/code', html`${field(c, 'code', 'code', html`inputmode="numeric" autocomplete="one-time-code" required autofocus`)}${button(c, 'confirm')}`)}
${form(c, '/sign-in/code/again', html`<p><button class="quiet">${say(c, 'code_again')}</button></p>`)}`);

function sendCode(c) {
  codes.send(c.portal, c.session, c.session.pending, 'sign_in', say(c, 'code_words'));
  return { location: '/sign-in/code' };
}

/** The picture of what the application opens. */
function svg(c) {
  const code = qrcode(0, 'M');
  code.addData(`${c.portal.origin}/app?token=${(c.query.token ?? '').slice(0, 64)}`);
  code.make();
  return { type: 'image/svg+xml', body: code.createSvgTag({ cellSize: 4, margin: 8, scalable: true }) };
}

/** Asked beside the page: it begins no session, or its cookie could come in the place of the one that signing in gives. */
function qrState(c) {
  const session = signIn.find(c.portal, c.cookies.portal);
  return { type: 'application/json', body: JSON.stringify({ state: session ? signIn.qrState(c.portal, session) : 'expired' }) };
}

const local = (place) => (/^\/(?!\/)[\x21-\x7e]*$/.test(place ?? '') ? place : '/');

const routes = [
  { method: 'GET', place: '/sign-in', work: ways },
  { method: 'POST', place: '/sign-in/password', work: (c) => entered(c, signIn.byPassword(c.portal, c.session, { login: '', password: '', ...c.form })) },
  {
    method: 'POST', place: '/sign-in/key',
    async work(c) {
      c.session.pending = await signIn.byKey(c.portal, c.session, { statement: '', signature: '', certificate: '', ...c.form });
      return sendCode(c);
    },
  },
  {
    method: 'GET', place: '/sign-in/code',
    work(c) {
      if (!c.session.pending) throw new Refused('code_missing');
      return askCode(c, say(c, 'code_sent'));
    },
  },
  { method: 'POST', place: '/sign-in/code', work: (c) => entered(c, signIn.byCode(c.portal, c.session, c.form.code ?? '')) },
  {
    method: 'POST', place: '/sign-in/code/again',
    work(c) {
      if (!c.session.pending) throw new Refused('code_missing');
      return sendCode(c);
    },
  },
  { method: 'GET', place: '/sign-in/qr.svg', asset: true, work: svg },
  { method: 'GET', place: '/sign-in/qr', asset: true, work: qrState },
  { method: 'POST', place: '/sign-in/qr', work: (c) => entered(c, signIn.byQr(c.portal, c.session)) },
  {
    method: 'POST', place: '/sign-out',
    work(c) {
      signIn.end(c.portal, c.session);
      c.cookie = signIn.begin(c.portal);
      return { location: '/' };
    },
  },
  { method: 'POST', place: '/language', work: (c) => ({ location: local(c.form.back), set: [`language=${/^(kk|ru|en)$/.exec(c.form.to ?? '')?.[0] ?? 'kk'}; Path=/; SameSite=Lax`] }) },
];

module.exports = { routes };
