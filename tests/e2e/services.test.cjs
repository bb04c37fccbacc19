// The law's rule on NCALayer's protocol, with a signed catalogue of sample services: who is asked for a signature, what
// the window says of the service, what a page is told instead; and `tamga services`.
'use strict';

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const { after, before, beforeEach, describe, test } = require('node:test');
const { Daemon, basics, fromPem, verifyCms } = require('./support/daemon.cjs');
const { Publisher, sample } = require('./support/publisher.cjs');

const content = Buffer.from('Өтініш: мекенжайды өзгерту');
const sites = ['address', 'birth', 'certificate', 'licence', 'queue', 'record', 'services'].map((name) => `${name}.portal.test`);
const config = `[origins]\nallow = [${sites.map((site) => `"${site}"`).join(', ')}]\n`;
const eku = { signs: '1.3.6.1.5.5.7.3.4', signsIn: '1.3.6.1.5.5.7.3.2' };
const person = 'key first\npin 12345678\naccept\n';

let daemon;
let publisher;
const sockets = new Map();

async function start(more = '') {
  daemon = await Daemon.start({ config: config + more, script: person });
  publisher = new Publisher(daemon);
  publisher.introduce();
  publisher.publish();
}
async function stop() {
  for (const socket of sockets.values()) socket.close();
  sockets.clear();
  await daemon.stop();
}
async function ask(site, request) {
  if (!sockets.has(site)) sockets.set(site, await daemon.connect({ origin: `https://${site}.portal.test` }));
  return JSON.parse(await sockets.get(site).ask(request));
}
function request(usages = [eku.signs]) {
  const made = basics(content.toString('base64'));
  made.args.signerParams.extKeyUsageOids = usages;
  return made;
}
const isSigned = (reply) => {
  assert.equal(reply.status, true, JSON.stringify(reply));
  assert.deepEqual(verifyCms(daemon, fromPem(reply.body.result[0])), content);
};
const refusal = (reply) => { assert.equal(reply.status, false, JSON.stringify(reply)); return reply.details; };
const lastWindow = () => daemon.shown().at(-1);

describe('a site with one service of a signed catalogue', () => {
  before(() => start());
  after(() => stop());
  beforeEach(() => daemon.person(person));

  test('gets the signature that the service needs, and the window names the service', async () => {
    isSigned(await ask('address', request()));

    assert.equal(lastWindow().service, 'Public service: Registration of a new address (sample). It needs an electronic signature. '
      + 'Classified by: Sample body. The site does not name it: it is the only service known of this site.');
    assert.equal(lastWindow().principal, '');
  });

  test('gets a signature in the place of a one-time password', async () => {
    isSigned(await ask('record', request()));

    assert.match(lastWindow().service, /no criminal record \(sample\)\. It needs a one-time password; an electronic signature is accepted/);
  });

  test('gets none for what needs no signature: no window, no token', async () => {
    const windows = daemon.shown().length;

    assert.equal(refusal(await ask('certificate', request())), 'eds_not_required');
    const common = await ask('certificate', {
      module: 'kz.gov.pki.knca.commonUtils', method: 'createCAdESFromBase64',
      args: ['AKKaztokenStore', 'SIGNATURE', content.toString('base64'), true],
    });

    assert.deepEqual(common, { code: '500', message: 'eds_not_required' });
    assert.equal(daemon.shown().length, windows);
    assert.match(daemon.log(), /asked="sign_cms" outcome="eds_not_required" detail="sample-body\/address-certificate"/);
  });

  test('gets one for a composite service, and is told nothing else where the law names no method', async () => {
    isSigned(await ask('birth', request()));
    assert.match(lastWindow().service, /birth, with the allowance \(sample\)\. It needs an electronic signature/);

    isSigned(await ask('queue', request()));
    assert.match(lastWindow().service, /the law names no way to confirm it/);
  });

  test('gets none from a key without the role that the service asks for', async () => {
    daemon.person('key misfit\npin 12345678\naccept\n');

    assert.equal(refusal(await ask('licence', request())), 'role_missing');

    assert.match(lastWindow().keys.map(({ reason }) => reason).join(' '), /does not give its owner the role/);
    assert.match(lastWindow().errors.join(' '), /Ask the owner of the portal's system who may sign/);
  });

  test('may be signed in to, whatever the service needs', async () => {
    isSigned(await ask('certificate', request([eku.signsIn])));

    assert.match(lastWindow().purpose, /sign in/i);
    assert.equal(lastWindow().service, '');
  });

  test('S21: does not get a request signed by a key for signing in, although it asks for any key', async () => {
    isSigned(await ask('address', request([])));

    const keys = lastWindow().keys;
    assert.equal(keys.filter(({ fits }) => fits).length, 1);
    assert.match(keys.find(({ fits }) => !fits).reason, /another use/);
  });

  test('S20: is the site of the socket, whatever the page says of itself', async () => {
    const made = request();
    made.args.origin = 'https://address.portal.test';
    made.args.service = 'sample-body/address-change';

    assert.equal(refusal(await ask('certificate', made)), 'eds_not_required');
  });
});

describe('a site with several services, in a protocol that names none', () => {
  after(() => stop());

  test('is asked for with a visible line', async () => {
    await start();

    isSigned(await ask('services', request()));

    assert.match(lastWindow().service, /does not say for which public service/);
    await stop();
  });

  test('gets nothing in strict mode but a sign-in', async () => {
    await start('[services]\nstrict = true\n');

    assert.equal(refusal(await ask('services', request())), 'service_unknown');
    assert.equal(daemon.shown().length, 0);
    isSigned(await ask('services', request([eku.signsIn])));
    isSigned(await ask('address', request()));
  });
});

describe('a catalogue', () => {
  before(() => start());
  after(() => stop());
  const services = (...args) => daemon.tamga('services', ...args);
  const signs = async () => { isSigned(await ask('address', request())); return lastWindow().service; };

  test('that was damaged leaves the last good one in effect, and says so', async () => {
    assert.match(await signs(), /Registration of a new address/);
    const good = fs.readFileSync(publisher.place);
    const bad = Buffer.from(good);
    bad[good.indexOf('minutes = 10') + 10] ^= 1;
    publisher.put(bad);

    assert.match(await signs(), /Registration of a new address/);

    assert.match(daemon.log(), /services_refused file=".*sample\.services" why="signature"/);
    const listed = services('list');
    assert.equal(listed.status, 1);
    assert.match(listed.words, /the last good copy of .*\nRefused: .*\n +The signature is not valid/);
    const verified = services('verify', publisher.place);
    assert.equal(verified.status, 1);
    assert.match(verified.words, /The signature is not valid: the file was changed or damaged/);
  });

  test('of an earlier version is refused', async () => {
    publisher.publish(sample.replace('version = 1', 'version = 3'));
    assert.match(await signs(), /Registration of a new address/);
    publisher.publish(sample.replace('version = 1', 'version = 2').replace('Registration of a new address', 'Something older'));

    assert.match(await signs(), /Registration of a new address/);

    assert.match(daemon.log(), /why="older"/);
    assert.match(services('verify', publisher.place).words, /A later version of it was seen on this computer before/);
  });

  test('that is taken away takes its services along', async () => {
    fs.rmSync(publisher.place);

    assert.match(await signs(), /does not say for which public service/);
  });

  test('of somebody who publishes nothing here is refused', async () => {
    const stranger = new Publisher(daemon, 'stranger');
    stranger.publish(sample.replace('version = 1', 'version = 9'));

    assert.match(await signs(), /does not say for which public service/);

    assert.match(daemon.log(), /why="publisher"/);
    stranger.introduce('another-body');
    assert.match(services('verify', stranger.place).words, /may not speak for the body/);
  });
});

describe('tamga services', () => {
  before(() => start());
  after(() => stop());
  const services = (...args) => daemon.tamga('services', ...args);

  test('list and show tell what is known, in the language of the person', () => {
    const listed = services('list');
    assert.equal(listed.status, 0, listed.words);
    assert.match(listed.words, /Catalogue sample-body\/sample, version 1, from 2026-01-01 to 2099-12-31\nSample without legal force/);
    assert.equal(listed.words.match(/^ {3}sample-body\//gm).length, 6);

    const shown = services('show', 'sample-body/pharmacy-licence');
    assert.equal(shown.status, 0);
    assert.match(shown.words, /signed by one of these: the first head of an organisation, who may sign for an organisation/);
    assert.match(shown.words, /A permit always needs an EDS, whatever the total is \[Rules, Appendix 1, paragraph 2\]/);
    const kazakh = daemon.tamga('--language', 'kk', 'services', 'show', 'sample-body/address-change').words;
    assert.match(kazakh, /Тұрғылықты жері бойынша тіркеу/);
    assert.equal(services('show', 'sample-body/none').status, 1);
  });

  test('classify explains each step, and asks for every criterion', () => {
    const asked = ['--risk', 'yes', '--changes-database', 'no', '--minutes', '30', '--paid', 'no'];
    const { status, words } = services('classify', ...asked);

    assert.equal(status, 0, words);
    assert.match(words, /Disclosed personal data could cause damage: 2 \[Rules, paragraph 5 and Appendix 2, criterion 1\]/);
    assert.match(words, /Exactly 30 minutes: paragraph 5 .* Appendix 2/);
    assert.match(words, /The total is 2/);
    assert.match(words, /Result: login and password, and a one-time password\.\nAccepted in its place: login and password, and an EDS\./);
    assert.match(words, /edition V1600013191-2019/);
    assert.match(services('classify', ...asked, '--channel', 'sms').words, /Result: no method is named/);
    assert.equal(services('classify', ...asked.slice(2)).status, 2);
  });

  test('sign makes a CMS that openssl verifies, and verify takes one that openssl made', () => {
    const { status, words, file } = publisher.sign();
    assert.equal(status, 0, words);
    const checked = execFileSync('openssl', ['cms', '-verify', '-cades', '-binary', '-inform', 'DER', '-in', file, '-CAfile',
      publisher.file('certificate.pem'), '-purpose', 'any'], { stdio: ['ignore', 'pipe', 'pipe'] });
    assert.equal(checked.toString(), sample);

    const other = publisher.file('by-openssl.services');
    execFileSync('openssl', ['cms', '-sign', '-nodetach', '-binary', '-md', 'sha256', '-outform', 'DER', '-signer',
      publisher.file('certificate.pem'), '-inkey', publisher.file('key.pem'), '-in', publisher.file('text.toml'), '-out', other],
    { stdio: ['ignore', 'pipe', 'pipe'] });
    const verified = services('verify', other);
    assert.equal(verified.status, 0, verified.words);
    assert.match(verified.words, /Signed by the publisher of Sample body \(certificate [0-9a-f]{8}\)\. Result: valid\./);
  });

  test('sign refuses a text with a mistake, and names the line', () => {
    fs.rmSync(publisher.file('sample.services'), { force: true });
    const { status, words, file } = publisher.sign(sample.replace('permit = true', 'permits = true'));

    assert.equal(status, 1);
    assert.match(words, /This is no catalogue: line \d+: service\.permits: unknown/);
    assert.ok(!fs.existsSync(file));
  });
});
