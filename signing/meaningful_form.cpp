#include "signing/der.hpp"
#include "signing/to_be_signed.hpp"

#include <algorithm>

namespace tamga::signing {

namespace {

// Prefixes are looked for, not whole structures: a verifier that tolerates what is wrong further on must not find an
// accepting neighbour here. Only the elements that tell a form apart have to be there.

/// Enters the element at the front of `rest`, whatever its length says: a length too large for the octets is cut, and
/// an indefinite one reaches to their end.
bool enter(View& rest, unsigned char tag) {
    if (rest.size() < 2 || rest[0] != tag) return false;
    auto const first = rest[1];
    std::size_t const length_octets = first > 0x80 ? first & 0x7f : 0;
    if (length_octets > sizeof(std::size_t) || rest.size() < 2 + length_octets) return false;
    std::size_t length = first < 0x80 ? first : 0;
    for (std::size_t i = 0; i < length_octets; ++i)
        length = length << 8 | rest[2 + i];
    rest = rest.subspan(2 + length_octets);
    if (first != 0x80 && length < rest.size()) rest = rest.first(length);
    return true;
}

bool begins_with_oid(View rest) {
    auto const identifier = der::take(rest, der::object_identifier);
    return identifier && !identifier->content.empty();
}

/// SEQUENCE { INTEGER, Name, SEQUENCE { SEQUENCE { OID   (RFC 2986, section 4.1)
bool is_certification_request_info(View octets) {
    return enter(octets, der::sequence) && der::take(octets, der::integer) && der::take(octets, der::sequence) &&
           enter(octets, der::sequence) && enter(octets, der::sequence) && begins_with_oid(octets);
}

/// SEQUENCE { [0] version or none, INTEGER, SEQUENCE { OID ... }, Name   (RFC 5280, section 4.1)
bool is_tbs_certificate(View octets) {
    if (!enter(octets, der::sequence)) return false;
    der::take(octets, der::context_0);
    if (!der::take(octets, der::integer)) return false;
    auto const algorithm = der::take(octets, der::sequence);
    return algorithm && begins_with_oid(algorithm->content) && enter(octets, der::sequence);
}

std::string_view without(std::string_view text, std::string_view end) {
    auto const at = text.find(end);
    return at == std::string_view::npos ? std::string_view{} : text.substr(at + end.size());
}

/// The text from its first element on: no byte order mark, white space, declaration, comment or DOCTYPE.
std::string_view from_first_element(std::string_view text) {
    static constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
    if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
    for (;;) {
        text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
        if (text.starts_with("<!--")) {
            text = without(text, "-->");
        } else if (text.starts_with("<?")) {
            text = without(text, "?>");
        } else if (text.starts_with("<!")) {
            text = without(text, ">");
        } else {
            return text;
        }
    }
}

bool is_signed_info(std::string_view text) {
    text = from_first_element(text);
    if (!text.starts_with('<')) return false;
    auto name = text.substr(1, text.find_first_of(" \t\r\n/>", 1) - 1);
    if (auto const colon = name.find(':'); colon != std::string_view::npos) name.remove_prefix(colon + 1);
    return name == "SignedInfo";
}

/// What a client signs to log in over TLS: 64 spaces and "TLS 1.3, client CertificateVerify" (RFC 8446, section 4.4.3;
/// all that may come after the spaces), before that the handshake from its ClientHello on (RFC 5246, section 7.4.8).
bool is_tls_client_proof(View octets) {
    constexpr std::size_t spaces = 64;
    auto const is_space = [](unsigned char octet) { return octet == 0x20; };
    if (octets.size() > spaces && std::all_of(octets.begin(), octets.begin() + spaces, is_space)) return true;
    constexpr unsigned char client_hello = 1;
    constexpr unsigned char tls = 3;
    return octets.size() >= 6 && octets[0] == client_hello && octets[1] == 0 && octets[4] == tls && octets[5] <= 4;
}

/// The session identifier and SSH_MSG_USERAUTH_REQUEST (RFC 4252, section 7), or the head of a signed file of OpenSSH.
bool is_ssh_proof(View octets) {
    if (as_text(octets).starts_with("SSHSIG")) return true;
    constexpr unsigned char userauth_request = 50;
    constexpr unsigned char longest_identifier = 64;
    if (octets.size() < 5 || octets[0] != 0 || octets[1] != 0 || octets[2] != 0) return false;
    std::size_t const length = octets[3];
    return length >= 16 && length <= longest_identifier && octets.size() > 4 + length &&
           octets[4 + length] == userauth_request;
}

} // namespace

/// SET { SEQUENCE { OID, SET
bool is_set_of_attributes(View octets) {
    if (!enter(octets, der::set) || !enter(octets, der::sequence)) return false;
    auto const identifier = der::take(octets, der::object_identifier);
    return identifier && !identifier->content.empty() && enter(octets, der::set);
}

bool is_meaningful_form(View octets) {
    if (is_tls_client_proof(octets) || is_ssh_proof(octets)) return true;
    return as_text(octets).starts_with(authenticate_prefix) || is_set_of_attributes(octets) ||
           is_certification_request_info(octets) || is_tbs_certificate(octets) || is_signed_info(as_text(octets));
}

} // namespace tamga::signing
