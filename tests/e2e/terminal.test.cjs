// `tamga sign` where there is no display: pinentry's dialogues on the terminal before which it was called, with the real
// pinentry-curses and a person at its keyboard (script(1) makes the terminal).
'use strict';

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { after, afterEach, before, test } = require('node:test');
const { Daemon, build, until, verifyCms } = require('./support/daemon.cjs');
const { Client } = require('./support/v1.cjs');

const tab = '\t';
const enter = '\r';
const interrupt = '\x03';
const terminals = [];
let daemon;

before(async () => {
  daemon = await Daemon.start({ tamgad: path.join(build, 'terminal-libexec/tamgad'), env: { TAMGA_PROMPT_LOG: '' } });
});
after(async () => { await daemon?.stop(); });
afterEach(() => { for (const terminal of terminals.splice(0)) terminal.process.kill('SIGKILL'); });

/** A command on a terminal of its own: what it shows, and a keyboard. */
class Terminal {
  constructor(...command) {
    const quoted = command.map((word) => `'${word}'`).join(' ');
    this.screen = '';
    this.process = spawn('script', ['-qefc', `stty rows 30 cols 90; exec ${quoted}`, '/dev/null'], {
      env: { PATH: process.env.PATH, HOME: daemon.home, XDG_RUNTIME_DIR: daemon.env.XDG_RUNTIME_DIR, TERM: 'xterm', LANG: 'C.UTF-8' },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.process.stdout.setEncoding('utf8').on('data', (text) => { this.screen += text; });
    this.ended = new Promise((resolve) => { this.process.on('exit', resolve); });
    terminals.push(this);
  }
  /** Waits for words; what was shown before them is forgotten. */
  async shows(words) {
    const at = await until(`the terminal to show "${words}"`, () => this.screen.indexOf(words) + 1, 20000).catch((failure) => {
      throw new Error(`${failure.message}; it shows:\n${this.screen}`);
    });
    this.screen = this.screen.slice(at + words.length - 1);
  }
  type(keys) { this.process.stdin.write(keys); }
}

const letter = () => {
  const file = path.join(daemon.home, 'letter.txt');
  fs.writeFileSync(file, 'Please issue a certificate of address.\n');
  fs.rmSync(`${file}.cms`, { force: true });
  return file;
};
const tamga = (...args) => new Terminal(path.join(build, 'bin/tamga'), '--language', 'en', ...args);

const signed = (file) => verifyCms(daemon, fs.readFileSync(`${file}.cms`));
/** As far as the PIN. */
async function agree(person) {
  await person.shows('<Continue>');
  person.type(enter);
  await person.shows('<Yes>');
  person.type(enter);
  await person.shows('PIN:');
}

test('a document is shown, a key chosen and the PIN typed on the terminal; openssl verifies the signature', async () => {
  const file = letter();
  const person = tamga('sign', file);

  await person.shows('A command on this computer');
  await person.shows('Please issue a certificate');
  await agree(person);
  assert.ok(!person.screen.includes('12345678'));
  person.type(`12345678${enter}`);

  assert.equal(await person.ended, 0, person.screen);
  assert.match(signed(file).toString(), /Please issue/);
});

for (const [language, next, use] of [['ru', '<Продолжить>', '<Да>'], ['kk', '<Жалғастыру>', '<Иә>']]) {
  test(`the dialogues speak the person's language: ${language}`, async () => {
    const file = letter();
    const person = new Terminal(path.join(build, 'bin/tamga'), '--language', language, 'sign', file);
    await person.shows(next);
    person.type(enter);
    await person.shows(use);
    person.type(enter);
    await person.shows('PIN');
    person.type(`12345678${enter}`);

    assert.equal(await person.ended, 0, person.screen);
    assert.match(signed(file).toString(), /Please issue/);
  });
}

test('S10: tabs hide nothing of a document, whose lines are marked as its own', async () => {
  const file = letter();
  fs.writeFileSync(file, `${'\t'.repeat(13)}I give my flat away.\n${'long '.repeat(16)}\n`);
  const person = tamga('sign', file);
  await person.shows('|');
  await person.shows('I give my flat away.');
  await person.shows('| long long');
});

test('S9: a wrong PIN is one attempt, and is asked for again in the same place', async () => {
  const file = letter();
  const person = tamga('sign', file);
  await agree(person);

  person.type(`0000${enter}`);
  await person.shows('The PIN is wrong');
  await person.shows('PIN:');
  person.type(`12345678${enter}`);

  assert.equal(await person.ended, 0, person.screen);
});

test('cancelled at each dialogue nothing is signed, and the command says so', async () => {
  const file = letter();
  for (const at of ['<Continue>', '<Yes>', 'PIN:']) {
    const person = tamga('sign', file);
    for (const dialogue of ['<Continue>', '<Yes>', 'PIN:']) {
      await person.shows(dialogue);
      if (dialogue === at) break;
      person.type(enter);
    }
    person.type((at === 'PIN:' ? tab + tab : tab) + enter);

    assert.equal(await person.ended, 4, person.screen);
    assert.ok(!fs.existsSync(`${file}.cms`));
  }
});

test('Ctrl-C ends the command, its dialogue and the request, and gives the terminal back', async () => {
  const person = tamga('sign', letter());
  await person.shows('<Continue>');

  person.type(interrupt);

  await person.ended;
  await until('the prompt to be gone', () => daemon.prompts().length === 0);
});

test('what was typed ahead decides nothing', async () => {
  const file = letter();
  const person = tamga('sign', file);
  person.type(enter.repeat(8));
  await person.shows('<Continue>');
  person.type(tab + enter);

  assert.equal(await person.ended, 4, person.screen);
});

test('a document that is no text is named by type, size and digest, with a warning', async () => {
  const file = path.join(daemon.home, 'drawing.bin');
  fs.writeFileSync(file, Buffer.alloc(3000, 0xfe));
  const person = tamga('sign', file);
  await person.shows('drawing.bin');
  await person.shows('SHA-256');
  await person.shows('cannot be shown');
});

test('more documents than a person reads page by page are refused before anything is shown', async () => {
  const files = Array.from({ length: 33 }, (_, i) => {
    const file = path.join(daemon.home, `many-${i}.txt`);
    fs.writeFileSync(file, 'x');
    return file;
  });
  const person = tamga('sign', '-o', daemon.home, ...files);

  assert.equal(await person.ended, 1);
  assert.match(person.screen, /prompt_unavailable/);
});

test('a page is refused where there is neither window nor display, and cannot name a terminal', async () => {
  const page = await Client.connect(daemon);

  const terminal = { path: '/dev/pts/0', type: 'xterm' };
  assert.equal((await page.fails('hello', { terminal })).data.error, 'unsupported');
  assert.equal((await page.fails('sign', { purpose: 'document', format: 'cms', documents: [{ text: 'x' }] })).data.error, 'prompt_unavailable');
  page.close();
});

test('what is no terminal of this person is not asked on', async () => {
  for (const place of ['/dev/null', '/nonexistent', letter()]) {
    const command = await Client.connect(daemon, { local: true });
    await command.call('hello', { terminal: { path: place, type: 'xterm' } });
    const refusal = await command.fails('sign', { purpose: 'document', format: 'cms', documents: [{ text: 'x' }] });
    assert.equal(refusal.data.error, 'prompt_unavailable', place);
    command.close();
  }
});
