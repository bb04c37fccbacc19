// The site: every page, who may open it, and what a person reads where something was refused.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { html, languages, page, say } = require('./layout.cjs');
const { texts } = require('./texts.cjs');
const signIn = require('../sign_in.cjs');
const { Refused } = require('../verify.cjs');

const asset = (place, type, file) => ({ method: 'GET', place, asset: true, work: () => ({ type, body: fs.readFileSync(path.join(__dirname, file)) }) });

const routes = [
  asset('/portal.css', 'text/css', 'portal.css'),
  asset('/portal.mjs', 'text/javascript', 'portal.mjs'),
  asset('/tamga.mjs', 'text/javascript', '../../../protocol/js/tamga.mjs'),
  ...require('./sign_in.cjs').routes,
  ...require('./services.cjs').routes,
  ...require('./account.cjs').routes,
  ...require('./employees.cjs').routes,
  ...require('./simulators.cjs').routes,
];

/** A route's `level`: of anybody without one; `person`: who is signed in; `keys`: by a key or by the application. */
function heedLevel(c, { level }) {
  if (!level) return;
  if (!c.session.iin) throw new Refused('sign_in_first');
  if (level === 'keys' && c.session.level === 'password') throw new Refused('level_too_low');
}

function languageOf(c) {
  if (Object.hasOwn(languages, c.cookies.language ?? '')) return c.cookies.language;
  return (c.request.headers['accept-language'] ?? '').match(/\b(kk|ru|en)\b/)?.[1] ?? 'kk';
}

/** The cookie that says whose session it is. */
const remember = (portal, cookie) => `portal=${cookie}; Path=/; HttpOnly; SameSite=Lax${portal.origin.startsWith('https') ? '; Secure' : ''}`;

/** What is no page (`asset`) has no session, and begins none. */
function open(c, route) {
  if (route.asset) return;
  c.language = languageOf(c);
  c.session = signIn.find(c.portal, c.cookies.portal);
  if (!c.session) {
    c.cookie = signIn.begin(c.portal);
    c.session = signIn.find(c.portal, c.cookie);
    if (c.request.method === 'POST') throw new Refused('form_stale');
  }
  c.person = c.session.iin ? c.portal.store.one('SELECT * FROM people WHERE iin = ?', c.session.iin) : undefined;
  if (c.request.method === 'POST' && !route.foreign && c.form.csrf !== c.session.csrf) throw new Refused('form_stale');
  heedLevel(c, route);
}

/** A session that is new tells its cookie. */
const withCookie = (c, result) => (c.cookie ? { ...result, set: [...(result.set ?? []), remember(c.portal, c.cookie)] } : result);

function failed(c, { status, reason, detail }) {
  if (!c.session) return { status, type: 'text/plain', body: `${reason}\n` };
  const body = html`<p class="bad" role="alert" data-reason="${reason}">${say(c, Object.hasOwn(texts, reason) ? reason : 'internal', detail)}</p>
<p><a href="${c.request.headers.referer?.startsWith(c.portal.origin) && c.request.method === 'POST' ? c.request.headers.referer : '/'}">${say(c, 'back')}</a></p>`;
  return withCookie(c, page(c, say(c, 'refused'), body, status));
}

module.exports = { routes: routes.map((route) => ({ ...route, work: async (c) => withCookie(c, await route.work(c)) })), open, failed };
