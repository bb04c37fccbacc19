// Two virtual readers with a card each (tests/card): a pcscd of the test's own, stock OpenSC on top, and what a test may do
// to the cards. The first card has Kaztoken's ATR, the second Rutoken's; both hold a citizen's two keys.
'use strict';

const { execFile, execFileSync, spawn } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const readline = require('node:readline');
const { promisify } = require('node:util');
const { build, root, testFolder, until } = require('./daemon.cjs');

const run = promisify(execFile);

class Readers {
  static async start() {
    const readers = new Readers();
    readers.home = testFolder('readers');
    readers.folder = path.join(readers.home, 'pcscd');
    // The second is for the programs of OpenSC, which format the cards; tamga-token needs none.
    readers.env = {
      PCSCLITE_CSOCK_NAME: path.join(readers.folder, 'pcscd.comm'), OPENSC_CONF: path.join(readers.home, 'opensc.conf'),
    };
    fs.mkdirSync(path.join(readers.home, 'tamga'));
    fs.copyFileSync(path.join(root, 'data/families.toml'), path.join(readers.home, 'tamga/families.toml'));
    fs.writeFileSync(readers.env.OPENSC_CONF, execFileSync(path.join(build, 'bin/tamga-token'), ['--opensc-conf'],
      { env: { XDG_CONFIG_HOME: readers.home } }));
    try {
      await readers.plugIn();
      await Promise.all([readers.format(0, 'ТЕСТОВ ТЕСТ'), readers.format(1, 'СЫНАҚОВ СЫНАҚ')]);
    } catch (error) {
      await readers.stop();
      throw error;
    }
    return readers;
  }

  async plugIn() {
    this.process = spawn(path.join(root, 'tests/card/readers'),
      [path.join(build, 'bin/virtual-readers'), this.folder, 'kaztoken', 'rutoken'], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.ended = new Promise((resolve) => { this.process.on('exit', resolve); });
    const heard = [];
    const waiting = [];
    readline.createInterface({ input: this.process.stdout }).on('line', (line) => {
      if (waiting.length) waiting.shift().resolve(line); else heard.push(line);
    });
    this.ended.then(() => { for (const { reject } of waiting.splice(0)) reject(new Error('virtual-readers ended')); });
    this.next = () => (heard.length ? Promise.resolve(heard.shift())
      : new Promise((resolve, reject) => { waiting.push({ resolve, reject }); }));
    if (await this.next() !== 'ready') throw new Error('virtual-readers is not ready');
    await this.seen([true, true]);
  }

  /** One line to virtual-readers (tests/card/main.cpp); gives its answer. */
  async say(line) {
    this.process.stdin.write(`${line}\n`);
    const answer = await this.next();
    if (answer.startsWith('error')) throw new Error(`${line}: ${answer}`);
    return answer;
  }
  insert(reader) { return this.say(`insert ${reader}`); }
  remove(reader) { return this.say(`remove ${reader}`); }
  /** Pulls the card out, or puts it in, and returns when pcscd has written that it noticed: the moment of the PC/SC event. */
  removed(reader) { return this.noticed(`remove ${reader}`, 'Card Removed From'); }
  inserted(reader) { return this.noticed(`insert ${reader}`, 'Card inserted into'); }
  async noticed(command, words) {
    const log = path.join(this.folder, 'pcscd.log');
    const from = fs.statSync(log).size;
    await this.say(command);
    await until(words, () => fs.readFileSync(log).subarray(from).includes(words), 5000);
  }
  async isInserted(reader) { return (await this.say(`counts ${reader}`)).endsWith('inserted=yes'); }
  async signatures(reader) { return Number((await this.say(`counts ${reader}`)).match(/signatures=(\d+)/)[1]); }

  /** Which readers hold a card, as pcscd says. */
  async cards() {
    const { stdout } = await run('opensc-tool', ['--list-readers'], { env: { ...process.env, ...this.env } });
    return stdout.split('\n').filter((line) => /^\d/.test(line)).map((line) => /^\d+\s+Yes/.test(line));
  }
  seen(cards) {
    return until(`pcscd to see ${cards}`, async () => JSON.stringify(await this.cards()) === JSON.stringify(cards), 5000);
  }

  format(reader, person) {
    return run(path.join(root, 'tests/card/format_card'), [String(reader), this.token(reader)],
      { env: { ...process.env, ...this.env, TOKEN_PERSON: person, TOKEN_LABEL: `Card ${reader}` } });
  }
  /** Holds ca.pem and the certificates of the card in this reader. */
  token(reader) { return path.join(this.home, `card${reader}`); }

  async stop() {
    this.process?.stdin.end();
    await this.ended;
    fs.rmSync(this.home, { recursive: true, force: true });
  }
}

module.exports = { Readers };
