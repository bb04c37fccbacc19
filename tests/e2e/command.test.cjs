// What the programs say to a person who types them wrongly.
'use strict';

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const path = require('node:path');
const { test } = require('node:test');
const { build } = require('./support/daemon.cjs');

const run = (program, args, env = { LANG: 'en_US.UTF-8' }) => spawnSync(path.join(build, 'bin', program), args,
  { env: { PATH: process.env.PATH, HOME: '/nonexistent', ...env }, encoding: 'utf8', timeout: 20000 });

test('tamga names the argument it does not understand, and the help that tells more', () => {
  for (const [args, words] of [
    [['--bogus'], 'This argument was not understood: --bogus. See: tamga --help'],
    [['sing'], 'This argument was not understood: sing. See: tamga --help'],
    [['trust', '--instal'], 'This argument was not understood: --instal. See: tamga trust --help'],
    [['--language', 'xx'], 'This argument was not understood: --language. See: tamga --help'],
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

test('tamga-web and tamga-token started by hand say that they are not to be, and end', () => {
  for (const [program, words] of [['tamga-web', /tamgad alone starts this program/], ['tamga-token', /usage: tamga-token/]]) {
    const { status, stderr } = run(program, []);
    assert.equal(status, 1, program);
    assert.match(stderr, words);
  }
});
