// `node --require` this: WebSockets of `ws` then say the origin of TAMGA_ORIGIN, as a browser would and Node does not.
'use strict';

const ws = require('ws');

const resolved = require.resolve('ws');
class BrowserLike extends ws {
  constructor(address, protocols, options = {}) {
    super(address, protocols, { origin: process.env.TAMGA_ORIGIN, ...options });
  }
}
require.cache[resolved].exports = Object.assign(BrowserLike, { Server: ws.Server });
