// Requests to routes, and what a route gives to a response. Knows nothing of what the pages are about.
'use strict';

const { Refused } = require('./verify.cjs');

const most_octets = 1 << 20;

/** Statuses of refusals that are not 403. */
const statuses = { not_found: 404, too_large: 413, form_stale: 403, sign_in_first: 401, internal: 500 };

function read(request) {
  return new Promise((resolve, reject) => {
    const chunks = [];
    let size = 0;
    request.on('data', (chunk) => {
      size += chunk.length;
      if (size > most_octets) {
        request.pause();
        reject(new Refused('too_large'));
      } else { chunks.push(chunk); }
    });
    request.on('end', () => resolve(Buffer.concat(chunks)));
    request.on('error', reject);
  });
}

/** The fields of a form: text, or a Buffer where a file was chosen. */
async function fields(type, body) {
  if (!/^(multipart\/form-data|application\/x-www-form-urlencoded)/.test(type)) return {};
  const form = {};
  for (const [name, value] of await new Response(body, { headers: { 'content-type': type } }).formData()) {
    if (typeof value === 'string') form[name] = value;
    else if (value.size > 0) form[name] = Buffer.from(await value.arrayBuffer());
  }
  return form;
}

const cookies = (header = '') => Object.fromEntries(header.split(/;\s*/).filter(Boolean).map((each) => each.split(/=(.*)/s).slice(0, 2)));

/** The values of the :names in a route's place, or undefined where the path is another. */
function matched(place, pathname) {
  const pattern = place.split('/');
  const given = pathname.split('/');
  if (pattern.length !== given.length) return undefined;
  const params = {};
  for (const [at, part] of pattern.entries()) {
    if (part.startsWith(':')) params[part.slice(1)] = given[at];
    else if (part !== given[at]) return undefined;
  }
  return params;
}

/**
 * @param site  { routes: [{ method, place, work }], open(c): before the route, failed(c, { status, reason, detail }): a result }
 * A result is { status, type, body, location, cookies: { name: value }, headers }.
 */
function serve(portal, site) {
  return async (request, response) => {
    const url = new URL(request.url, 'http://portal');
    const c = { portal, request, query: Object.fromEntries(url.searchParams), path: url.pathname, cookies: cookies(request.headers.cookie) };
    let result;
    try {
      const route = site.routes.find(({ method, place }) => method === request.method && (c.params = matched(place, url.pathname)));
      c.body = await read(request);
      c.form = await fields(request.headers['content-type'] ?? '', c.body);
      site.open(c, route ?? {});
      if (!route) throw new Refused('not_found');
      result = await route.work(c);
    } catch (failure) {
      if (!(failure instanceof Refused)) process.stderr.write(`${request.method} ${url.pathname}: ${failure.stack}\n`);
      const { reason, detail } = failure instanceof Refused ? failure : { reason: 'internal', detail: '' };
      result = site.failed(c, { status: statuses[reason] ?? 403, reason, detail });
    }
    respond(response, result);
  };
}

function respond(response, { status, type = 'text/html; charset=utf-8', body = '', location, headers = {}, set = [] }) {
  response.writeHead(status ?? (location ? 303 : 200), {
    'Content-Type': type, 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff', 'Referrer-Policy': 'same-origin', ...headers,
    ...(location ? { Location: location } : {}), ...(set.length ? { 'Set-Cookie': set } : {}),
  });
  response.end(body);
}

module.exports = { serve };
