// The objects of the GOST test module: attributes, and nothing else, each object a file in the token's folder, so that
// another process finds the token as it was left.
#pragma once

#include "base/bytes.hpp"
#include "tests/support/gost_keys.hpp"

#include <p11-kit/pkcs11.h>

#include <filesystem>
#include <map>
#include <optional>
#include <vector>

namespace tamga::gost_module {

/// Where a private key keeps itself (PKCS#8, DER), hidden from Cryptoki.
inline constexpr CK_ATTRIBUTE_TYPE secret = CKA_VENDOR_DEFINED | 0x54414d;

using Object = std::map<CK_ATTRIBUTE_TYPE, Bytes>;

template <class Number>
[[nodiscard]] Bytes octets_of(Number number) {
    auto const* start = reinterpret_cast<unsigned char const*>(&number);
    return {start, start + sizeof number};
}
[[nodiscard]] CK_ULONG number_of(Object const& object, CK_ATTRIBUTE_TYPE type, CK_ULONG otherwise);
[[nodiscard]] bool is_private(Object const& object);

/// The objects of a folder, in the order they were made. An empty file is an object that was destroyed.
[[nodiscard]] std::vector<Object> read_objects(std::filesystem::path const& folder);

/// Writes one more. Whether that was possible.
bool write_object(std::filesystem::path const& folder, std::size_t number, Object const& object);

/// A key pair: what the mechanism makes of the two templates. Nothing where the parameters name no curve known here.
struct Pair {
    Object public_key;
    Object private_key;
};
[[nodiscard]] std::optional<Pair> generate(CK_MECHANISM_TYPE mechanism, Object const& public_template,
                                           Object const& private_template);

/// CKM_RSA_PKCS over the input as it is; CKM_GOSTR3410 and CKM_GOSTR3410_512 over a digest, as s || r, big-endian.
/// Empty where it fails.
[[nodiscard]] Bytes sign(Object const& private_key, View input);

/// The raw mechanism that a private key signs with.
[[nodiscard]] CK_MECHANISM_TYPE mechanism_of(Object const& private_key);

} // namespace tamga::gost_module
