// The frame of every page: it says that nothing here is real, and has the languages and the way around.
'use strict';

const { texts } = require('./texts.cjs');

class Markup extends String {}

const escape = (value) => String(value).replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
function shown(value) {
  if (value instanceof Markup) return value;
  if (Array.isArray(value)) return value.map(shown).join('');
  return value === undefined || value === null || value === false ? '' : escape(value);
}
/** Markup; whatever is put in is escaped unless it is markup itself. */
const html = (strings, ...values) => new Markup(strings.reduce((all, each, at) => all + shown(values[at - 1]) + each));

const languages = { kk: 'Қазақша', ru: 'Русский', en: 'English' };

/** A text in the language of the page; `{0}` in it is `value`. */
const say = (c, key, value = '') => {
  if (!Object.hasOwn(texts, key)) throw new Error(`no text ${key}`);
  return texts[key][c.language].replace('{0}', () => value);
};

/** A form of this site: whatever it sends carries the session's secret, so that no other site can send it. */
const form = (c, action, body, more = html``) => html`<form method="post" action="${action}" ${more}>
<input type="hidden" name="csrf" value="${c.session.csrf}">${body}</form>`;

const way = (c) => {
  const links = [['/', 'services']];
  if (c.person) links.push(['/account', 'account']);
  links.push(...(c.person ? [] : [['/sign-in', 'sign_in']]), ['/operator', 'operator']);
  return html`<nav aria-label="${say(c, 'ways')}">${links.map(([to, key]) => html`<a href="${to}"${c.path === to ? html` aria-current="page"` : ''}>${say(c, key)}</a> `)}
${c.person ? form(c, '/sign-out', html`<span class="who">${c.person.name}</span> <button class="quiet">${say(c, 'sign_out')}</button>`) : ''}</nav>`;
};

const tongues = (c) => form(c, '/language', html`<input type="hidden" name="back" value="${c.request.method === 'GET' ? c.request.url : c.path}">
${Object.entries(languages).map(([to, name]) => html`<button class="quiet" name="to" value="${to}" lang="${to}"${to === c.language ? html` aria-current="true"` : ''}>${name}</button>`)}`);

function page(c, title, body, status = 200) {
  const text = html`<!DOCTYPE html>
<html lang="${c.language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title} · ${say(c, 'portal')}</title>
<link rel="stylesheet" href="/portal.css">
<script type="module" src="/portal.mjs"></script>
</head>
<body data-tamga="${c.portal.tamga}">
<a class="skip" href="#main">${say(c, 'skip')}</a>
<p class="test" role="note">${say(c, 'for_tests')}</p>
<header>${way(c)}${tongues(c)}</header>
<main id="main">
<h1>${title}</h1>
${body}
</main>
</body>
</html>
`;
  return { status, body: String(text), headers: security(c.portal) };
}

const security = ({ tamga }) => ({
  'Content-Security-Policy': `default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self' wss://127.0.0.1:${tamga} ws://127.0.0.1:${tamga}; `
    + "form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
});

/** One field with its label. */
const field = (c, key, name, more = html``) => html`<p><label for="${name}">${say(c, key)}</label><input id="${name}" name="${name}" ${more}></p>`;
const tick = (c, key, name) => html`<p class="tick"><input type="checkbox" id="${name}" name="${name}" value="yes" required><label for="${name}">${say(c, key)}</label></p>`;
const button = (c, key, more = html``) => html`<p><button ${more}>${say(c, key)}</button></p>`;
/** A table with a heading for each column. */
const table = (c, headings, rows, empty) => (rows.length
  ? html`<table><thead><tr>${headings.map((key) => html`<th scope="col">${key && say(c, key)}</th>`)}</tr></thead>
<tbody>${rows.map((cells) => html`<tr>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>`)}</tbody></table>` : html`<p class="quiet">${say(c, empty)}</p>`);

module.exports = { button, field, form, html, languages, page, say, table, tick };
