// A Cryptoki template that owns what its attributes point at.
#pragma once

#include "base/bytes.hpp"

#include <p11-kit/pkcs11.h>

#include <deque>
#include <vector>

namespace tamga::pkcs11 {

class Attributes {
public:
    Attributes() = default;
    Attributes(Attributes const&) = delete;
    Attributes(Attributes&&) = default;

    Attributes& octets(CK_ATTRIBUTE_TYPE type, View value) {
        auto& kept = m_values.emplace_back(to_bytes(value));
        m_attributes.push_back({type, kept.data(), kept.size()});
        return *this;
    }
    Attributes& number(CK_ATTRIBUTE_TYPE type, CK_ULONG value) {
        return octets(type, {reinterpret_cast<unsigned char const*>(&value), sizeof value});
    }
    Attributes& flag(CK_ATTRIBUTE_TYPE type, bool value) {
        CK_BBOOL const octet = value ? CK_TRUE : CK_FALSE;
        return octets(type, {&octet, 1});
    }

    [[nodiscard]] CK_ATTRIBUTE* data() noexcept { return m_attributes.data(); }
    [[nodiscard]] CK_ULONG size() const noexcept { return m_attributes.size(); }

private:
    std::deque<Bytes> m_values; ///< a deque does not move what it holds
    std::vector<CK_ATTRIBUTE> m_attributes;
};

} // namespace tamga::pkcs11
