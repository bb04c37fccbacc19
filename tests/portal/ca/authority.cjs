// The authority behind the portal: a root, an issuer below it, an OCSP responder and a time-stamp service, of RSA or of
// Kazakhstan's GOST keys. The openssl command issues everything; ../national.cjs puts the GOST kind into national words.
// Time-stamps are answered by the tests' service, with this authority's key.
'use strict';

const { execFile } = require('node:child_process');
const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const { children, encode, fromPem, toPem, whole } = require('../der.cjs');
const { atWorkbench } = require('../openssl.cjs');
const { signedAnew, toRussian } = require('../national.cjs');

const build = process.env.TAMGA_BUILD || path.resolve(__dirname, '../../../build/dev');

/** Of a kind of keys: how openssl makes one, and which digest it signs. */
const kinds = {
  rsa: { label: 'RSA', key: ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'], digest: '-sha256' },
  gost512: { label: 'GOST', key: ['-algorithm', 'gost2012_512', '-pkeyopt', 'paramset:A'], digest: '-md_gost12_512' },
};

const offices = {
  root: ['НЕГІЗГІ КУӘЛАНДЫРУШЫ ОРТАЛЫҚ ТЕСТ', 'root', 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign'],
  issuer: ['ҰЛТТЫҚ КУӘЛАНДЫРУШЫ ОРТАЛЫҚ ТЕСТ', 'root', 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign'],
  timestamps: ['TIME-STAMPING AUTHORITY TEST', 'issuer', 'basicConstraints=CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=critical,timeStamping'],
  ocsp: ['OCSP RESPONDER TEST', 'issuer', 'basicConstraints=CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=OCSPSigning\nnoCheck=ignored'],
};

/** What a certificate of the NCA says its key is for, and of whom it says it. */
const purposes = {
  authentication: ['digitalSignature,keyEncipherment', 'clientAuth'],
  signature: ['digitalSignature,nonRepudiation', 'emailProtection'],
  both: ['digitalSignature,nonRepudiation,keyEncipherment', 'clientAuth,emailProtection'],
};
const roleOids = {
  individual: '1.2.398.3.3.4.1.1',
  head: '1.2.398.3.3.4.1.2,1.2.398.3.3.4.1.2.1',
  signatory: '1.2.398.3.3.4.1.2,1.2.398.3.3.4.1.2.2',
  personnel_officer: '1.2.398.3.3.4.1.2,1.2.398.3.3.4.1.2.4',
  employee: '1.2.398.3.3.4.1.2,1.2.398.3.3.4.1.2.5',
};

const quoted = (text) => text.replace(/[\\/+=]/g, '\\$&');
/** As the NCA names people: CN, SURNAME, IIN, C, and of an organisation O and OU. */
const subjectOf = ({ name, surname, iin, bin, organisation }) => [`/CN=${quoted(name)}`, surname && `/SN=${quoted(surname)}`,
  `/serialNumber=IIN${iin}`, '/C=KZ', organisation && `/O=${quoted(organisation)}`, bin && `/OU=BIN${bin}`].filter(Boolean).join('');

class Authority {
  /** Opens the authority in `folder`, making it first where it is not there. Takes a second or two then. */
  static async open(kind, folder) {
    const authority = new Authority();
    Object.assign(authority, { kind, folder, ...kinds[kind] });
    if (!fs.existsSync(authority.path('complete'))) {
      fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
      for (const office of Object.keys(offices)) await authority.#found(office);
      fs.writeFileSync(authority.path('complete'), '');
    }
    return authority;
  }

  path(name) { return path.join(this.folder, name); }
  /** Certificate of an office, DER. */
  certificate(office) { return fromPem(fs.readFileSync(this.path(`${office}.pem`))); }

  async #found(office) {
    const [name, issuer, extensions] = offices[office];
    await atWorkbench(async (bench) => {
      await bench.openssl('genpkey', ...this.key, '-out', this.path(`${office}.key`));
      const publicKey = await bench.openssl('pkey', '-in', this.path(`${office}.key`), '-pubout');
      const der = await this.#certify(bench, issuer === office ? undefined : issuer, office,
        { subject: `/C=KZ/CN=${name} (${this.label})`, publicKey, extensions, days: 3650 });
      fs.writeFileSync(this.path(`${office}.pem`), toPem('CERTIFICATE', der));
    });
  }

  /** A certificate signed by `issuer`, or by the office itself. `publicKey` is PEM in the words of gost-engine. */
  async #certify(bench, issuer, office, { subject, publicKey, extensions, days }) {
    const key = this.path(`${issuer ?? office}.key`);
    const extfile = bench.file('extensions', `${extensions}\nsubjectKeyIdentifier=hash\n${issuer ? 'authorityKeyIdentifier=keyid\n' : ''}`);
    await bench.openssl('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', 'any.key');
    await bench.openssl('req', '-new', '-utf8', '-key', 'any.key', '-subj', subject, '-out', 'named.csr');
    const signing = issuer ? ['-CA', bench.file('issuer.pem', this.#russian(issuer)), '-CAkey', key] : ['-signkey', key];
    const forced = issuer ? ['-force_pubkey', bench.file('public.pem', publicKey)] : [];
    const made = fromPem(await bench.openssl('x509', '-req', '-in', 'named.csr', ...forced, ...signing, this.digest, '-days', String(days),
      '-set_serial', `0x${crypto.randomBytes(19).toString('hex').replace(/^./, '1')}`, '-extfile', extfile));
    return this.kind === 'rsa' ? made : signedAnew(bench, key, made);
  }

  /** An office's certificate as the openssl command reads it. */
  #russian(office) { return toPem('CERTIFICATE', toRussian(this.certificate(office))); }

  /**
   * A certificate as the NCA issues them.
   * @param owner      { name, surname, iin, bin, organisation, role }
   * @param purpose    authentication, signature or both
   * @param publicKey  PEM in the words of gost-engine
   */
  issue(owner, purpose, publicKey, days = 365) {
    const [keyUsage, usage] = purposes[purpose];
    const extensions = `basicConstraints=CA:FALSE\nkeyUsage=critical,${keyUsage}\nextendedKeyUsage=${usage},${roleOids[owner.role]}`;
    return atWorkbench((bench) => this.#certify(bench, 'issuer', undefined, { subject: subjectOf(owner), publicKey, extensions, days }));
  }

  /** The list of what is revoked. @param revoked  [{ serial: hex, at: s since 1970 }] */
  revocationList(revoked) {
    return atWorkbench(async (bench) => {
      const config = bench.file('ca.cnf', `[ca]\ndefault_ca=it\n[it]\ndatabase=${bench.file('index', index(revoked))}\ndefault_md=sha256\ndefault_crl_days=1\n`);
      const made = fromPem(await bench.openssl('ca', '-engine', 'gost', '-config', config, '-gencrl', '-keyfile', this.path('issuer.key'),
        '-cert', bench.file('issuer.pem', this.#russian('issuer')), '-md', this.digest.slice(1)));
      return this.kind === 'rsa' ? made : signedAnew(bench, this.path('issuer.key'), made);
    });
  }

  /** The answer to an OCSP query. @param known  every certificate that was issued: [{ serial, at: when revoked, if it was }] */
  answerOcsp(query, known) {
    return atWorkbench(async (bench) => {
      await bench.openssl('ocsp', '-index', bench.file('index', index(known)), '-CA', bench.file('issuer.pem', this.#russian('issuer')),
        '-rsigner', bench.file('ocsp.pem', this.#russian('ocsp')), '-rkey', this.path('ocsp.key'), '-ndays', '1',
        ...(this.kind === 'rsa' ? [] : ['-rmd', 'md_gost12_512']), '-reqin', bench.file('query', query), '-respout', 'answer');
      return this.kind === 'rsa' ? bench.read('answer') : this.#nationalOcsp(bench, bench.read('answer'));
    });
  }

  /** The same OCSP answer with national words in its signature, and the responder's certificate as it is. */
  async #nationalOcsp(bench, answer) {
    const [status, tagged] = children(whole(answer).content);
    if (!tagged) return answer;
    const [type, basic] = children(whole(tagged.content).content);
    const certificates = encode(0xa0, encode(0x30, this.certificate('ocsp')));
    const anew = await signedAnew(bench, this.path('ocsp.key'), basic.content, certificates);
    return encode(0x30, status.octets, encode(0xa0, encode(0x30, type.octets, encode(0x04, anew))));
  }

  /** The time-stamp service's answer to a query (RFC 3161). */
  answerTimestamp(query) {
    return new Promise((resolve, reject) => {
      const child = execFile(path.join(build, 'bin/tamga-test-services'), [this.kind, this.folder, 'timestamp'],
        { encoding: 'buffer', timeout: 30_000 }, (failure, stdout) => (failure ? reject(failure) : resolve(stdout)));
      child.stdin.on('error', () => {}); // it ended without reading: the exit code says so
      child.stdin.end(query);
    });
  }
}

const stamp = (seconds) => `${new Date(seconds * 1000).toISOString().replace(/[-:T]/g, '').slice(2, 14)}Z`;
/** What openssl knows of certificates: its index.txt. */
const index = (known) => known.map(({ serial, at }) => `${[at ? 'R' : 'V', '491231235959Z', at ? stamp(at) : '',
  serial.toUpperCase().replace(/^(.(..)*)$/, '0$1'), 'unknown', `/CN=${serial}`].join('\t')}\n`).join('');

module.exports = { Authority, kinds, roleOids };
