// Judges GOST signatures without any code of ours: the openssl command with gost-engine hashes and verifies, and only what
// Kazakhstan names differently is put into Russia's words here.
'use strict';

const { execFileSync } = require('node:child_process');
const path = require('node:path');
const { root, scratch } = require('./daemon.cjs');
const { children, element } = require('./der.cjs');

const environment = { ...process.env, OPENSSL_CONF: path.join(root, 'tests/data/gost.cnf') };
const openssl = (...args) => execFileSync('openssl', args, { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });

function digest(daemon, bits, octets) {
  return openssl('dgst', `-md_gost12_${bits}`, '-binary', scratch(daemon, 'gost.octets', octets));
}

/** Throws where `value` (r || s, little-endian) is no signature of the key over `octets`. */
function verifyValue(daemon, name, bits, octets, value) {
  const hashed = scratch(daemon, 'gost.digest', digest(daemon, bits, octets));
  const reversed = scratch(daemon, 'gost.value', Buffer.from(value).reverse());
  openssl('pkeyutl', '-verify', '-pubin', '-inkey', path.join(daemon.token, `${name}-public.pem`), '-in', hashed, '-sigfile', reversed);
}

/** Verifies the only signer of a CMS over `content`; throws where anything does not fit. */
function verifyGostCms(daemon, name, bits, cms, content) {
  const signedData = children(children(element(cms).content)[1].content)[0];
  const signer = children(children(signedData.content).at(-1).content)[0];
  const [, , digestAlgorithm, attributes, signatureAlgorithm, value] = children(signer.content);
  const messageDigest = children(attributes.content).find((attribute) => attribute.octets.includes(Buffer.from('06092a864886f70d010904', 'hex')));
  const hashed = children(children(messageDigest.content)[1].content)[0].content;
  if (!hashed.equals(digest(daemon, bits, content))) throw new Error('messageDigest');
  const signed = Buffer.from(attributes.octets);
  signed[0] = 0x31; // SET OF, as it is signed (RFC 5652 section 5.4)
  verifyValue(daemon, name, bits, signed, value.content);
  return { digestAlgorithm: digestAlgorithm.octets.toString('hex'), signatureAlgorithm: signatureAlgorithm.octets.toString('hex') };
}

/** Verifies XML with an enveloped signature over the whole document, which has no namespaces but the signature's. */
function verifyGostXml(daemon, name, bits, xml) {
  const body = xml.slice(xml.indexOf('?>') + 2).trimStart();
  const [signature] = body.match(/<ds:Signature .*<\/ds:Signature>/s);
  const canonical = (text) => execFileSync('xmllint', ['--c14n', scratch(daemon, 'gost.xml', text)]);
  const [, expected] = signature.match(/<ds:DigestValue>(.*)<\/ds:DigestValue>/);
  if (digest(daemon, bits, canonical(body.replace(signature, ''))).toString('base64') !== expected) throw new Error('DigestValue');
  const signedInfo = signature.match(/<ds:SignedInfo>.*<\/ds:SignedInfo>/s)[0]
    .replace('<ds:SignedInfo>', '<ds:SignedInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#">');
  const [, value] = signature.match(/<ds:SignatureValue>(.*)<\/ds:SignatureValue>/);
  verifyValue(daemon, name, bits, canonical(signedInfo), Buffer.from(value, 'base64'));
}

module.exports = { digest, verifyGostCms, verifyGostXml, verifyValue };
