// Debian's Chromium with a home of its own, and the sites it visits: the names below lead to this computer. Certificates are checked as ever; what the browser trusts stands in its home's NSS store.
'use strict';

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const http = require('node:http');
const https = require('node:https');
const os = require('node:os');
const path = require('node:path');
const { chromium } = require('playwright-core');

const names = ['portal.test', 'services.portal.test', 'new.test', 'evil.test', 'egov.kz']; // the last as a portal that Tamga knows
const publicClient = require.resolve('ncalayer-js-client');
const page = '<!DOCTYPE html><meta charset="utf-8"><title>A portal</title><script src="ncalayer-client.js"></script>';

const types = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.mjs': 'text/javascript' };

/** The sites, on one https port and one http port. Their certificate is one for 127.0.0.1 as well. */
class Sites {
  /** @param files what is served besides, by its path: { body, headers } */
  static async start(files = {}) {
    const sites = new Sites();
    sites.folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tamga-sites-'));
    sites.certificate = path.join(sites.folder, 'certificate.pem');
    const key = path.join(sites.folder, 'key.pem');
    execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
      '-keyout', key, '-out', sites.certificate, '-days', '30', '-subj', '/CN=sites of a test',
      '-addext', 'basicConstraints=critical,CA:FALSE', '-addext', `subjectAltName=${names.map((name) => `DNS:${name}`)},IP:127.0.0.1`],
    { stdio: ['ignore', 'pipe', 'pipe'] });
    const client = { body: fs.readFileSync(publicClient) };
    const answer = (request, response) => {
      const { pathname } = new URL(request.url, 'https://portal.test');
      const { body, headers = {} } = files[pathname] ?? (pathname === '/ncalayer-client.js' ? client : { body: page });
      const type = types[path.extname(pathname)] ?? types['.html'];
      response.writeHead(200, { 'Content-Type': type, ...headers }).end(body);
    };
    sites.tls = { key: fs.readFileSync(key), cert: fs.readFileSync(sites.certificate) };
    sites.servers = [
      https.createServer(sites.tls, answer),
      http.createServer(answer),
    ];
    for (const server of sites.servers) await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
    [sites.port, sites.plainPort] = sites.servers.map((server) => server.address().port);
    return sites;
  }

  /** Writes the sites' certificate, not ours, into the browser's store, which is there already. */
  trustIn(store, flags) {
    execFileSync('certutil', ['-d', `sql:${store}`, '-A', '-n', 'sites', '-t', flags, '-i', this.certificate]);
  }

  stop() {
    for (const server of this.servers) {
      server.close();
      server.closeAllConnections();
    }
    fs.rmSync(this.folder, { recursive: true });
  }
}

/** Chromium as the person whose home is `home`. As root, as in containers, it runs only without its own sandbox. */
function launch(home, { headless = true, args = [], env = {}, ignoreDefaultArgs = [] } = {}) {
  return chromium.launchPersistentContext(path.join(home, 'chromium'), {
    executablePath: '/usr/bin/chromium',
    headless,
    chromiumSandbox: process.getuid() !== 0,
    viewport: null,
    ignoreDefaultArgs,
    env: { PATH: process.env.PATH, HOME: home, LANG: 'en_US.UTF-8', ...env },
    args: ['--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      `--host-resolver-rules=${names.map((name) => `MAP ${name} 127.0.0.1`)},MAP ~NOTFOUND 255.255.255.255`, ...args],
  });
}

/** What a script in `frame` gets from a socket to `url`: the first message, or the code it was closed with. */
function knock(frame, url) {
  return frame.evaluate((address) => new Promise((resolve) => {
    const socket = new WebSocket(address);
    socket.onmessage = ({ data }) => { socket.close(); resolve(data); };
    socket.onclose = ({ code }) => resolve(code);
  }), url);
}

/** A public client that lives in `frame`, usable as if it were here: every method call runs there. */
async function clientIn(frame, url) {
  await frame.evaluate((address) => { window.client = new window.NCALayerClient(address, false); }, url);
  const call = async (method, args) => {
    const { result, error } = await frame.evaluate(async (called) => {
      try { return { result: await window.client[called.method](...called.args) }; } catch (thrown) {
        return { error: { message: thrown.message, canceledByUser: thrown.canceledByUser } };
      }
    }, { method, args });
    if (error) throw Object.assign(new Error(error.message), error);
    return result;
  };
  // Not thenable, or `await` would call `then` in the page.
  return new Proxy({}, { get: (target, name) => (name === 'then' ? undefined : (...args) => call(name, args)) });
}

module.exports = { Sites, clientIn, knock, launch, names };
