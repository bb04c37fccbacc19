// `node --require` this: WebSockets of `ws` then say the origin of TAMGA_ORIGIN, as a browser would and Node does not,
// and trust the authority in TAMGA_CA where it is set (NODE_EXTRA_CA_CERTS does the same for a whole process).
'use strict';

const fs = require('node:fs');
const ws = require('ws');

delete globalThis.WebSocket; // newer Nodes have one of their own, which cannot say an origin
const resolved = require.resolve('ws');
class BrowserLike extends ws {
  constructor(address, protocols, options = {}) {
    const { TAMGA_ORIGIN: origin, TAMGA_CA: file } = process.env;
    super(address, protocols, { origin, ...(file && { ca: fs.readFileSync(file) }), ...options });
  }
}
require.cache[resolved].exports = Object.assign(BrowserLike, { Server: ws.Server });
