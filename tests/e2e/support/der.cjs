// As much of DER as it takes to find something in a CMS without any code of ours.
'use strict';

/** The DER element at the start of `octets`: its tag, content and all of its octets. */
function element(octets) {
  let length = octets[1];
  let head = 2;
  if (length > 0x80) {
    head += length & 0x7f;
    length = Number(`0x${octets.subarray(2, head).toString('hex')}`);
  }
  return { tag: octets[0], content: octets.subarray(head, head + length), octets: octets.subarray(0, head + length) };
}

function children(content) {
  const found = [];
  for (let rest = content; rest.length > 0; rest = rest.subarray(found.at(-1).octets.length)) found.push(element(rest));
  return found;
}

/** Each signer's signature and the time-stamp tokens on it. */
function timestampsOf(cms) {
  const signedData = children(children(element(cms).content)[1].content)[0];
  return children(children(signedData.content).at(-1).content).map((signer) => {
    const members = children(signer.content);
    const unsigned = members.find(({ tag }) => tag === 0xa1);
    const attributes = unsigned ? children(unsigned.content) : [];
    const stamps = attributes.filter((attribute) => children(attribute.content)[0].octets.equals(Buffer.from('060b2a864886f70d010910020e', 'hex')));
    return {
      value: members.findLast(({ tag }) => tag === 0x04).content,
      tokens: stamps.map((attribute) => children(children(attribute.content)[1].content)[0].octets),
    };
  });
}

module.exports = { children, element, timestampsOf };
