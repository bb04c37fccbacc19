// What the programs say to a person who types them wrongly.
'use strict';

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { build, root, testFolder } = require('./support/daemon.cjs');

const run = (program, args, env = { LANG: 'en_US.UTF-8' }) => spawnSync(path.join(build, 'bin', program), args,
  { env: { PATH: process.env.PATH, HOME: '/nonexistent', ...env }, encoding: 'utf8', timeout: 20000 });

test('tamga names the argument it does not understand, and the help that tells more', () => {
  for (const [args, words] of [
    [['--bogus'], 'This argument was not understood: --bogus. See: tamga --help'],
    [['sing'], 'This argument was not understood: sing. See: tamga --help'],
    [['trust', '--instal'], 'This argument was not understood: --instal. See: tamga trust --help'],
    [['--language', 'xx'], 'tamga: this is no value for --language, which takes: kk|ru|en. See: tamga --help'],
    [['--language'], 'This argument was not understood: --language. See: tamga --help'],
    [[], 'tamga: something is missing. See: tamga --help'],
    [['trust'], 'tamga trust: one of these is needed: --install, --remove, --status. See: tamga trust --help'],
    [['trust', '--install', '--remove'], 'tamga trust: one of these is needed: --install, --remove, --status. See: tamga trust --help'],
  ]) {
    const { status, stderr } = run('tamga', args);
    assert.deepEqual([status, stderr], [2, `${words}\n`], args.join(' '));
  }
});

test('LANGUAGE goes before LANG, and Russian is what is spoken where neither names one of ours', () => {
  assert.match(run('tamga', ['sing'], { LANGUAGE: 'de:kk', LANG: 'en_US.UTF-8' }).stderr, /түсініксіз/);
  assert.match(run('tamga', ['sing'], { LANG: 'de_DE.UTF-8' }).stderr, /не распознан/);
});

test('tamga refuses a day that does not exist, and tells a file that cannot be opened from a forged one', () => {
  const day = run('tamga', ['verify', 'file', '--at', '2026-02-31']);
  assert.deepEqual([day.status, day.stderr], [2, 'This argument was not understood: 2026-02-31. See: tamga verify --help\n']);
  const missing = run('tamga', ['verify', '/nonexistent/file']);
  assert.deepEqual([missing.status, missing.stdout, missing.stderr], [4, '', '/nonexistent/file cannot be read.\n']);
});

test('the help is in one language, names the formats that are read, and keeps its columns', () => {
  const verify = run('tamga', ['--language', 'ru', 'verify', '--help']).stdout;
  assert.doesNotMatch(verify, /Positionals|FILE/);
  assert.match(verify, /Аргументы:\n {2}ФАЙЛ +подписанный файл: CMS \(DER, PEM или base64\) или XML; не S\/MIME/);
  const columns = [/подписанный файл: CMS/, /что было подписано/].map((words) => verify.split('\n').find((line) => words.test(line)).search(words));
  assert.equal(columns[0], columns[1]);
  assert.match(run('tamga', ['--language', 'kk', 'ca', 'add', '--help']).stdout, /ФАЙЛ +орталықтардың сертификаттары/);
});

test('authorities with GOST keys are added, listed and removed, each program ending as it should', () => {
  const home = testFolder('command');
  try {
    const of = (...args) => run('tamga', ['ca', ...args], { LANG: 'en_US.UTF-8', HOME: home });
    const file = path.join(root, 'tests/data/nca-certs/prod-root-gost2004-2015.pem');
    const added = of('add', file);
    assert.equal(added.status, 0, added.stderr);
    const listed = of('list');
    assert.deepEqual([listed.status, listed.signal, listed.stderr], [0, null, '']);
    const [fingerprint] = listed.stdout.match(/([0-9A-F]{2}:){31}[0-9A-F]{2}/);
    assert.match(listed.stdout, /ECGOST34310/);
    assert.equal(of('remove', fingerprint).status, 0);
  } finally { fs.rmSync(home, { recursive: true }); }
});

test('tamga-web and tamga-token started by hand say that they are not to be, and end', () => {
  for (const [program, code, words] of [
    ['tamga-web', 1, /tamgad alone starts this program/], ['tamga-token', 2, /^tamga-token: one PKCS#11 module; started by tamgad/],
  ]) {
    const { status, stderr } = run(program, []);
    assert.equal(status, code, program);
    assert.match(stderr, words);
  }
  const help = run('tamga-token', ['--help']);
  assert.deepEqual([help.status, help.stderr], [0, '']);
  assert.match(help.stdout, /--modules .*which modules there are/);
});
