// As much of DER as the portal needs to look into what it gets, and to put what the openssl command made into the words of
// Kazakhstan's keys. Strict: whatever does not end where it says is refused.
'use strict';

class Malformed extends Error {}

/** The element at the start of `octets`. */
function element(octets) {
  if (octets.length < 2) throw new Malformed('an element ends early');
  let [, length] = octets;
  let head = 2;
  if (length >= 0x80) {
    const size = length & 0x7f;
    head += size;
    if (size < 1 || size > 4 || octets.length < head) throw new Malformed('no definite length');
    length = octets.readUIntBE(2, size);
  }
  if (octets.length < head + length) throw new Malformed('an element ends early');
  return { tag: octets[0], content: octets.subarray(head, head + length), octets: octets.subarray(0, head + length) };
}

/** The elements that `content` consists of. */
function children(content) {
  const found = [];
  for (let rest = content; rest.length > 0; rest = rest.subarray(found.at(-1).octets.length)) found.push(element(rest));
  return found;
}

/** The one element that `octets` are. */
function whole(octets) {
  const found = element(octets);
  if (found.octets.length !== octets.length) throw new Malformed('something follows the end');
  return found;
}

function encode(tag, ...parts) {
  const content = Buffer.concat(parts);
  if (content.length < 0x80) return Buffer.concat([Buffer.from([tag, content.length]), content]);
  const length = Buffer.from(content.length.toString(16).replace(/^(.(..)*)$/, '0$1'), 'hex');
  return Buffer.concat([Buffer.from([tag, 0x80 | length.length]), length, content]);
}

function base128(number) {
  const digits = [number & 0x7f];
  for (let rest = number >> 7; rest > 0; rest >>= 7) digits.unshift((rest & 0x7f) | 0x80);
  return digits;
}

/** OBJECT IDENTIFIER, from its dotted form. */
function oid(dotted) {
  const [first, second, ...rest] = dotted.split('.').map(Number);
  return encode(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

/** PEM to DER, where it is PEM; anything else is taken for DER. */
function fromPem(octets) {
  const text = octets.toString('latin1');
  if (!text.includes('-----BEGIN')) return octets;
  const [, body] = text.match(/-----BEGIN [A-Z0-9 ]+-----([^-]*)-----END/) ?? [undefined, ''];
  return Buffer.from(body, 'base64');
}

const toPem = (label, octets) => `-----BEGIN ${label}-----\n${octets.toString('base64').replace(/(.{64})(?=.)/g, '$1\n')}\n-----END ${label}-----\n`;

module.exports = { Malformed, children, element, encode, fromPem, oid, toPem, whole };
