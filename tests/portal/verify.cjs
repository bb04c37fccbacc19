// Judges every signature that the portal receives, with the openssl command and xmlsec1. Rejects with Refused, whose
// `reason` is a key of texts.cjs; nothing is believed of what was refused.
'use strict';

const crypto = require('node:crypto');
const fs = require('node:fs');
const { Malformed, children, encode, fromPem, oid, toPem, whole } = require('./der.cjs');
const national = require('./national.cjs');
const { ToolFailed, atWorkbench } = require('./openssl.cjs');

class Refused extends Error {
  constructor(reason, detail = '') {
    super(`${reason}${detail && `: ${detail}`}`);
    Object.assign(this, { reason, detail });
  }
}

/** What `work` says is wrong with what came from outside becomes a Refused with this reason. */
async function refusing(reason, work) {
  try { return await work(); } catch (failure) {
    if (failure instanceof ToolFailed || failure instanceof Malformed) throw new Refused(reason, failure.message);
    throw failure;
  }
}

const sha256 = (octets) => crypto.createHash('sha256').update(octets).digest('hex');

/** The members of a certificate that are looked at here: DER elements. */
function parts(certificate) {
  const [signed] = children(whole(certificate).content);
  const members = children(signed.content);
  const [serial, , issuer, , subject, publicKey] = members[0].tag === 0xa0 ? members.slice(1) : members;
  return { serial, issuer: issuer.octets, subject: subject.octets, publicKey: publicKey.octets };
}

const roles = [['1.2.1', 'head'], ['1.2.2', 'signatory'], ['1.2.3', 'financial_signatory'], ['1.2.4', 'personnel_officer'],
  ['1.2.5', 'employee'], ['1.1', 'individual']].map(([arc, role]) => [`1.2.398.3.3.4.${arc}`, role]);

/** Whose certificate it is, what for, and until when: read by openssl. @param certificate DER */
function describe(certificate) {
  return refusing('certificate_malformed', () => atWorkbench(async (bench) => {
    const printed = (await bench.openssl('x509', '-inform', 'DER', '-in', bench.file('certificate', certificate), '-noout', '-subject', '-nameopt',
      'multiline,utf8,-esc_msb', '-serial', '-startdate', '-enddate', '-ext', 'extendedKeyUsage')).toString();
    const all = (name) => [...printed.matchAll(new RegExp(`^ +${name} += (.*)$`, 'gm'))].map(([, value]) => value);
    const only = (values) => (values.length === 1 ? values[0] : undefined);
    const number = (name, prefix) => only(all(name).filter((value) => value.startsWith(prefix)))?.match(/^[A-Z]{3}(\d{12})$/)?.[1];
    const time = (name) => Date.parse(printed.match(new RegExp(`^${name}=(.*)$`, 'm'))[1]) / 1000;
    const usages = printed.split('Extended Key Usage:')[1]?.trim().split(/, |\n/) ?? [];
    return {
      name: only(all('commonName')) ?? '', iin: number('serialNumber', 'IIN'), bin: number('organizationalUnitName', 'BIN'),
      serial: printed.match(/^serial=(.*)$/m)[1].toLowerCase().replace(/^0+(?=.)/, ''),
      notBefore: time('notBefore'), notAfter: time('notAfter'),
      signsIn: usages.includes('TLS Web Client Authentication'), signs: usages.includes('E-mail Protection'),
      roles: roles.filter(([arc]) => usages.includes(arc)).map(([, role]) => role),
      national: national.bitsOf(parts(certificate).publicKey), sha256: sha256(certificate), der: certificate,
    };
  }));
}

class Judge {
  /**
   * @param options.authorities  certificates to trust, DER
   * @param options.now          s since 1970
   * @param options.revoked      whether the portal's authority revoked the certificate that `describe` told of
   */
  constructor({ authorities, now, revoked }) { Object.assign(this, { authorities, now, revoked }); }

  #bundle(bench) {
    const readable = this.authorities.filter((each) => !national.bitsOf(parts(each).publicKey));
    return bench.file('trusted.pem', readable.map((each) => toPem('CERTIFICATE', each)).join(''));
  }

  /** Describes a certificate that is valid now: issued by somebody we trust, in its time, not revoked. */
  async certificate(der) {
    const described = await describe(der);
    if (this.now() < described.notBefore || this.now() > described.notAfter) throw new Refused('certificate_expired');
    await refusing('certificate_untrusted', () => atWorkbench((bench) => this.#chain(bench, der)));
    if (this.revoked(described)) throw new Refused('certificate_revoked');
    return described;
  }

  async #chain(bench, der) {
    const issuer = this.authorities.find((each) => parts(each).subject.equals(parts(der).issuer));
    if (!issuer) throw new Malformed('nobody we know issued it');
    if (national.bitsOf(parts(issuer).publicKey)) return national.verifySigned(bench, parts(issuer).publicKey, der);
    return bench.openssl('verify', '-CAfile', this.#bundle(bench), '-attime', String(this.now()), bench.file('leaf.pem', toPem('CERTIFICATE', der)));
  }

  /** A signature over octets, as `authenticate` of tamga.v1 makes it. Gives the signer. */
  async value(octets, value, certificate) {
    const signer = await this.certificate(certificate);
    await refusing('signature_invalid', () => atWorkbench(async (bench) => {
      if (signer.national) return national.verifyValue(bench, parts(certificate).publicKey, octets, value);
      const key = await bench.openssl('x509', '-inform', 'DER', '-in', bench.file('certificate', certificate), '-noout', '-pubkey');
      return bench.openssl('dgst', '-sha256', '-verify', bench.file('key', key), '-signature', bench.file('value', value), bench.file('octets', octets));
    }));
    return signer;
  }

  /** An attached CMS with one signer. Gives { content, signer }. @param octets DER or PEM */
  async cms(octets) {
    const der = fromPem(octets);
    const { content, certificate } = await refusing('signature_invalid', () => atWorkbench((bench) => (
      this.#nationalSigner(der) ? this.#nationalCms(bench, der) : this.#plainCms(bench, der))));
    return { content, signer: await this.certificate(certificate) };
  }

  async #plainCms(bench, der) {
    await bench.openssl('cms', '-verify', '-cades', '-binary', '-inform', 'DER', '-in', bench.file('cms', der), '-CAfile', this.#bundle(bench),
      '-attime', String(this.now()), '-purpose', 'any', '-signer', 'signer', '-out', 'content');
    const signers = bench.read('signer').toString();
    if (signers.match(/-----BEGIN/g)?.length !== 1) throw new Malformed('not one signer');
    return { content: bench.read('content'), certificate: fromPem(Buffer.from(signers)) };
  }

  /** The SignerInfo of the one signer, where its digest is one of Kazakhstan's. */
  #nationalSigner(der) {
    const { infos } = signedData(der);
    return infos.length === 1 && [512, 256].some((bits) => infos[0].digest.equals(digestOid[bits]));
  }

  async #nationalCms(bench, der) {
    const { content, certificates, infos: [signer] } = signedData(der);
    const certificate = certificates.find((each) => encode(0x30, parts(each).issuer, parts(each).serial.octets).equals(signer.identifier));
    if (!certificate || !content) throw new Malformed('its certificate or its content is not there');
    const { publicKey } = parts(certificate);
    const bits = national.bitsOf(publicKey);
    if (!bits || !signer.digest.equals(digestOid[bits])) throw new Malformed('another digest than the key\'s');
    const attribute = (name) => {
      const found = children(signer.attributes.content).map(({ content: each }) => children(each)).filter(([type]) => type.octets.equals(oid(name)));
      if (found.length !== 1) throw new Malformed(`not one attribute ${name}`);
      return children(found[0][1].content)[0];
    };
    if (!attribute('1.2.840.113549.1.9.4').content.equals(await national.digest(bench, bits, content))) throw new Malformed('another content was signed');
    // SigningCertificateV2, whose digest is SHA-256 where it names none: the CAdES part.
    const [[named]] = [children(children(children(attribute('1.2.840.113549.1.9.16.2.47').content)[0].content)[0].content)];
    if (named.content.toString('hex') !== sha256(certificate)) throw new Malformed('another certificate was meant');
    const signed = Buffer.from(signer.attributes.octets);
    signed[0] = 0x31; // SET OF, as it is signed (RFC 5652, 5.4)
    await national.verifyValue(bench, publicKey, signed, signer.value);
    return { content, certificate };
  }

  /** XML with an enveloped signature over the whole document. Gives { signer }; `formed` is what was to be signed. */
  async xml(text, formed) {
    const signatures = text.match(/<ds:Signature[ >].*?<\/ds:Signature>/gs) ?? [];
    const [certificate, ...others] = [...(signatures[0] ?? '').matchAll(/<ds:X509Certificate>([^<]*)</g)].map(([, each]) => Buffer.from(each, 'base64'));
    const references = [...(signatures[0] ?? '').matchAll(/<ds:Reference[^>]*>/g)].map(([each]) => each);
    if (signatures.length !== 1 || others.length || references.length !== 1 || !/ URI=""/.test(references[0])) throw new Refused('signature_invalid', 'not one signature over the whole');
    await refusing('signature_invalid', () => atWorkbench(async (bench) => {
      const canonical = (name, octets) => bench.run('xmllint', '--nonet', '--c14n', bench.file(name, octets));
      const bare = await canonical('bare.xml', text.replace(signatures[0], ''));
      if (!bare.equals(await canonical('formed.xml', formed))) throw new Malformed('another document was signed');
      if (national.bitsOf(parts(certificate).publicKey)) return this.#nationalXml(bench, signatures[0], bare, parts(certificate).publicKey, canonical);
      const trusted = this.authorities.filter((each) => !national.bitsOf(parts(each).publicKey))
        .flatMap((each, at) => ['--trusted-pem', bench.file(`trusted-${at}.pem`, toPem('CERTIFICATE', each))]);
      return bench.run('xmlsec1', '--verify', '--enabled-key-data', 'x509', ...trusted, bench.file('signed.xml', text));
    }));
    return { signer: await this.certificate(certificate) };
  }

  /** xmlsec1 knows no GOST: openssl hashes and verifies what xmllint makes canonical. */
  async #nationalXml(bench, signature, bare, publicKey, canonical) {
    const [, expected] = signature.match(/<ds:DigestValue>(.*)<\/ds:DigestValue>/) ?? [];
    if ((await national.digest(bench, national.bitsOf(publicKey), bare)).toString('base64') !== expected) throw new Malformed('DigestValue');
    const [signedInfo] = signature.match(/<ds:SignedInfo>.*<\/ds:SignedInfo>/s) ?? [''];
    const [, value] = signature.match(/<ds:SignatureValue>(.*)<\/ds:SignatureValue>/) ?? ['', ''];
    const octets = await canonical('info.xml', signedInfo.replace('<ds:SignedInfo>', '<ds:SignedInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#">'));
    return national.verifyValue(bench, publicKey, octets, Buffer.from(value, 'base64'));
  }

  /** OpenSSL 3.0 ends with 0 whether the signature is good or not: only its words tell. */
  async #selfSigned(bench, file) {
    const { stderr } = await bench.both('openssl', 'req', '-inform', 'DER', '-in', file, '-verify', '-noout');
    if (!/verify OK/.test(stderr)) throw new Malformed(stderr);
  }

  /** A certification request (PKCS#10, DER or PEM), signed by its own key. Gives { der, publicKey, iin, bin }. */
  async request(octets) {
    const der = fromPem(octets);
    return refusing('request_invalid', () => atWorkbench(async (bench) => {
      const [info] = children(whole(der).content);
      const publicKeyInfo = children(info.content)[2].octets;
      const file = bench.file('request', der);
      if (national.bitsOf(publicKeyInfo)) await national.verifySigned(bench, publicKeyInfo, der);
      else await this.#selfSigned(bench, file);
      const subject = (await bench.openssl('req', '-inform', 'DER', '-in', file, '-noout', '-subject', '-nameopt', 'multiline,utf8,-esc_msb')).toString();
      const number = (name, prefix) => subject.match(new RegExp(`^ +${name} += ${prefix}(\\d{12})$`, 'm'))?.[1];
      return {
        der, publicKey: national.publicKeyPem(publicKeyInfo), publicKeySha256: sha256(publicKeyInfo), sha256: sha256(der),
        iin: number('serialNumber', 'IIN'), bin: number('organizationalUnitName', 'BIN'), algorithm: national.bitsOf(publicKeyInfo) ? 'gost512' : 'rsa',
      };
    }));
  }
}

const digestOid = { 512: oid('1.2.398.3.10.1.3.3'), 256: oid('1.2.398.3.10.1.3.2') };

/** The members of a CMS SignedData that are looked at here. */
function signedData(der) {
  const [, tagged] = children(whole(der).content);
  const members = children(children(tagged.content)[0].content);
  const [, octetString] = children(members[2].content);
  const certificates = members.find(({ tag }) => tag === 0xa0);
  return {
    content: octetString && children(octetString.content)[0].content,
    certificates: certificates ? children(certificates.content).map(({ octets }) => octets) : [],
    infos: children(members.at(-1).content).map((info) => {
      const [, identifier, digest, attributes, , value] = children(info.content);
      return { identifier: identifier.octets, digest: children(digest.content)[0].octets, attributes, value: value.content };
    }),
  };
}

/** Certificates in a PEM or DER file, DER. */
function readCertificates(file) {
  const octets = fs.readFileSync(file);
  const found = octets.toString('latin1').match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g);
  return found ? found.map((pem) => fromPem(Buffer.from(pem))) : [octets];
}

module.exports = { Judge, Refused, describe, readCertificates, sha256 };
