// A client of tamga.v1 for tests: over TLS as a page, or over the local socket as a command.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const WebSocket = require('ws');
const { portal, until } = require('./daemon.cjs');

class Client {
  /** @param options.origin, options.url as Daemon.connect; options.local: over the local socket */
  static connect(daemon, options = {}) {
    const { origin = portal, url = daemon.url, local = false, protocols = ['tamga.v1'] } = options;
    const socket = local
      ? new WebSocket(`ws+unix://${path.join(daemon.env.XDG_RUNTIME_DIR, 'tamga/api.sock')}:/`, protocols)
      : new WebSocket(url, protocols, { origin, ca: fs.readFileSync(daemon.authority()), maxPayload: 1 << 29 });
    const client = new Client();
    client.socket = socket;
    client.last = 0;
    client.waiting = new Map();
    client.notifications = [];
    client.strays = []; // responses that belong to no request of ours: id null, above all
    socket.on('message', (data) => {
      const message = JSON.parse(data.toString());
      if (message.method) return client.notifications.push(message);
      const heard = client.waiting.get(message.id);
      client.waiting.delete(message.id);
      return heard ? heard(message) : client.strays.push(message);
    });
    client.closed = new Promise((resolve) => {
      socket.once('close', (code, reason) => resolve({ code, reason: reason.toString() }));
    });
    return new Promise((resolve, reject) => {
      socket.on('error', reject);
      socket.on('unexpected-response', (request, response) => {
        reject(Object.assign(new Error(`HTTP ${response.statusCode}`), { status: response.statusCode }));
        request.destroy();
      });
      socket.on('open', () => resolve(client));
    });
  }

  /** Sends a request; resolves with the whole response. `id` of the request: `client.last`. */
  send(method, params, id = (this.last += 1)) {
    const response = new Promise((resolve) => { this.waiting.set(id, resolve); });
    this.socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, ...(params === undefined ? {} : { params }) }));
    return response;
  }
  /** The result; throws what the error says. */
  async call(method, params) {
    const response = await this.send(method, params);
    if (response.error) throw Object.assign(new Error(`${method}: ${JSON.stringify(response.error)}`), { error: response.error });
    return response.result;
  }
  /** The error; throws where there is none. */
  async fails(method, params) {
    const response = await this.send(method, params);
    if (!response.error) throw new Error(`${method} was answered: ${JSON.stringify(response.result)}`);
    return response.error;
  }
  /** A message that is no request of ours; resolves with the response that has no id. */
  async raw(text) {
    const before = this.strays.length;
    this.socket.send(text);
    await until('a response without an id', () => this.strays.length > before);
    return this.strays.at(-1);
  }
  /** A whole upload; gives its name and what upload.end said. */
  async upload(octets, label = {}, frame = 1 << 20) {
    const { upload } = await this.call('upload.begin', { size: octets.length, ...label });
    for (let at = 0; at < octets.length; at += frame) this.socket.send(octets.subarray(at, at + frame));
    return this.call('upload.end', { upload });
  }
  notified(method) {
    return until(`the notification ${method}`, () => {
      const place = this.notifications.findIndex((each) => each.method === method);
      return place < 0 ? null : this.notifications.splice(place, 1)[0].params;
    });
  }
  close() { this.socket.close(); }
}

module.exports = { Client };
