// A thread with one page that has one large document signed; tells how many milliseconds that took from the sending on.
'use strict';

const { once } = require('node:events');
const fs = require('node:fs');
const { parentPort, workerData } = require('node:worker_threads');
const WebSocket = require('ws');
const { basics, now } = require('./support.cjs');

(async () => {
  const { url, origin, ca, octets } = workerData;
  const request = basics(Buffer.alloc(octets, 'a document ').toString('base64'));
  const socket = new WebSocket(url, { origin, ca: fs.readFileSync(ca), maxPayload: 1 << 29 });
  await once(socket, 'message'); // the greeting
  const start = now();
  socket.send(request);
  const [reply] = await once(socket, 'message');
  if (reply.length < octets) throw new Error(reply.toString()); // the content comes back inside
  parentPort.postMessage(now() - start);
  socket.close();
})();
