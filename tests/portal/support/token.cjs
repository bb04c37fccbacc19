// Keys certified by the portal's authority, on a SoftHSM2 token and in key files, as their owners would have them.
'use strict';

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const module_ = process.env.SOFTHSM2_MODULE || '/usr/lib/softhsm/libsofthsm2.so';
const pin = '12345678';
const label = 'Portal test';

const configurationOf = (folder) => path.join(folder, 'softhsm2.conf');
const run = (folder, program, ...args) => execFileSync(program, args,
  { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, SOFTHSM2_CONF: configurationOf(folder) } });

/** Puts a key and its certificate on the token in `folder`. @param id two hexadecimal digits */
function store(folder, id, { key, certificate }) {
  fs.writeFileSync(path.join(folder, 'key.pem'), key);
  fs.writeFileSync(path.join(folder, 'certificate.der'), certificate);
  run(folder, 'softhsm2-util', '--import', 'key.pem', '--token', label, '--label', `key ${id}`, '--id', id, '--pin', pin);
  run(folder, 'pkcs11-tool', '--module', module_, '--token-label', label, '--login', '--pin', pin, '--write-object', 'certificate.der', '--type', 'cert', '--label', `key ${id}`, '--id', id);
  fs.rmSync(path.join(folder, 'key.pem'));
}

/** A token in `folder` with these keys, each as Portal.makeKey gives it. Gives modules.toml for the daemon. The PIN is 12345678. */
function makeToken(folder, pairs) {
  fs.mkdirSync(path.join(folder, 'tokens'), { recursive: true });
  fs.writeFileSync(configurationOf(folder), `directories.tokendir = ${folder}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n`);
  run(folder, 'softhsm2-util', '--init-token', '--free', '--label', label, '--pin', pin, '--so-pin', '87654321');
  for (const [at, pair] of pairs.entries()) store(folder, String(at + 1).padStart(2, '0'), pair);
  return `[[module]]\nname = "softhsm"\npath = "${module_}"\nstorage = "AKKaztokenStore"\nenvironment = { SOFTHSM2_CONF = "${configurationOf(folder)}" }\n`;
}

/** A key file (PKCS#12) for one pair. */
function makeKeyFile(file, { key, pem }, password) {
  execFileSync('openssl', ['pkcs12', '-export', '-out', file, '-passout', `pass:${password}`], { input: key + pem, stdio: ['pipe', 'ignore', 'pipe'] });
}

module.exports = { makeKeyFile, makeToken, store };
