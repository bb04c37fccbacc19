// A state body that publishes its catalogue of services: a key and a certificate of its own, and the person's computer
// told to believe it.
'use strict';

const { execFileSync, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { build, root } = require('./daemon.cjs');

const password = 'Publisher1';
const sample = fs.readFileSync(path.join(root, 'tests/data/services/sample.toml'), 'utf8');

class Publisher {
  /** Makes the key; nobody believes it before `introduce`. */
  constructor(daemon, name = 'publisher') {
    this.daemon = daemon;
    this.name = name;
    this.config = path.join(daemon.home, '.config/tamga');
    this.folder = path.join(daemon.home, name);
    fs.mkdirSync(this.folder, { recursive: true });
    const openssl = (...args) => execFileSync('openssl', args, { cwd: this.folder, stdio: ['ignore', 'pipe', 'pipe'] });
    openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30', '-keyout', 'key.pem',
      '-out', 'certificate.pem', '-subj', `/C=KZ/CN=${name}`, '-addext', 'extendedKeyUsage=emailProtection');
    openssl('pkcs12', '-export', '-in', 'certificate.pem', '-inkey', 'key.pem', '-out', 'key.p12', '-passout', `pass:${password}`);
  }

  file(name) { return path.join(this.folder, name); }
  /** Where the daemon looks for catalogues. */
  get place() { return path.join(this.config, 'services.d/sample.services'); }

  introduce(body = 'sample-body') {
    const folder = path.join(this.config, 'publishers.d');
    fs.mkdirSync(folder, { recursive: true });
    fs.copyFileSync(this.file('certificate.pem'), path.join(folder, `${this.name}.pem`));
    fs.writeFileSync(path.join(folder, `${this.name}.toml`), `[[publisher]]\nbody = "${body}"\ncertificate = "${this.name}.pem"\n`
      + 'name = { kk = "Үлгі орган", ru = "Орган-образец", en = "Sample body" }\n');
  }

  /** `tamga services sign`: its exit code and words; the file is `output`. */
  sign(text = sample, output = this.file('sample.services')) {
    fs.writeFileSync(this.file('text.toml'), text);
    const { status, stdout } = spawnSync(path.join(build, 'bin/tamga'),
      ['--language', 'en', 'services', 'sign', this.file('text.toml'), '--key', this.file('key.p12'), '--output', output],
      { env: { PATH: process.env.PATH, HOME: this.daemon.home }, encoding: 'utf8', input: `${password}\n` });
    return { status, words: stdout, file: output };
  }

  /** Puts it where the daemon looks, in one step. */
  publish(text = sample) {
    const { status, words, file } = this.sign(text);
    if (status !== 0) throw new Error(words);
    this.put(fs.readFileSync(file));
  }
  put(octets) {
    fs.mkdirSync(path.dirname(this.place), { recursive: true });
    fs.writeFileSync(`${this.place}.new`, octets, { mode: 0o600 });
    fs.renameSync(`${this.place}.new`, this.place);
  }
}

module.exports = { Publisher, password, sample };
