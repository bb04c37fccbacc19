// A daemon over the fake module (tests/fake_module/knobs.hpp) with tokens named like their owners, and its knobs.
'use strict';

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { Daemon, build, testFolder } = require('./daemon.cjs');

const pin = '12345678';

/**
 * @param names    one token each, in slots 0, 1 ...; the certificate on it is for CN=NAME
 * @param options  of Daemon.start; `lines` are knobs that stay, `storage` what pages call the tokens, `tries` the wrong
 *                 PINs they bear
 */
async function fakeTokens(names, { lines = '', storage = 'AKKaztokenStore', tries = 3, ...options } = {}) {
  const folder = testFolder('fake');
  const file = (name) => path.join(folder, name);
  let kept = `log ${file('calls')}\n${lines}\n`;
  for (const [slot, name] of names.entries()) {
    execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-sha256', '-days', '2', '-subj', `/CN=${name}`,
      '-addext', 'keyUsage=critical,digitalSignature', '-keyout', file(`${name}.key`), '-out', file(`${name}.pem`)],
    { stdio: 'ignore' });
    kept += `token ${name} ${[...pin].reverse().join('')} ${tries}\ncertificate ${slot} 01 ${file(`${name}.pem`)}\n`
      + `key ${slot} 01 ${file(`${name}.key`)}\n`;
  }
  // Replaced in one step: the module may be reading it.
  const knobs = (more) => {
    fs.writeFileSync(file('knobs.new'), `${kept}${more}\n`);
    fs.renameSync(file('knobs.new'), file('knobs'));
  };
  knobs('');
  const module_ = path.join(build, 'tests/fake_module/libtamga-fake-pkcs11.so');
  const daemon = await Daemon.start({
    modules: `[[module]]\nname = "fake"\npath = "${module_}"\nstorage = "${storage}"\n`
      + `environment = { TAMGA_FAKE_PKCS11 = "${file('knobs')}" }\n`,
    ...options,
  });
  return {
    daemon,
    file,
    knobs,
    module: module_,
    /** What the module's spy wrote, a line each. */
    spy: () => (fs.existsSync(file('calls')) ? fs.readFileSync(file('calls'), 'utf8').split('\n').filter(Boolean) : []),
    /** How often the module was asked for a function. */
    calls: (name) => fs.readFileSync(file('calls'), 'utf8').split('\n').filter((line) => line === name).length,
    stop: async () => {
      await daemon.stop();
      fs.rmSync(folder, { recursive: true });
    },
  };
}

module.exports = { fakeTokens, pin };
