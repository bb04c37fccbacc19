// What `cmake --install` lays down: that it is what tamgad looks for, and that it works from there.
'use strict';

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { after, before, test } = require('node:test');
const { Daemon, build, testFolder, until } = require('./support/daemon.cjs');

const [, prefix] = fs.readFileSync(path.join(build, 'CMakeCache.txt'), 'utf8').match(/^CMAKE_INSTALL_PREFIX:\w+=(.*)$/m);
let stage; // stands for the root of the file system

before(() => {
  stage = testFolder('installed');
  execFileSync('cmake', ['--install', build], { env: { ...process.env, DESTDIR: stage }, stdio: 'pipe' });
});
after(() => fs.rmSync(stage, { recursive: true }));

const programs = path.join(prefix, 'libexec/tamga');

test('the programs lie where the installed tamgad says it looks for them', () => {
  const help = execFileSync(path.join(stage, programs, 'tamgad'), ['--help'], { env: { LANG: 'en_US.UTF-8' }, encoding: 'utf8' });

  assert.ok(help.includes(` ${programs},`), help);
  assert.deepEqual(fs.readdirSync(path.join(stage, programs)).sort(),
    ['browser-policies', 'sessions', 'tamga-p11check', 'tamga-preview', 'tamga-prompt', 'tamga-prompt-pinentry', 'tamga-token', 'tamga-web', 'tamgad', 'teach-libccid']);
  assert.deepEqual(fs.readdirSync(path.join(stage, prefix, 'share/tamga')).sort(), ['ca', 'families.toml', 'origins.toml', 'policies']);
  assert.deepEqual(fs.readdirSync(path.join(stage, prefix, 'bin')), ['tamga']);
});

// Anybody but root would need a user namespace for this, in which the files of root belong to nobody and are not trusted.
test('the installed tamgad finds its programs, the shipped portals and the real window', { skip: process.getuid() !== 0 }, async () => {
  const tamgad = path.join(stage, 'tamgad');
  fs.writeFileSync(tamgad, `#!/bin/sh
exec unshare --mount sh -c 'mount --bind "$1" "$2" && shift 2 && exec "$@"' sh ${stage}${prefix} ${prefix} ${programs}/tamgad "$@"\n`,
  { mode: 0o700 });
  const daemon = await Daemon.start({ tamgad, config: '' });
  try {
    await until('browsers to be told, by the program that tamgad starts for that',
      () => /Chromium: .*the certificate is now trusted/.test(daemon.log()));
    assert.ok(fs.existsSync(path.join(daemon.home, '.pki/nssdb/cert9.db')));
    const page = await daemon.connect({ origin: 'https://egov.kz' });
    const module = 'kz.gov.pki.knca.commonUtils';

    const tokens = JSON.parse(await page.ask({ module, method: 'getActiveTokens' }));
    const info = JSON.parse(await page.ask({ module, method: 'getKeyInfo', args: ['AKKaztokenStore'] }));
    page.close();

    assert.deepEqual(tokens.responseObject, ['AKKaztokenStore']);
    assert.equal(info.message, 'prompt_unavailable', 'there is no display here for the window');
    await until('the prompt to say why', () => /tamga-prompt: prompt ended .*detail="no display"/.test(daemon.log()));
  } finally { await daemon.stop(); }
});
