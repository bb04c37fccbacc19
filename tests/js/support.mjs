// Programs that a page's client may find at the port: Tamga, NCALayer, and what is neither. And a WebSocket for Node that
// refuses as a browser does: certificates are checked, a sub-protocol that was asked for must be answered.
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import https from 'node:https';
import http from 'node:http';
import { createRequire } from 'node:module';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';

const require = createRequire(new URL('../e2e/package.json', import.meta.url));
const { WebSocket, WebSocketServer } = require('ws');

function madeCertificate() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tamga-js-'));
  const file = (name) => path.join(folder, name);
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', file('key'),
    '-out', file('certificate'), '-days', '2', '-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'],
  { stdio: ['ignore', 'pipe', 'pipe'] });
  const made = { key: fs.readFileSync(file('key')), cert: fs.readFileSync(file('certificate')) };
  fs.rmSync(folder, { recursive: true });
  return made;
}
const certificate = madeCertificate();

/** Every socket the module opened, as `scheme protocol`. */
export const knocks = [];
globalThis.WebSocket = class extends WebSocket {
  constructor(url, protocol) {
    super(url, protocol ?? [], { ca: certificate.cert, origin: 'https://portal.test' });
    knocks.push(`${new URL(url).protocol}${protocol ?? ''}`);
  }
};

/** Until `look` gives something truthy: what is waited for has no event here. */
export async function until(what, look, ms = 10_000) {
  for (const deadline = Date.now() + ms; ;) {
    const seen = look();
    if (seen) return seen;
    if (Date.now() > deadline) throw new Error(`timed out waiting for ${what}`);
    await new Promise((resolve) => { setImmediate(resolve); });
  }
}

export async function freePort() {
  const probe = net.createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  await once(probe, 'close');
  return port;
}

/** A server that keeps its sockets and can go away with them. */
class Program {
  /** @param options.tls false: plain; or { key, cert } of another certificate */
  async listen({ tls = certificate, port = 0, ...options } = {}) {
    this.server = tls ? https.createServer(tls) : http.createServer();
    this.sockets = new WebSocketServer({ server: this.server, maxPayload: 1 << 28, ...options });
    this.sockets.on('connection', (socket) => this.meet(socket));
    this.server.listen(port, '127.0.0.1');
    await once(this.server, 'listening');
    this.port = this.server.address().port;
    return this;
  }

  async stop() {
    for (const socket of this.sockets.clients) socket.terminate();
    this.sockets.close();
    this.server.close();
    await once(this.server, 'close');
  }
}

const greeting = {
  name: 'tamga', version: '1.0', build: 'fake', language: 'en', site: 'allowed',
  capabilities: { formats: ['cms'], algorithms: ['RSA'], digests: ['sha256'], limits: { message: 1 << 20, shown_document: 1 << 24, documents: 10 } },
};

/** tamga.v1. `on[method]` gives a result, throws { code, data }, or gives `never`; what is not there gets an empty object. */
export class FakeTamga extends Program {
  static never = new Promise(() => {});
  static start(on = {}, options = {}) { return new FakeTamga(on).listen(options); }

  constructor(on) {
    super();
    this.on = { hello: () => greeting, ...on };
    this.requests = [];
    this.uploads = [];
  }

  meet(socket) {
    this.socket = socket;
    if (this.on.arrival) { this.on.arrival(socket); return; }
    socket.on('message', async (data, isBinary) => {
      if (isBinary) { this.uploads.at(-1).push(data); return; }
      const request = JSON.parse(data);
      this.requests.push(request);
      if (request.method === 'upload.begin') this.uploads.push([]);
      const { id, method, params } = request;
      const reply = (more) => socket.send(JSON.stringify({ jsonrpc: '2.0', id, ...more }));
      try { reply({ result: await (this.on[method] ?? (() => ({})))(params, { id, fake: this }) }); } catch (error) { reply({ error }); }
    });
  }

  notify(method, params) { this.socket.send(JSON.stringify({ jsonrpc: '2.0', method, params })); }
  asked(method) { return this.requests.filter((each) => each.method === method); }
  methods() { return this.requests.map(({ method }) => method); }
  /** Octets of the upload that began as the nth. */
  uploaded(nth) { return Buffer.concat(this.uploads[nth]); }
}

/** NCALayer: TLS, no sub-protocol, a greeting, answers in the order of the requests. */
export class FakeNcalayer extends Program {
  static start(answer, options = {}) {
    const fake = new FakeNcalayer();
    fake.answer = answer;
    fake.requests = [];
    return fake.listen({ handleProtocols: () => false, ...options });
  }

  meet(socket) {
    this.socket = socket;
    socket.send('{"result":{"version":"1.4"}}');
    socket.on('message', async (data) => {
      const request = JSON.parse(data);
      this.requests.push(request);
      const answer = await this.answer(request);
      if (answer) socket.send(JSON.stringify(answer));
    });
  }
}

/** Until `work` is done the clock of timers runs `times` faster. */
export async function hurried(times, work) {
  const real = globalThis.setTimeout;
  globalThis.setTimeout = (action, ms, ...more) => real(action, ms / times, ...more);
  try { return await work(); } finally { globalThis.setTimeout = real; }
}

/** While `work` is done the page has these globals: navigator, location. */
export async function asPage(globals, work) {
  const before = Object.keys(globals).map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)]);
  for (const [name, value] of Object.entries(globals)) Object.defineProperty(globalThis, name, { value, configurable: true });
  try { return await work(); } finally {
    for (const [name, descriptor] of before) {
      delete globalThis[name];
      if (descriptor) Object.defineProperty(globalThis, name, descriptor);
    }
  }
}
