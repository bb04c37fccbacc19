// The main job with GOST keys: a page, the daemon, a token; judged by the openssl command with gost-engine.
'use strict';

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const { test } = require('node:test');
const { Daemon, basics, fromPem, verifyCms, verifyXml } = require('./support/daemon.cjs');
const { digest, verifyGostCms, verifyGostXml, verifyValue } = require('./support/gost.cjs');

const commonUtils = (method, args) => ({ module: 'kz.gov.pki.knca.commonUtils', method, args });
const content = Buffer.from('Өтініш: келісемін');
const document = content.toString('base64');
const xml = '<request><service>demo</service></request>';
const person = 'key first\npin 12345678\naccept\n';

async function withDaemon(options, work) {
  const daemon = await Daemon.start({ script: person, ...options });
  const socket = await daemon.connect();
  const ask = async (request) => JSON.parse(await socket.ask(request));
  try { await work(daemon, ask); } finally {
    socket.close();
    await daemon.stop();
  }
}

for (const [name, bits, order, digestOid, signatureOid] of [
  ['gost512', 512, 's_r', '06082a830e030a010303', '060a2a830e030a0101020302'],
  ['gost256', 256, 'reversed', '06082a830e030a010302', '060a2a830e030a0101020301'],
]) {
  test(`${name}: CMS, XML and raw, made with a module that writes ${order}`, async () => {
    await withDaemon({ gost: [order, name] }, async (daemon, ask) => {
      const cms = await ask(basics(document));
      assert.equal(cms.status, true, JSON.stringify(cms));
      const algorithms = verifyGostCms(daemon, name, bits, fromPem(cms.body.result[0]), content);
      const sequence = (oid) => `30${((oid.length / 2) + 2).toString(16).padStart(2, '0')}${oid}0500`;
      assert.equal(algorithms.digestAlgorithm, sequence(digestOid));
      assert.equal(algorithms.signatureAlgorithm, sequence(signatureOid));

      const signedXml = await ask(basics(xml, {}, 'xml'));
      verifyGostXml(daemon, name, bits, signedXml.body.result[0]);
      assert.match(signedXml.body.result[0], new RegExp(`algorithms:gostr34102015-gostr34112015-${bits}"`));

      const raw = await ask(basics(document, { decode: true }, 'raw'));
      verifyValue(daemon, name, bits, content, Buffer.from(raw.body.result[0], 'base64'));
      assert.throws(() => verifyValue(daemon, name, bits, Buffer.from('other'), Buffer.from(raw.body.result[0], 'base64')));
    });
  });
}

test('commonUtils tells the key\'s algorithm, and signs a Streebog digest that the page made', async () => {
  await withDaemon({ gost: ['s_r', 'gost512'] }, async (daemon, ask) => {
    const info = await ask(commonUtils('getKeyInfo', ['AKKaztokenStore']));
    assert.equal(info.responseObject.algorithm, 'ECGOST3410-2015-512');

    const hash = digest(daemon, 512, content).toString('base64');
    const signed = await ask(commonUtils('createCAdESFromBase64Hash', ['AKKaztokenStore', 'SIGNATURE', hash]));
    assert.equal(signed.code, '200', JSON.stringify(signed));
    verifyGostCms(daemon, 'gost512', 512, Buffer.from(signed.responseObject, 'base64'), content);

    daemon.person('key misfit\ncancel\n');
    const short = await ask(commonUtils('createCAdESFromBase64Hash', ['AKKaztokenStore', 'SIGNATURE', Buffer.alloc(32, 7).toString('base64')]));
    assert.equal(short.code, '500');
  });
});

test('a GOST and an RSA key on one token both sign', async () => {
  await withDaemon({ gost: ['r_s', 'gost512', 'rsa'] }, async (daemon, ask) => {
    const byGost = await ask(basics(document));
    verifyGostCms(daemon, 'gost512', 512, fromPem(byGost.body.result[0]), content);
    assert.equal(daemon.shown().at(-1).keys.length, 2);

    daemon.person('key subject=ПРОБНЫЙ\npin 12345678\naccept\n');
    const byRsa = await ask(basics(document));
    assert.equal(verifyCms(daemon, fromPem(byRsa.body.result[0])).toString(), content.toString());
    verifyXml(daemon, (await ask(basics(xml, {}, 'xml'))).body.result[0]);
  });
});

test('without libengine-gost-openssl RSA signs, and a GOST key says which package it needs', async () => {
  const [, engines] = execFileSync('openssl', ['version', '-e'], { encoding: 'utf8' }).match(/"(.*)"/);
  const empty = fs.mkdtempSync('/tmp/no-engines-');
  const unshare = process.getuid() === 0 ? '-m' : '-rm';
  const wrap = ['unshare', unshare, 'sh', '-c', `mount --bind ${empty} ${engines} && exec "$@"`, 'sh'];
  try {
    await withDaemon({ gost: ['s_r', 'gost512'], wrap }, async (daemon, ask) => {
      daemon.person('cancel\n');
      const refused = await ask(basics(document));
      assert.equal(refused.status, false, JSON.stringify(refused));
      assert.match(daemon.log(), /outcome="algorithm_unavailable"/);
      assert.match(daemon.shown().at(-1).keys[0].reason, /libengine-gost-openssl/);
    });
    await withDaemon({ gost: ['s_r', 'gost512', 'rsa'], wrap }, async (daemon, ask) => {
      const byRsa = await ask(basics(document));
      assert.equal(verifyCms(daemon, fromPem(byRsa.body.result[0])).toString(), content.toString());
    });
  } finally { fs.rmdirSync(empty); }
});
