#include "tests/support/russian_twin.hpp"

#include "signing/der.hpp"
#include "signing/digest.hpp"

#include <algorithm>
#include <map>

namespace tamga::test {

namespace {

namespace der = signing::der;

/// Elements by their octets, and what comes in their place.
using Replacements = std::map<Bytes, Bytes>;

Bytes rewritten(View elements, Replacements const& replacements) {
    static constexpr unsigned char constructed = 0x20;
    Bytes out;
    while (auto const element = der::take(elements)) {
        auto const replacement = replacements.find(to_bytes(element->octets));
        if (replacement != replacements.end()) {
            der::append(out, replacement->second);
        } else if ((element->tag & constructed) != 0) {
            der::append(out, der::element(element->tag, {rewritten(element->content, replacements)}));
        } else {
            der::append(out, element->octets);
        }
    }
    return out;
}

/// RFC 9337, 9215 and 4490: in a SignerInfo of Russia the key's identifier stands for the signature's.
Replacements russian_names() {
    static constexpr std::pair<char const*, char const*> names[] = {
        {"1.2.398.3.10.1.3.3", "1.2.643.7.1.1.2.3"},
        {"1.2.398.3.10.1.1.2.3.2", "1.2.643.7.1.1.1.2"},
        {"1.2.398.3.10.1.3.2", "1.2.643.7.1.1.2.2"},
        {"1.2.398.3.10.1.1.2.3.1", "1.2.643.7.1.1.1.1"},
    };
    Replacements replacements;
    for (auto const& [ours, theirs] : names)
        replacements[der::oid(ours)] = der::oid(theirs);
    return replacements;
}

} // namespace

SignerParts signer_parts(View cms) {
    auto rest = der::take(cms, der::sequence)->content;
    der::take(rest, der::object_identifier);
    rest = der::take(rest, der::context_0)->content;
    rest = der::take(rest, der::sequence)->content;
    View signers;
    while (auto const member = der::take(rest))
        signers = member->content;
    rest = der::take(signers, der::sequence)->content;
    der::take(rest, der::integer);
    der::take(rest, der::sequence);
    der::take(rest, der::sequence);
    auto attributes = to_bytes(der::take(rest, der::context_0)->octets);
    attributes[0] = der::set; // as it is signed (RFC 5652 section 5.4)
    der::take(rest, der::sequence);
    return {std::move(attributes), to_bytes(der::take(rest, der::octet_string)->content)};
}

Bytes russian_twin(View cms, TestKey const& signer, View twin_certificate) {
    auto replacements = russian_names();
    replacements[signer.certificate] = to_bytes(twin_certificate);
    replacements[der::element(der::octet_string, {signing::sha256(signer.certificate)})] =
        der::element(der::octet_string, {signing::sha256(twin_certificate)});
    auto const names = [](View certificate) {
        auto rest = der::take(certificate, der::sequence)->content;
        rest = der::take(rest, der::sequence)->content;
        der::take(rest, der::context_0);
        auto const serial_number = der::take(rest, der::integer)->octets;
        der::take(rest, der::sequence);
        return der::element(der::sequence, {der::take(rest, der::sequence)->octets, serial_number});
    };
    replacements[names(signer.certificate)] = names(twin_certificate);

    auto const unsigned_twin = rewritten(cms, replacements);
    auto const [attributes, old_value] = signer_parts(unsigned_twin);
    return rewritten(unsigned_twin, {{der::element(der::octet_string, {old_value}),
                                      der::element(der::octet_string, {signer.sign(attributes)})}});
}

} // namespace tamga::test
