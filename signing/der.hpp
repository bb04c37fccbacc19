// Reading and writing ASN.1 octets (ITU-T X.690) where the very octets matter: signed forms must be matched to the last
// octet, and present signers of a CMS must be carried over untouched. Everything else is left to OpenSSL.
#pragma once

#include "base/bytes.hpp"

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tamga::signing::der {

enum Tag : unsigned char {
    integer = 0x02,
    bit_string = 0x03,
    octet_string = 0x04,
    null = 0x05,
    object_identifier = 0x06,
    utc_time = 0x17,
    generalized_time = 0x18,
    constructed_octet_string = 0x24,
    sequence = 0x30,
    set = 0x31,
    context_0 = 0xa0,
    context_1 = 0xa1,
    primitive_0 = 0x80,
};

/// An element, borrowed from the octets it was read from.
struct Element {
    unsigned char tag = 0;
    View content;
    View octets; ///< tag, length and content (and end-of-contents where the length is indefinite)
};

/// Takes one BER element with a one-octet tag off the front of `rest`; nothing, and `rest` as it was, where there is
/// none. Indefinite lengths may nest 32 deep. Accepts all of DER.
std::optional<Element> take(View& rest);

/// The same, where the element has this tag.
std::optional<Element> take(View& rest, unsigned char tag);

/// Appends tag and length of an element whose content follows.
void append_header(Bytes& out, unsigned char tag, std::size_t length);

/// Octets of an element whose content has `length` of them.
[[nodiscard]] std::size_t element_size(std::size_t length) noexcept;

void append(Bytes& out, View octets);

/// The element of `parts` one behind the other.
[[nodiscard]] Bytes element(unsigned char tag, std::initializer_list<View> parts);

/// SET OF in DER order (X.690, section 11.6).
[[nodiscard]] Bytes set_of(unsigned char tag, std::vector<Bytes> members);

/// The members of a SET OF or SEQUENCE OF; nothing where something is left over that is no element.
[[nodiscard]] std::optional<std::vector<Element>> members(View content);

/// AlgorithmIdentifier.
[[nodiscard]] Bytes algorithm_identifier(std::string_view dotted, bool with_null);

/// The dotted form of an OBJECT IDENTIFIER's octets, tag and length included; empty where it is none.
[[nodiscard]] std::string dotted(View element);

/// Seconds since 1970 of a UTCTime or GeneralizedTime in UTC, fractions of a second left off; nothing where it is none.
[[nodiscard]] std::optional<std::int64_t> seconds(Element const& time);

/// OBJECT IDENTIFIER of a dotted one, which must be valid.
[[nodiscard]] Bytes oid(std::string_view dotted);

} // namespace tamga::signing::der
