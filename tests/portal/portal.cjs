// The portal as a whole: its database, its authorities, its judge, and two servers: the pages, and over plain http, as
// OCSP and lists of revoked certificates are asked for, the services of the authority.
'use strict';

const crypto = require('node:crypto');
const fs = require('node:fs');
const http = require('node:http');
const https = require('node:https');
const path = require('node:path');
const { Authority } = require('./ca/authority.cjs');
const authorityPages = require('./ca/server.cjs');
const account = require('./account.cjs');
const { introduce } = require('./people.cjs');
const pages = require('./pages/routes.cjs');
const { serve } = require('./http.cjs');
const { Store } = require('./store.cjs');
const { Judge, sha256 } = require('./verify.cjs');
const { toPem } = require('./der.cjs');
const { atWorkbench } = require('./openssl.cjs');

class Portal {
  /**
   * @param options.folder    where database and authorities lie; made where it is not there
   * @param options.name      of the site, as the browser knows it: 127.0.0.1 is what it listens on
   * @param options.port      0: any
   * @param options.tls       { key, cert } for https
   * @param options.trust     certificates (DER) of further authorities whose signatures are taken
   * @param options.now       s since 1970; the computer's clock without it
   * @param options.tamga     the port at which pages look for the daemon
   * @param options.catalogue body under whose name the daemon's catalogue has the services
   */
  static async start(options) {
    const portal = new Portal();
    const { folder, name = 'localhost', port = 0, tls, trust = [], now = () => Math.floor(Date.now() / 1000) } = options;
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
    Object.assign(portal, { folder, now, tamga: options.tamga ?? 13579, catalogue: options.catalogue ?? 'sample-body' });
    portal.store = new Store(path.join(folder, 'portal.sqlite'));
    introduce(portal.store);
    portal.authorities = {};
    for (const kind of ['rsa', 'gost512']) portal.authorities[kind] = await Authority.open(kind, path.join(folder, kind));
    portal.judge = new Judge({
      authorities: [...Object.values(portal.authorities).flatMap((each) => [each.certificate('root'), each.certificate('issuer')]), ...trust],
      now, revoked: ({ sha256: print }) => portal.revoked(print),
    });
    portal.servers = [
      tls ? https.createServer(tls, serve(portal, pages)) : http.createServer(serve(portal, pages)),
      http.createServer(serve(portal, authorityPages)),
    ];
    const [listening, services] = await Promise.all(portal.servers.map((server, at) => listen(server, at === 0 ? port : 0)));
    portal.port = listening;
    portal.origin = `${tls ? 'https' : 'http'}://${name}${[443, 80].includes(listening) ? '' : `:${listening}`}`;
    portal.services = `http://127.0.0.1:${services}`;
    return portal;
  }

  /** Whether our authority revoked it. @param print SHA-256 of the certificate */
  revoked(print) {
    return this.store.all('SELECT der FROM certificates WHERE revoked_at IS NOT NULL').some(({ der }) => sha256(Buffer.from(der)) === print);
  }

  /** For a daemon's tamga.toml: the services of one of the authorities. */
  configuration(kind = 'rsa') {
    const at = `${this.services}/${kind}`;
    return `[timestamp]\nurl = "${at}/tsp"\n[certificates]\nocsp = "${at}/ocsp"\ncrls = ["${at}/list.crl"]\n`;
  }

  /** What is left to do after something was accepted. One at a time. */
  work() {
    this.working = (this.working ?? Promise.resolve()).catch(() => {}).then(() => account.issueApproved(this));
    return this.working;
  }

  /**
   * A new pair of keys with its certificate, for tests and demos that need somebody to sign: { kind, key, pem: PEM, certificate: DER }.
   * A real person makes the key on the token.
   * @param kind  rsa, ec (of the RSA authority; made at once) or gost512
   * @param fits  whether a key (PEM) will do; another one is made where not
   */
  makeKey({ iin, bin = null, purpose = 'signature', kind = 'ec', days, fits = () => true }) {
    const authority = kind === 'gost512' ? kind : 'rsa';
    return atWorkbench(async (bench) => {
      const key = bench.file('key.pem');
      do await bench.openssl('genpkey', ...(kind === 'ec' ? ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'] : this.authorities[authority].key), '-out', key);
      while (!fits(bench.read('key.pem')));
      const publicKey = (await bench.openssl('pkey', '-in', key, '-pubout')).toString();
      const certificate = await account.issue(this, { iin, bin, purpose, authority, publicKey, key: crypto.randomUUID(), days });
      return { kind, key: bench.read('key.pem').toString(), certificate, pem: toPem('CERTIFICATE', certificate) };
    });
  }

  async stop() {
    for (const server of this.servers) {
      server.close();
      server.closeAllConnections();
    }
    await this.working?.catch(() => {});
    this.store.close();
  }
}

const listen = (server, port) => new Promise((resolve, reject) => {
  server.on('error', reject);
  server.listen(port, '127.0.0.1', () => resolve(server.address().port));
});

module.exports = { Portal };
