// Keys certified by the portal's authority, on tokens and cards and in key files, as their owners would have them. A pair is
// what Portal.makeKey gives. The PIN is 12345678.
'use strict';

const { execFile, execFileSync } = require('node:child_process');
const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const { promisify } = require('node:util');
const { children, fromPem, oid, whole } = require('../der.cjs');

const build = process.env.TAMGA_BUILD || path.resolve(__dirname, '../../../build/dev');
const module_ = process.env.SOFTHSM2_MODULE || '/usr/lib/softhsm/libsofthsm2.so';
const pin = '12345678';
const label = 'Portal test';

const configurationOf = (folder) => path.join(folder, 'softhsm2.conf');
const run = (folder, program, ...args) => execFileSync(program, args,
  { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, SOFTHSM2_CONF: configurationOf(folder) } });
const idOf = (at) => String(at + 1).padStart(2, '0');

/** Puts a key and its certificate on the token in `folder`. @param id two hexadecimal digits */
function store(folder, id, { key, certificate }) {
  fs.writeFileSync(path.join(folder, 'key.pem'), key);
  fs.writeFileSync(path.join(folder, 'certificate.der'), certificate);
  run(folder, 'softhsm2-util', '--import', 'key.pem', '--token', label, '--label', `key ${id}`, '--id', id, '--pin', pin);
  run(folder, 'pkcs11-tool', '--module', module_, '--token-label', label, '--login', '--pin', pin, '--write-object', 'certificate.der', '--type', 'cert', '--label', `key ${id}`, '--id', id);
  fs.rmSync(path.join(folder, 'key.pem'));
}

/** A SoftHSM2 token in `folder` with these pairs. Gives modules.toml for the daemon. */
function makeToken(folder, pairs) {
  fs.mkdirSync(path.join(folder, 'tokens'), { recursive: true });
  fs.writeFileSync(configurationOf(folder), `directories.tokendir = ${folder}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n`);
  run(folder, 'softhsm2-util', '--init-token', '--free', '--label', label, '--pin', pin, '--so-pin', '87654321');
  for (const [at, pair] of pairs.entries()) store(folder, idOf(at), pair);
  return `[[module]]\nname = "softhsm"\npath = "${module_}"\nstorage = "AKKaztokenStore"\nenvironment = { SOFTHSM2_CONF = "${configurationOf(folder)}" }\n`;
}

// ---- the GOST module: an object is a file of attributes (tests/gost_module/objects.hpp) ----

const attribute = { class: 0x0, token: 0x1, private: 0x2, value: 0x11, certificateType: 0x80, keyType: 0x100, id: 0x102, sensitive: 0x103, publicKeyInfo: 0x129, gostParameters: 0x250, secret: 0x8054414d };
const [certificateClass, publicClass, privateClass] = [1n, 2n, 3n];
const gost512KeyType = 0xd4321003n;

function number(value) {
  const octets = Buffer.alloc(8);
  octets.writeBigUInt64LE(value);
  return octets;
}
const flag = (value) => Buffer.from([value ? 1 : 0]);

function writeObject(folder, attributes) {
  const text = Object.entries(attributes).map(([name, value]) => `${attribute[name].toString(16)} .${value.toString('hex')}\n`).join('');
  fs.writeFileSync(path.join(folder, `${String(fs.readdirSync(folder).length + 1).padStart(4, '0')}.object`), text);
}

function storeGost(folder, id, { key, certificate }) {
  const publicKeyInfo = execFileSync('openssl', ['pkey', '-pubout', '-outform', 'DER'],
    { input: key, env: { ...process.env, OPENSSL_CONF: path.resolve(__dirname, '../../data/gost.cnf') } });
  const [, bits] = children(whole(publicKeyInfo).content);
  const both = { token: flag(true), keyType: number(gost512KeyType), id, gostParameters: oid('1.2.398.3.10.1.1.2.2.1') };
  writeObject(folder, { class: number(publicClass), private: flag(false), ...both, publicKeyInfo, value: whole(bits.content.subarray(1)).content });
  writeObject(folder, { class: number(privateClass), private: flag(true), sensitive: flag(true), ...both, secret: fromPem(key) });
  writeObject(folder, { class: number(certificateClass), token: flag(true), private: flag(false), certificateType: number(0n), id, value: certificate });
}

/** A token of the GOST module in `folder` with these pairs, of gost512. Gives modules.toml for the daemon. */
function makeGostToken(folder, pairs) {
  const objects = path.join(folder, 'objects');
  fs.mkdirSync(objects, { recursive: true });
  for (const pair of pairs) storeGost(objects, crypto.randomBytes(4), pair);
  return `[[module]]\nname = "gost"\npath = "${path.join(build, 'tests/gost_module/libtamga-gost-pkcs11.so')}"\nstorage = "AKKaztokenStore"\n`
    + `environment = { TAMGA_GOST_TOKEN = "${objects}", TAMGA_GOST_ORDER = "s_r" }\n`;
}

// ---- a virtual card ----

/**
 * Whether OpenSC's driver for such cards takes an RSA key (PEM): it wants every number of it in full length, and one key of
 * some forty has a number that begins with a zero octet.
 */
function fitsCard(key) {
  const { d, dp, dq, qi } = crypto.createPrivateKey(key).export({ format: 'jwk' });
  return [[d, 256], [dp, 128], [dq, 128], [qi, 128]].every(([value, size]) => {
    const octets = Buffer.from(value, 'base64url');
    return octets.length === size && octets[0] !== 0;
  });
}

/** Puts these pairs, of RSA, on the card in a reader beside what it has, by stock pkcs15-init. @param readers of tests/e2e/support/readers.cjs */
async function storeOnCard(readers, reader, pairs) {
  const folder = fs.mkdtempSync(path.join(readers.home, 'pairs-'));
  const init = (...args) => promisify(execFile)('pkcs15-init', ['--reader', String(reader), '--so-pin', '87654321', '--pin', pin, '--auth-id', '02', ...args],
    { cwd: folder, env: { ...process.env, ...readers.env } });
  for (const [at, { key, pem }] of pairs.entries()) {
    fs.writeFileSync(path.join(folder, 'key.pem'), key);
    fs.writeFileSync(path.join(folder, 'certificate.pem'), pem);
    const id = (0x20 + at).toString(16);
    await init('--id', id, '--label', `pair ${id}`, '--store-private-key', 'key.pem', '--passphrase', '');
    await init('--id', id, '--label', `pair ${id}`, '--store-certificate', 'certificate.pem');
  }
  fs.rmSync(folder, { recursive: true });
}

/** A key file (PKCS#12) for one pair. */
function makeKeyFile(file, { key, pem }, password) {
  execFileSync('openssl', ['pkcs12', '-export', '-out', file, '-passout', `pass:${password}`], { input: key + pem, stdio: ['pipe', 'ignore', 'pipe'] });
}

module.exports = { fitsCard, makeGostToken, makeKeyFile, makeToken, store, storeOnCard };
