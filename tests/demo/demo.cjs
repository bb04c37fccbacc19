// The main job, shown hop by hop: a page's request goes through NCALayer's own public client, a WebSocket, the consent
// prompt and a PKCS#11 token, and other people's tools judge the result. `--gost` does it with a GOST key on a token, then
// with one in a file; `--page` serves a page and leaves the decision to you, in the real window. Both together are the page
// with a GOST key.
'use strict';

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const { Daemon, build, portal, root, scratch, verifyXml } = require('../e2e/support/daemon.cjs');
const { cleanUp } = require('./clean_up.cjs');
const { timestampsOf } = require('../e2e/support/der.cjs');
const { verifyGostCms, verifyGostXml } = require('../e2e/support/gost.cjs');
const { Services, verifyStamps } = require('../e2e/support/services.cjs');

const say = (text = '') => process.stdout.write(`${text}\n`);
const hop = (id, text) => say(`  ${id.padEnd(3)} ${text}`);

/**
 * Runs `request` and tells its hops. The sentences are fixed: they say what the code of that hop does (README has it). What
 * stands in them was read from this run: origin, number of certificates, size and digest from what the window wrote down,
 * the method and the certificate from the log, the time from our clock.
 */
async function follow(daemon, title, request, fromFile = false) {
  say(`\n${title}`);
  const logged = daemon.log().length;
  const shown = daemon.shown().length;
  const started = process.hrtime.bigint();
  const result = await request();
  const took = Number(process.hrtime.bigint() - started) / 1e6;
  const [window] = daemon.shown().slice(shown);
  const log = daemon.log().slice(logged);
  const method = log.match(/request .*asked="(\w+)"/)[1];
  const certificate = log.match(/signed .*certificate="(\w+)"/)[1];
  hop('0', `tamga-web   took the socket over TLS, checked our user, the Host and the Origin ${window.origin}`);
  hop('1-2', `tamga-web   read one text frame as the request ${method}`);
  hop('3a', 'tamga-web   found the site on its list of allowed sites');
  const count = `${window.keys.length} certificate${window.keys.length === 1 ? '' : 's'}`;
  if (fromFile) hop('3b', `tamga-prompt had the person choose a file and opened it; tamga-token --file listed ${count} after its password`);
  else hop('3b', `tamga-token listed ${count} without needing a PIN`);
  hop('3c', `tamga-prompt showed ${window.count} document of ${window.documents[0].size} bytes, hashed what it showed, and took the choice and the ${fromFile ? 'password' : 'PIN'}`);
  hop('', `            SHA-256 ${window.documents[0].digest}`);
  hop('3d', `tamga-web   prepared what is to be signed for certificate ${certificate}...`);
  hop('3e', fromFile ? 'tamga-token --file compared it with the mandate of the prompt, signed, wiped its keys and ended'
    : 'tamga-token compared it with the mandate of the prompt, signed inside the token, logged out');
  hop('3f', 'tamga-web   verified the signature and wrapped it');
  hop('4', `tamga-web   answered in NCALayer's words; ${took.toFixed(0)} ms in all`);
  return result;
}

function checkCms(daemon, cms, content) {
  const file = scratch(daemon, 'document.cms', cms);
  const args = ['cms', '-verify', '-cades', '-binary', '-inform', 'DER', '-in', file, '-content', scratch(daemon, 'document', content),
    '-CAfile', path.join(daemon.token, 'ca.pem'), '-purpose', 'any', '-out', '/dev/null'];
  execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  say('  =>  openssl cms -verify -cades: verification successful');
}

/** What differs between the two demos: the token, and who judges. */
const kinds = {
  rsa: {
    options: { family: { name: 'SoftHSM', manufacturer: 'SoftHSM' } },
    services: 'rsa',
    authorities: (daemon) => [path.join(daemon.token, 'ca.pem')],
    token: 'A throw-away SoftHSM2 token with a demo CA and two RSA keys of ТЕСТОВ ТЕСТ (IIN123456789011), as the NCA issues them.',
    checkCms,
    checkStamp(daemon, services, cms) { // of Kazakhstan's keys stock OpenSSL reads no certificate
      verifyStamps(daemon, services, cms);
      say('  =>  openssl ts -verify: the time-stamp is of this signature and of that authority');
    },
    checkXml(daemon, xml) {
      verifyXml(daemon, xml);
      say('  =>  xmlsec1 --verify: verification successful');
    },
  },
  gost: {
    options: { gost: ['s_r', 'gost512'], family: { name: 'tests/gost_module', manufacturer: 'Tamga tests' } },
    keyFile: true,
    services: 'gost512',
    authorities: (daemon) => [path.join(daemon.token, 'ca-gost.pem')],
    token: 'A throw-away token (tests/gost_module) with a GOST 34.10-2015 key of 512 bits of ТЕСТОВ ТЕСТ (IIN123456789011), certified by a GOST CA.',
    checkCms(daemon, cms, content) {
      verifyGostCms(daemon, 'gost512', 512, cms, content);
      say('  =>  openssl dgst -md_gost12_512 and openssl pkeyutl -verify with gost-engine: digest and signature verified');
    },
    checkXml(daemon, xml) {
      verifyGostXml(daemon, 'gost512', 512, xml);
      say('  =>  the same over xmllint --c14n: digest and signature verified');
    },
  },
};

async function scripted(kind) {
  say('Tamga: a page asks, a person agrees, a token signs, and other people\'s tools check.');
  say('What each hop does is told in fixed words; the names, numbers and digests in them are of this run.\n');
  const services = await Services.start(kind.services);
  const daemon = await Daemon.start({ ...kind.options, config: `[origins]\nallow = ["portal.test"]\n${services.configuration()}` });
  try {
    say(kind.token);
    say(`A time-stamp service of a test authority, with keys of the same kind, listens at ${services.url}.`);
    say(`tamgad runs as process ${daemon.process.pid} and started ${Object.entries(daemon.pids()).map(([name, pids]) => `${name} (${pids})`).join(', ')}.`);
    process.env.TAMGA_ORIGIN = portal;
    process.env.TAMGA_CA = daemon.authority();
    require('../e2e/support/send-origin.cjs');
    const { NCALayerClient } = require('../e2e/node_modules/ncalayer-js-client');
    const client = new NCALayerClient(daemon.url, false);
    say(`The public client ncalayer-js-client connects to ${daemon.url} and reads NCALayer ${await client.connect()}.`);
    say(`Tokens it is told of: ${(await client.getActiveTokens()).join(', ')}.`);

    const content = Buffer.from('Өтініш: анықтама беруіңізді сұраймын.\n');
    daemon.person('key first\npin 12345678\naccept\n');
    const cms = await follow(daemon, 'A document, signed as CMS (CAdES-BES, detached)',
      () => client.createCAdESFromBase64('AKKaztokenStore', content.toString('base64')));
    kind.checkCms(daemon, Buffer.from(cms, 'base64'), content);

    const xml = await follow(daemon, 'An XML request, signed as XMLDSig (enveloped)',
      () => client.signXml('AKKaztokenStore', '<request><service>demo</service></request>'));
    kind.checkXml(daemon, xml);
    const stamped = await follow(daemon, 'The document again, with a time-stamp (CAdES-T)',
      () => client.createCMSSignatureFromBase64('AKKaztokenStore', content.toString('base64')));
    const [{ tokens }] = timestampsOf(Buffer.from(stamped, 'base64'));
    hop('', `tamga-web   asked the service once and put its answer, a token of ${tokens[0].length} bytes, beside the signature`);
    kind.checkCms(daemon, Buffer.from(stamped, 'base64'), content);
    kind.checkStamp?.(daemon, services, Buffer.from(stamped, 'base64'));
    for (const file of [...kind.authorities(daemon), services.file('root.pem'), services.file('issuer.pem')]) daemon.tamga('ca', 'add', file);
    const report = daemon.tamga('verify', scratch(daemon, 'stamped.cms', Buffer.from(stamped, 'base64')), '--content', scratch(daemon, 'content', content));
    say(`  =>  tamga verify, which was told of both authorities by \`tamga ca add\`:\n${report.words.replace(/^/gm, '      ').trimEnd()}`);

    if (kind.keyFile) await keyFile(kind, daemon, client, content);
    say(`\nThe signed XML begins: ${xml.slice(0, 76)}...\n\nDone. \`./dev demo --page\` lets you decide yourself, in the real window.`);
    client.wsConnection.close();
  } finally {
    await daemon.stop();
    await services.stop();
  }
}

/** The second act of --gost: the same job with a key in a file, as the NCA hands it out. */
async function keyFile(kind, daemon, client, content) {
  const password = 'Qwerty12';
  execFileSync(path.join(build, 'bin/tamga-make-key-file'), [daemon.token, password]);
  say('\nA key file, GOST512_test.p12, shaped like the NCA\'s (BER, 3DES and RC2, a GOST key of 512 bits), is in the person\'s folder.');
  daemon.person(`file ${path.join(daemon.token, 'GOST512_test.p12')}\nkey first\npin ${password}\naccept\n`);
  const cms = await follow(daemon, 'A document, signed with the key in the file',
    () => client.createCAdESFromBase64('PKCS12', content.toString('base64')), true);
  kind.checkCms(daemon, Buffer.from(cms, 'base64'), content);
}

async function page(kind) {
  if (!process.env.DISPLAY && !process.env.WAYLAND_DISPLAY) throw new Error('--page needs a graphical session (DISPLAY or WAYLAND_DISPLAY)');
  const files = {
    '/': ['text/html; charset=utf-8', path.join(__dirname, 'page.html')],
    '/page.js': ['text/javascript', path.join(__dirname, 'page.js')],
    '/ncalayer-client.js': ['text/javascript', path.join(root, 'tests/e2e/node_modules/ncalayer-js-client/ncalayer-client.js')],
  };
  const server = http.createServer((request, response) => {
    const [type, file] = files[request.url.split('?')[0]] ?? [];
    if (!file) return response.writeHead(404).end();
    return response.writeHead(200, { 'Content-Type': type }).end(fs.readFileSync(file));
  });
  const { DISPLAY, WAYLAND_DISPLAY, XAUTHORITY, DBUS_SESSION_BUS_ADDRESS } = process.env;
  const daemon = await Daemon.start({
    ...kind.options,
    tamgad: path.join(build, 'dev-libexec/tamgad'),
    config: '[origins]\ndevelopment = true\n',
    env: Object.fromEntries(Object.entries({ DISPLAY, WAYLAND_DISPLAY, XAUTHORITY, DBUS_SESSION_BUS_ADDRESS, LANG: process.env.LANG, LANGUAGE: process.env.LANGUAGE })
      .filter(([, value]) => value)),
  });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  say(`Open http://localhost:${server.address().port}/?port=${daemon.port} in a browser. The PIN is 12345678. Ctrl+C ends everything.`);
  // Until a signal ends it (cleanUp).
}

cleanUp();
const kind = process.argv.includes('--gost') ? kinds.gost : kinds.rsa;
(process.argv.includes('--page') ? page(kind) : scripted(kind)).catch((error) => {
  process.stderr.write(`demo: ${error.message}\n`);
  process.exitCode = 1;
});
