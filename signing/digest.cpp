#include "signing/digest.hpp"

#include "signing/gost.hpp"
#include "signing/gost34311.hpp"

#include <openssl/evp.h>

#include <algorithm>

namespace tamga::signing {

namespace {

constexpr bool in_order() {
    for (std::size_t i = 0; i < digest_names.size(); ++i) {
        if (static_cast<std::size_t>(digest_names[i].algorithm) != i) return false;
    }
    return true;
}
static_assert(in_order());

/// Looked up once: OpenSSL 3 would look for EVP_sha256() among its providers at each use.
EVP_MD const* sha2_256() {
    static EVP_MD const* const method = EVP_MD_fetch(nullptr, "SHA2-256", nullptr);
    return method != nullptr ? method : EVP_sha256();
}

Bytes hashed(EVP_MD const* method, View octets) {
    Bytes value(static_cast<std::size_t>(EVP_MD_get_size(method)));
    EVP_Digest(octets.data(), octets.size(), value.data(), nullptr, method, nullptr);
    return value;
}

} // namespace

Bytes sha256(View octets) {
    return hashed(sha2_256(), octets);
}

Result<Bytes> digest(DigestAlgorithm algorithm, View octets) {
    switch (algorithm) {
    case DigestAlgorithm::sha256: return sha256(octets);
    case DigestAlgorithm::sha384: return hashed(EVP_sha384(), octets);
    case DigestAlgorithm::sha512: return hashed(EVP_sha512(), octets);
    case DigestAlgorithm::streebog512: return gost::streebog(gost::Streebog::bits_512, octets);
    case DigestAlgorithm::streebog256: return gost::streebog(gost::Streebog::bits_256, octets);
    case DigestAlgorithm::gost34311: return gost34311(octets);
    }
    return Errc::internal;
}

namespace {

Result<EVP_MD const*> method_of(DigestAlgorithm algorithm) {
    switch (algorithm) {
    case DigestAlgorithm::sha256: return sha2_256();
    case DigestAlgorithm::sha384: return EVP_sha384();
    case DigestAlgorithm::sha512: return EVP_sha512();
    case DigestAlgorithm::streebog512: return gost::streebog_method(gost::Streebog::bits_512);
    case DigestAlgorithm::streebog256: return gost::streebog_method(gost::Streebog::bits_256);
    case DigestAlgorithm::gost34311: return Errc::unsupported;
    }
    return Errc::internal;
}

} // namespace

void RunningDigest::Free::operator()(EVP_MD_CTX* context) const noexcept {
    EVP_MD_CTX_free(context);
}

Result<RunningDigest> RunningDigest::begin(DigestAlgorithm algorithm) {
    auto const method = method_of(algorithm);
    if (!method) return method.error();
    RunningDigest digest{algorithm, EVP_MD_CTX_new()};
    if (!digest.m_context || EVP_DigestInit_ex(digest.m_context.get(), *method, nullptr) != 1) return Errc::internal;
    return digest;
}

void RunningDigest::add(View octets) {
    if (EVP_DigestUpdate(m_context.get(), octets.data(), octets.size()) != 1) m_failed = true;
}

Result<Bytes> RunningDigest::finish() {
    Bytes value(EVP_MAX_MD_SIZE);
    unsigned size = 0;
    if (m_failed || EVP_DigestFinal_ex(m_context.get(), value.data(), &size) != 1) return Errc::internal;
    value.resize(size);
    return value;
}

std::optional<DigestAlgorithm> digest_by_oid(std::string_view dotted) noexcept {
    auto const* found = std::ranges::find(digest_names, dotted, &DigestName::oid);
    return found == digest_names.end() ? std::nullopt : std::optional{found->algorithm};
}

std::optional<DigestAlgorithm> digest_by_xml_uri(std::string_view uri) noexcept {
    auto const* found = std::ranges::find(digest_names, uri, &DigestName::xml_uri);
    return found == digest_names.end() ? std::nullopt : std::optional{found->algorithm};
}

} // namespace tamga::signing
