// What is known of certificates: authorities that the person added, revocation by OCSP, what the window says of it, and
// `tamga verify` over what came out.
'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { after, before, beforeEach, describe, test } = require('node:test');
const { Daemon, fromPem, scratch, until } = require('./support/daemon.cjs');
const { Services } = require('./support/services.cjs');

const content = Buffer.from('Өтініш: келісемін');
const person = 'key first\npin 12345678\naccept\n';
const basics = (signingParams = {}, signerParams = {}) => ({
  module: 'kz.gov.pki.knca.basics', method: 'sign',
  args: {
    allowedStorages: null, format: 'cms', data: content.toString('base64'), signingParams: { decode: true, ...signingParams },
    signerParams: { extKeyUsageOids: ['1.3.6.1.5.5.7.3.4'], ...signerParams },
  },
});

async function stage(more = '') {
  const services = await Services.start();
  const daemon = await Daemon.start({ config: `[origins]\nallow = ["portal.test"]\n${services.configuration(more)}`, script: person });
  const socket = await daemon.connect();
  return {
    services, daemon,
    ask: async (request) => JSON.parse(await socket.ask(request)),
    verify: (cms, ...args) => {
      const { status, words } = daemon.tamga('verify', scratch(daemon, 'signed', cms), ...args);
      return { status, words, report: args.includes('--json') ? JSON.parse(words) : undefined };
    },
    trust: (file) => daemon.tamga('ca', 'add', file),
    signing: () => daemon.shown().at(-1).keys.find(({ fits }) => fits),
    stop: async () => {
      socket.close();
      await daemon.stop();
      await services.stop();
    },
  };
}

describe('a key whose issuer is not known', () => {
  let at;
  before(async () => { at = await stage(); });
  after(() => at?.stop());

  test('can be chosen after the window has said so, and is never called invalid', async () => {
    const reply = await at.ask(basics());

    assert.equal(reply.status, true, JSON.stringify(reply));
    assert.match(at.signing().warning, /issuer's certificate is missing.*tamga ca add/);
    const { status, words, report } = at.verify(fromPem(reply.body.result[0]), '--json');
    assert.equal(status, 3, words);
    assert.equal(report.verdict, 'unsettled');
    assert.equal(report.signers[0].signature, 'valid');
    assert.equal(report.signers[0].chain, 'issuer_missing');
  });

  test('tamga ca add shows the fingerprint to compare, list names it, remove takes it back', async () => {
    const file = path.join(at.daemon.token, 'ca.pem');
    const added = at.trust(file);
    assert.equal(added.status, 0, added.words);
    const [fingerprint] = added.words.match(/([0-9A-F]{2}:){31}[0-9A-F]{2}/);
    assert.match(added.words, /DEMO/);
    assert.equal(at.trust(path.join(at.daemon.token, 'sign.pem')).status, 1, 'a citizen is no authority');
    assert.ok(at.daemon.tamga('ca', 'list').words.includes(fingerprint));

    const reply = await at.ask(basics());
    assert.equal(at.verify(fromPem(reply.body.result[0]), '--json').report.signers[0].chain, 'good');

    assert.equal(at.daemon.tamga('ca', 'remove', fingerprint.slice(0, 14)).status, 0);
    assert.equal(at.daemon.tamga('ca', 'remove', fingerprint).status, 1);
    assert.equal(at.verify(fromPem(reply.body.result[0]), '--json').report.signers[0].chain, 'issuer_missing');
  });
});

describe('a key whose issuer is known', () => {
  let at;
  before(async () => {
    at = await stage();
    at.trust(path.join(at.daemon.token, 'ca.pem'));
  });
  beforeEach(() => {
    at.daemon.person(person);
    at.services.judge(at.daemon, 'V');
    fs.rmSync(path.join(at.daemon.home, '.cache/tamga/revocation'), { recursive: true, force: true });
  });
  after(() => at?.stop());

  const answered = (state) => until(`OCSP to say ${state}`, () => {
    const folder = path.join(at.daemon.home, '.cache/tamga/revocation');
    if (!fs.existsSync(folder)) return false;
    return fs.readdirSync(folder).some((name) => name.endsWith('.ocsp') && fs.readFileSync(path.join(folder, name), 'utf8').startsWith(state));
  });

  test('is asked about beside the request, and the next window knows', async () => {
    at.services.judge(at.daemon, 'V');
    const first = await at.ask(basics());
    assert.equal(first.status, true, JSON.stringify(first));
    assert.match(at.signing().warning, /not known yet/);
    await answered('good');

    const second = await at.ask(basics());

    assert.equal(at.signing().warning, '');
    const { status, words } = at.verify(fromPem(second.body.result[0]));
    assert.equal(status, 0, words);
    assert.match(words, /The signature is valid\.[^]*Not revoked as of[^]*Result: valid\./);
    const russian = at.daemon.tamga('--language', 'ru', 'verify', scratch(at.daemon, 'signed', fromPem(second.body.result[0])));
    assert.match(russian.words, /Итог: подпись действительна/);
  });

  test('once revoked is shown and cannot be chosen, unless the page allows it', async () => {
    at.services.judge(at.daemon, 'R');
    assert.equal((await at.ask(basics())).status, true, 'nothing was known yet');
    await answered('revoked');

    at.daemon.person('key misfit\npin 12345678\naccept\n');
    const refused = await at.ask(basics());
    assert.equal(refused.status, refused.code ? false : true);
    assert.ok(!refused.body?.result, JSON.stringify(refused));
    const reasons = at.daemon.shown().at(-1).keys.map(({ reason }) => reason);
    assert.ok(reasons.some((reason) => /was revoked/.test(reason)), reasons.join('; '));

    at.daemon.person(person);
    const allowed = await at.ask(basics({ allowRevoked: true }));
    assert.equal(allowed.status, true, JSON.stringify(allowed));
    const { status, report } = at.verify(fromPem(allowed.body.result[0]), '--json');
    assert.equal(status, 1);
    assert.equal(report.signers[0].revocation, 'revoked');
  });

  test('S21: a key for signing in signs no document, and a key for documents signs nobody in', async () => {
    at.daemon.person('key misfit\npin 12345678\naccept\n');
    for (const [usage, own] of [['1.3.6.1.5.5.7.3.4', 'emailProtection'], ['1.3.6.1.5.5.7.3.2', 'clientAuth']]) {
      const refused = await at.ask(basics({}, { extKeyUsageOids: [usage] }));
      assert.ok(!refused.body?.result, `${own}: ${JSON.stringify(refused)}`);
      const { keys } = at.daemon.shown().at(-1);
      assert.equal(keys.filter(({ fits }) => fits).length, 1, own);
      assert.match(keys.find(({ fits }) => !fits).reason, /another use/);
    }
  });

  test('must be issued by whom the page names, where it names anybody', async () => {
    const own = fs.readFileSync(path.join(at.daemon.token, 'ca.pem'), 'utf8');
    const other = fs.readFileSync(at.services.file('root.pem'), 'utf8');
    assert.equal((await at.ask(basics({}, { chain: [own] }))).status, true);
    assert.equal((await at.ask(basics({}, { chain: [] }))).status, true);
    assert.equal(at.signing().warning, '', 'with an empty chain nobody wants to know');

    at.daemon.person('key misfit\npin 12345678\naccept\n');
    const refused = await at.ask(basics({}, { chain: [fromPem(other).toString('base64')] }));
    assert.ok(!refused.body?.result, JSON.stringify(refused));
    assert.ok(at.daemon.shown().at(-1).keys.every(({ fits }) => !fits));
  });

  test('verify does not call a document valid of which a part is signed, or one that quotes a signed one', async () => {
    const xml = '<order><pay Id="x">1</pay><to/></order>';
    const reply = await at.ask({ module: 'kz.gov.pki.knca.commonUtils', method: 'signXml', args: ['AKKaztokenStore', 'SIGNATURE', xml, '/order/pay', '/order/to'] });
    assert.equal(reply.code, '200', JSON.stringify(reply));
    await answered('good');

    const part = at.verify(Buffer.from(reply.responseObject), '--json');
    assert.equal(part.status, 3, part.words);
    assert.equal(part.report.signers[0].signature, 'valid');
    assert.equal(part.report.signers[0].coverage, 'part');
    assert.deepEqual(part.report.signers[0].covers, ['x']);
    assert.match(at.verify(Buffer.from(reply.responseObject)).words, /ONLY A PART OF THE DOCUMENT IS SIGNED/);

    const cms = (await at.ask(basics())).body.result[0];
    assert.equal(at.verify(Buffer.from(cms)).status, 0);
    assert.equal(at.verify(Buffer.from(`I owe 1000000.\n${cms}`)).status, 1);
  });

  test('verify tells a changed document, a missing one, and a stamp whose issuer is known', async () => {
    at.services.judge(at.daemon, 'V');
    at.trust(at.services.file('root.pem'));
    at.trust(at.services.file('issuer.pem'));
    const reply = await at.ask(basics({ encapsulate: false, tsaProfile: {} }));
    await answered('good');
    const cms = fromPem(reply.body.result[0]);
    const right = scratch(at.daemon, 'right', content);
    const wrong = scratch(at.daemon, 'wrong', 'another');

    assert.equal(at.verify(cms).status, 3);
    assert.equal(at.verify(cms, '--content', wrong).status, 1);
    const { status, report } = at.verify(cms, '--content', right, '--json');
    assert.equal(status, 0, JSON.stringify(report));
    assert.equal(report.signers[0].timestamps[0].chain, 'good');
    assert.equal(report.signers[0].timestamps[0].time, report.signers[0].judgedAt);
    assert.equal(at.verify(cms, '--content', right, '--at', '2001-01-01', '--json').report.signers[0].chain, 'not_yet_valid');
  });
});

test('where OCSP says nothing the authority\'s list is fetched beside the request, once', async () => {
  const at = await stage();
  try {
    at.trust(path.join(at.daemon.token, 'ca.pem'));
    at.services.publishList(at.daemon);
    const first = await at.ask(basics());
    assert.equal(first.status, true, JSON.stringify(first));
    const folder = path.join(at.daemon.home, '.cache/tamga/revocation');
    await until('the list', () => fs.existsSync(folder) && fs.readdirSync(folder).some((name) => name.endsWith('.crl')));

    assert.equal(at.verify(fromPem(first.body.result[0]), '--json').report.signers[0].revocation, 'revoked');
    at.daemon.person('key misfit\npin 12345678\naccept\n');
    assert.ok(!(await at.ask(basics())).body?.result);
    assert.match(at.daemon.shown().at(-1).keys.map(({ reason }) => reason).join(), /was revoked/);
    assert.equal(at.services.asked.filter(({ url }) => url === '/list.crl').length, 1);
    assert.equal(fs.statSync(folder).mode & 0o777, 0o700);
  } finally { await at.stop(); }
});

test('strict mode asks before it signs, and refuses what it does not know', async () => {
  const at = await stage('strict = true\n');
  try {
    at.daemon.person('key misfit\npin 12345678\naccept\n');
    const unknown = await at.ask(basics());
    assert.ok(!unknown.body?.result, JSON.stringify(unknown));
    assert.match(at.daemon.shown().at(-1).keys.map(({ reason }) => reason).join(), /tamga ca add/);

    at.daemon.person(person);
    at.trust(path.join(at.daemon.token, 'ca.pem'));
    assert.equal((await at.ask(basics())).details, 'revocation_unknown', 'OCSP says nothing');
    at.services.judge(at.daemon, 'R');
    assert.equal((await at.ask(basics())).details, 'certificate_revoked');
    fs.rmSync(path.join(at.daemon.home, '.cache/tamga/revocation'), { recursive: true });
    at.services.judge(at.daemon, 'V');
    assert.equal((await at.ask(basics())).status, true);
  } finally { await at.stop(); }
});
