// `./dev demo --account`: keys are renewed from start to end, each step printed. The token is thrown away afterwards, the
// person is played by a script, and the portal with the authority behind it is tests/portal.
'use strict';

const { execFile } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { Daemon, build, testFolder } = require('../e2e/support/daemon.cjs');
const { cleanUp } = require('./clean_up.cjs');
const { makeToken } = require('../portal/support/token.cjs');
const { Visitor, startPortal } = require('../portal/support/visitor.cjs');
const { describe } = require('../portal/verify.cjs');

const citizen = '123456789011';
const agrees = 'key first\npin 12345678\naccept\n';
const say = (text = '') => process.stdout.write(`${text}\n`);
let step = 0;
const begin = (title) => say(`\n${step += 1}. ${title}`);
const tell = (text) => say(text.trim().replace(/^/gm, '   '));

/** Runs the command `tamga`; gives what it printed. Whatever it asks is answered with no: the old keys are kept. */
function run(daemon, ...args) {
  const { HOME, XDG_RUNTIME_DIR, PATH } = daemon.env;
  return new Promise((resolve, reject) => {
    const command = execFile(path.join(build, 'bin/tamga'), ['--language', 'en', ...args], { env: { HOME, XDG_RUNTIME_DIR, PATH }, timeout: 300_000 }, (failure, stdout, stderr) => {
      if (failure) reject(new Error(`tamga ${args.join(' ')} ended with ${failure.code}\n${stderr}${stdout}`));
      else resolve({ stdout, words: `${stderr}${stdout}` });
    });
    command.stdin.on('error', () => {}); // it asked nothing, and is gone
    command.stdin.end('no\nno\n');
  });
}

/** The same, printed as it would be typed, with what it says. */
async function tamga(daemon, ...args) {
  const short = (text) => text.replaceAll(`${daemon.home}/`, '');
  tell(`$ tamga ${short(args.join(' '))}`);
  const { words } = await run(daemon, ...args);
  if (words.trim()) tell(short(words));
}

/** Hands in what `keys renew` wrote: NUMBER.cms, and a NUMBER-N.p10 for each key, in the order in which it tells them. */
async function handIn(visitor, folder, { number, keys }) {
  const read = (name) => fs.readFileSync(path.join(folder, `${number}${name}`));
  const requests = Object.fromEntries(keys.map(({ use }, at) => [use, read(`-${at + 1}.p10`)]));
  const page = await visitor.post('/account/renew', { signed: read('.cms'), ...requests, locality: 'Test Town', store: 'Kaztoken', correct: 'yes' });
  if (page.reason) throw new Error(`the portal refused: ${page.reason}`);
  return page;
}

async function renewal(portal, daemon) {
  const place = (name) => path.join(daemon.home, name);
  fs.mkdirSync(place('application'));
  daemon.person(agrees);

  begin('What is on the token, told after the PIN.');
  await tamga(daemon, 'keys', 'list', '--pin');

  begin('New pairs on the token, a request for each, and the application, signed with the present key.');
  await tamga(daemon, 'keys', 'renew', '--yes', '--out', place('application'));
  tell('The window showed, and the person agreed to sign:');
  tell(daemon.shown().at(-1).documents[0].text.replace(/^/gm, '| '));

  begin('The files are handed in at the portal, where the citizen signed in by the QR code.');
  const visitor = new Visitor(portal);
  await visitor.signInByQr('citizen');
  const [made] = JSON.parse((await run(daemon, 'keys', 'applications', '--json')).stdout).applications;
  const { path: application } = await handIn(visitor, place('application'), made);
  const number = application.split('/').at(-1);
  tell(`openssl cms -verify -cades: the application is signed by the present key, and it names both requests.
openssl req -verify: each request is signed by its own new key.
Application No. ${number}: approved, and the certificates are issued.`);
  await tamga(daemon, 'keys', 'submitted', made.number, '--portal-number', number);

  begin('The certificates are fetched, put beside their keys, and each key is tried.');
  fs.writeFileSync(place('certificates.p7b'), (await visitor.get(`${application}/certificates.p7b`)).octets);
  await tamga(daemon, 'keys', 'install', place('certificates.p7b'));
  await visitor.post(`${application}/installed`);

  begin('A letter is signed with the new key, and the portal has openssl judge it.');
  const { serial } = await describe((await visitor.get(`${application}/signature.cer`)).octets);
  fs.writeFileSync(place('letter.txt'), 'A letter.\n');
  await tamga(daemon, 'sign', place('letter.txt'), '--serial', serial);
  const { content, signer } = await portal.judge.cms(fs.readFileSync(place('letter.txt.cms')));
  tell(`openssl cms -verify -cades: ${JSON.stringify(content.toString())}, signed with the certificate ${signer.serial}.`);

  begin('The old keys were not touched. What the account of the portal has now:');
  for (const { purpose, serial: each, state, application: from } of portal.store.all('SELECT *, CASE WHEN revoked_at THEN \'revoked\' ELSE \'valid\' END AS state FROM certificates')) {
    tell(`${each}  ${purpose.padEnd(14)} ${state}${from ? `, of application ${from}` : ''}`);
  }
}

async function account() {
  say('Tamga: keys on a token are renewed, from start to end. What stands after $ is what a person types.');
  say('The portal and its authority are those of tests/portal, for tests only; the person in front of the window is a script.');
  const portal = await startPortal();
  const folder = testFolder('token');
  let daemon;
  try {
    const keys = [];
    for (const purpose of ['authentication', 'signature']) keys.push(await portal.makeKey({ iin: citizen, purpose, kind: 'rsa' }));
    daemon = await Daemon.start({ modules: makeToken(folder, keys), config: portal.configuration() });
    for (const office of ['root', 'issuer']) daemon.tamga('ca', 'add', portal.authorities.rsa.path(`${office}.pem`));
    await renewal(portal, daemon);
    say('\nDone.');
  } finally {
    await daemon?.stop();
    await portal.end();
  }
}

cleanUp();
account().catch((error) => {
  process.stderr.write(`demo: ${error.message}\n`);
  process.exitCode = 1;
});
