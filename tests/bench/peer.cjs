// The peer: what a plain Node programmer would write. A wss server that signs over the same token through pkcs11js.
// It asks nobody, checks no origin, makes no CMS: {"documents": [base64, ...]} gets {"signatures": [base64, ...]}, each an
// RSA PKCS#1 signature over SHA-256.
//   node peer.cjs kept|each      logged in once, or for every request; prints its port
// Environment: PEER_MODULE, PEER_PIN, PEER_KEY and PEER_CHAIN (PEM files), SOFTHSM2_CONF.
'use strict';

const fs = require('node:fs');
const https = require('node:https');
const pkcs11js = require('pkcs11js');
const { WebSocketServer } = require('ws');

const { PEER_MODULE, PEER_PIN, PEER_KEY, PEER_CHAIN } = process.env;
const each = process.argv[2] === 'each';
const token = new pkcs11js.PKCS11();
token.load(PEER_MODULE);
token.C_Initialize();
const slot = token.C_GetSlotList(true)[0];

function login() {
  const session = token.C_OpenSession(slot, pkcs11js.CKF_SERIAL_SESSION);
  token.C_Login(session, pkcs11js.CKU_USER, PEER_PIN);
  token.C_FindObjectsInit(session, [{ type: pkcs11js.CKA_CLASS, value: pkcs11js.CKO_PRIVATE_KEY }]);
  const [key] = token.C_FindObjects(session, 1);
  token.C_FindObjectsFinal(session);
  return { session, key };
}

function logout({ session }) {
  token.C_Logout(session);
  token.C_CloseSession(session);
}

function signOne({ session, key }, document) {
  token.C_SignInit(session, { mechanism: pkcs11js.CKM_SHA256_RSA_PKCS }, key);
  return token.C_Sign(session, Buffer.from(document, 'base64'), Buffer.alloc(1024)).toString('base64');
}

const kept = each ? undefined : login();
const server = https.createServer({ key: fs.readFileSync(PEER_KEY), cert: fs.readFileSync(PEER_CHAIN) });
new WebSocketServer({ server, maxPayload: 1 << 28 }).on('connection', (socket) => {
  socket.on('message', (text) => {
    const { documents } = JSON.parse(text);
    const session = kept || login();
    const signatures = documents.map((document) => signOne(session, document));
    if (!kept) logout(session);
    socket.send(JSON.stringify({ signatures }));
  });
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
