// Kazakhstan's GOST keys for the openssl command: gost-engine knows the same curves and the same Streebog by Russia's
// names, and writes a signature in the other order of octets. So names are exchanged and octets reversed here; what is
// hashed, signed and verified is hashed, signed and verified by openssl.
'use strict';

const { children, encode, oid, toPem, whole } = require('./der.cjs');

/** [of Kazakhstan, of Russia] */
const names = [
  ['1.2.398.3.10.1.1.2.2', '1.2.643.7.1.1.1.2'], // keys of 512 bits, their curve, the signature, the digest
  ['1.2.398.3.10.1.1.2.2.1', '1.2.643.7.1.2.1.2.1'],
  ['1.2.398.3.10.1.1.2.3.2', '1.2.643.7.1.1.3.3'],
  ['1.2.398.3.10.1.3.3', '1.2.643.7.1.1.2.3'],
  ['1.2.398.3.10.1.1.2.1', '1.2.643.7.1.1.1.1'], // and of 256
  ['1.2.398.3.10.1.1.2.1.1', '1.2.643.7.1.2.1.1.1'],
  ['1.2.398.3.10.1.1.2.3.1', '1.2.643.7.1.1.3.2'],
  ['1.2.398.3.10.1.3.2', '1.2.643.7.1.1.2.2'],
].map((pair) => pair.map(oid));

const replacements = (from, to) => new Map(names.map((pair) => [pair[from].toString('hex'), pair[to]]));
const toTheirs = replacements(0, 1);
const toOurs = replacements(1, 0);

/** The same elements with other names in them. What lies in an OCTET STRING or a BIT STRING stays. */
function renamed(octets, table) {
  return Buffer.concat(children(octets).map(({ tag, content, octets: all }) => {
    if (tag & 0x20) return encode(tag, renamed(content, table));
    return table.get(all.toString('hex')) ?? all;
  }));
}
const toRussian = (octets) => renamed(octets, toTheirs);
const toNational = (octets) => renamed(octets, toOurs);

/** 512, 256, or undefined where it names none of Kazakhstan's keys: a SubjectPublicKeyInfo. */
function bitsOf(publicKeyInfo) {
  const [algorithm] = children(whole(publicKeyInfo).content);
  const named = children(algorithm.content)[0].octets;
  if (named.equals(names[0][0])) return 512;
  return named.equals(names[4][0]) ? 256 : undefined;
}

/** A public key as the openssl command reads it. */
const publicKeyPem = (publicKeyInfo) => toPem('PUBLIC KEY', toRussian(publicKeyInfo));

const digest = (bench, bits, octets) => bench.openssl('dgst', `-md_gost12_${bits}`, '-binary', bench.file('hashed', octets));

/** Rejects where `value` (in Kazakhstan's order) is no signature by the key over `octets`. */
async function verifyValue(bench, publicKeyInfo, octets, value) {
  const hashed = bench.file('digest', await digest(bench, bitsOf(publicKeyInfo), octets));
  await bench.openssl('pkeyutl', '-verify', '-pubin', '-inkey', bench.file('key.pem', publicKeyPem(publicKeyInfo)), '-in', hashed,
    '-sigfile', bench.file('value', Buffer.from(value).reverse()));
}

/** The signature of the key in a PEM file, in Kazakhstan's order. */
async function signValue(bench, keyFile, octets) {
  const hashed = bench.file('digest', await digest(bench, 512, octets));
  return (await bench.openssl('pkeyutl', '-sign', '-inkey', keyFile, '-in', hashed)).reverse();
}

/** Certificates, lists of revoked ones, requests: SEQUENCE { what is signed, algorithm, BIT STRING }. */
function signedParts(octets) {
  const [signed, algorithm, value] = children(whole(octets).content);
  return { signed: signed.octets, algorithm: algorithm.octets, value: value.content.subarray(1) };
}

async function verifySigned(bench, publicKeyInfo, octets) {
  const { signed, value } = signedParts(octets);
  await verifyValue(bench, publicKeyInfo, signed, value);
}

/** What openssl signed with a key of 512 bits, in Kazakhstan's words and signed anew; `more` follows the signature. */
async function signedAnew(bench, keyFile, octets, ...more) {
  const { signed, algorithm } = signedParts(octets);
  const renamedOctets = toNational(signed);
  const value = await signValue(bench, keyFile, renamedOctets);
  return encode(0x30, renamedOctets, toNational(algorithm), encode(0x03, Buffer.from([0]), value), ...more);
}

module.exports = { bitsOf, digest, publicKeyPem, signValue, signedAnew, toRussian, verifySigned, verifyValue };
