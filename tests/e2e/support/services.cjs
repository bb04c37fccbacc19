// The services of a test authority on a free port of 127.0.0.1: time-stamps by RSA and GOST keys, rightly, wrongly, late
// or not at all. What it was asked is kept, so that a test can say who was asked for what.
'use strict';

const { execFileSync, spawn } = require('node:child_process');
const fs = require('node:fs');
const http = require('node:http');
const os = require('node:os');
const path = require('node:path');

const { scratch } = require('./daemon.cjs');
const { timestampsOf } = require('./der.cjs');

const build = process.env.TAMGA_BUILD || path.join(path.resolve(__dirname, '../../..'), 'build/dev');
const program = path.join(build, 'bin/tamga-test-services');

function answer(args, input) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    const chunks = [];
    child.stdout.on('data', (chunk) => chunks.push(chunk));
    child.on('error', reject);
    child.on('close', (code) => (code === 0 ? resolve(Buffer.concat(chunks)) : reject(new Error(`${args} ended with ${code}`))));
    child.stdin.end(input);
  });
}

class Services {
  /** @param kind  of the authority's keys: rsa or gost512 */
  static async start(kind = 'rsa') {
    const services = new Services();
    services.kind = kind;
    services.folder = fs.mkdtempSync(path.join(os.tmpdir(), 'services-'));
    services.asked = [];
    services.waiting = [];
    /** How queries are answered: a fault of tests/support/test_services.cpp, or rubbish, huge, status, redirect, silence. */
    services.mood = 'none';
    execFileSync(program, [kind, services.folder, 'make']);
    services.server = http.createServer((request, response) => {
      const chunks = [];
      request.on('data', (chunk) => chunks.push(chunk));
      request.on('end', () => services.serve(request, response, Buffer.concat(chunks)));
    });
    services.server.on('connection', (socket) => services.waiting.push(socket));
    await new Promise((resolve) => { services.server.listen(0, '127.0.0.1', resolve); });
    return services;
  }

  async serve(request, response, body) {
    this.asked.push({ url: request.url, method: request.method, headers: request.headers, body });
    if (this.mood === 'silence') return;
    if (request.url === '/list.crl') { response.end(this.list); return; }
    if (request.url === '/ocsp') { response.end(this.ocsp ? this.answerOcsp(body) : undefined); return; }
    if (this.mood === 'rubbish') { response.end('<html>It works!</html>'); return; }
    if (this.mood === 'huge') { response.end(Buffer.alloc(1 << 20)); return; }
    if (this.mood === 'status') { response.writeHead(503).end(); return; }
    if (this.mood === 'redirect') { response.writeHead(302, { Location: `${this.url}/elsewhere` }).end(); return; }
    // Only the first query of a request goes wrong: the others have their stamps by then, or nearly.
    const fault = this.mood.startsWith('once-') && this.asked.length > 1 ? 'none' : this.mood.replace('once-', '');
    response.end(await answer([this.kind, this.folder, 'timestamp', fault], body));
  }

  /** From now on `openssl ocsp` answers for the demo CA of a SoftHSM2 token: its certificates are `status` (V, R). */
  judge(daemon, status) { this.ocsp = { folder: daemon.token, status }; }

  /** OCSP says nothing any more; the list that `openssl ca` makes for the demo CA of a token revokes its certificates. */
  publishList(daemon) {
    this.ocsp = undefined;
    const config = `[ca]\ndefault_ca = it\n[it]\ndatabase = ${this.file('index.txt')}\ndefault_md = sha256\ndefault_crl_days = 1\n`;
    fs.writeFileSync(this.file('index.txt'), this.index(daemon.token, 'R'));
    fs.writeFileSync(this.file('ca.cnf'), config);
    execFileSync('openssl', ['ca', '-config', this.file('ca.cnf'), '-gencrl', '-keyfile', path.join(daemon.token, 'ca.key'),
      '-cert', path.join(daemon.token, 'ca.pem'), '-out', this.file('list.pem')], { stdio: 'ignore' });
    this.list = execFileSync('openssl', ['crl', '-in', this.file('list.pem'), '-outform', 'DER']);
  }

  /** What `openssl ca` and `openssl ocsp` know of the certificates in `folder`. */
  index(folder, status) {
    return ['auth', 'sign'].map((name) => {
      const serial = execFileSync('openssl', ['x509', '-in', path.join(folder, `${name}.pem`), '-noout', '-serial'], { encoding: 'utf8' });
      return `${[status, '401231235959Z', status === 'R' ? '250101000000Z' : '', serial.trim().split('=')[1], 'unknown', `/CN=${name}`].join('\t')}\n`;
    }).join('');
  }

  answerOcsp(query) {
    const { folder, status } = this.ocsp;
    const file = (name, content) => { fs.writeFileSync(this.file(name), content); return this.file(name); };
    execFileSync('openssl', ['ocsp', '-index', file('index.txt', this.index(folder, status)), '-CA', path.join(folder, 'ca.pem'),
      '-rsigner', path.join(folder, 'ca.pem'), '-rkey', path.join(folder, 'ca.key'), '-ndays', '1',
      '-reqin', file('ocsp.req', query), '-respout', this.file('ocsp.resp')], { stdio: 'ignore' });
    return fs.readFileSync(this.file('ocsp.resp'));
  }

  get url() { return `http://127.0.0.1:${this.server.address().port}`; }
  /** For tamga.toml. */
  configuration(more = '') {
    return `[timestamp]\nurl = "${this.url}/tsp"\n[certificates]\nocsp = "${this.url}/ocsp"\ncrls = ["${this.url}/list.crl"]\n${more}`;
  }
  file(name) { return path.join(this.folder, name); }

  async stop() {
    for (const socket of this.waiting) socket.destroy();
    await new Promise((resolve) => { this.server.close(resolve); });
    fs.rmSync(this.folder, { recursive: true, force: true });
  }
}

/** How many time-stamps the CMS has; `openssl ts -verify` has found each good, or this throws with its words. */
function verifyStamps(daemon, services, cms) {
  let count = 0;
  for (const { value, tokens } of timestampsOf(cms)) {
    for (const token of tokens) {
      execFileSync('openssl', ['ts', '-verify', '-token_in', '-in', scratch(daemon, 'stamp.token', token), '-data', scratch(daemon, 'stamp.value', value),
        '-CAfile', services.file('root.pem'), '-untrusted', services.file('issuer.pem')], { stdio: ['ignore', 'ignore', 'pipe'] });
      count += 1;
    }
  }
  return count;
}

module.exports = { Services, verifyStamps };
