#include "signing/chain.hpp"

#include "base/release.hpp"
#include "signing/strength.hpp"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <memory>
#include <span>

namespace tamga::signing {

namespace {

constexpr int longest_chain = 8;

void free_stack(STACK_OF(X509) * stack) {
    sk_X509_free(stack);
}
using Store = std::unique_ptr<X509_STORE, Release<X509_STORE_free>>;
using Context = std::unique_ptr<X509_STORE_CTX, Release<X509_STORE_CTX_free>>;
using Stack = std::unique_ptr<STACK_OF(X509), Release<free_stack>>;

ChainState state_of(int error, Certificate const& certificate) {
    switch (error) {
    case X509_V_OK: return ChainState::good;
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN: return ChainState::issuer_missing;
    // Its issuer is not missing: it is itself, and nobody trusts it.
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT: return ChainState::untrusted;
    case X509_V_ERR_CERT_HAS_EXPIRED: return ChainState::expired;
    case X509_V_ERR_CERT_NOT_YET_VALID: return ChainState::not_yet_valid;
    // A national authority signs with the kind of key it issues.
    default: return available(certificate.algorithm()) ? ChainState::untrusted : ChainState::unverifiable;
    }
}

/// In OpenSSL's words, what is too weak in a chain that verifies: X509_V_OK for nothing. The signature of what is
/// trusted for itself does not count.
int weakness_of(X509_STORE_CTX* context) {
    auto* const chain = ::X509_STORE_CTX_get0_chain(context);
    int const last = sk_X509_num(chain) - 1;
    for (int i = 0; i <= last; ++i) {
        auto* const certificate = sk_X509_value(chain, i);
        bool const strong = is_strong_key(::X509_get0_pubkey(certificate));
        if (!strong) return i == 0 ? X509_V_ERR_EE_KEY_TOO_SMALL : X509_V_ERR_CA_KEY_TOO_SMALL;
        if (i < last && !has_strong_signature(certificate)) return X509_V_ERR_CA_MD_TOO_WEAK;
    }
    return X509_V_OK;
}

/// OpenSSL found the path among what it was given: each of its certificates is one of `known`, the very object.
std::vector<Certificate> path_of(X509_STORE_CTX* context, std::initializer_list<std::span<Certificate const>> known) {
    auto const given = [&](X509 const* wanted) -> Certificate const* {
        for (auto const certificates : known) {
            auto const found = std::ranges::find(certificates, wanted, &Certificate::x509);
            if (found != certificates.end()) return &*found;
        }
        return nullptr;
    };
    std::vector<Certificate> path;
    auto* const chain = ::X509_STORE_CTX_get0_chain(context);
    for (int i = 0; i < sk_X509_num(chain); ++i) {
        auto const* const certificate = given(sk_X509_value(chain, i));
        if (certificate == nullptr) break;
        path.push_back(*certificate);
    }
    return path;
}

} // namespace

Chain build_chain(TrustSet const& trusted, Certificate const& certificate, std::vector<Certificate> const& helpers,
                  std::int64_t time, ChainUse use) {
    Store const store{::X509_STORE_new()};
    for (auto const& authority : trusted.certificates())
        ::X509_STORE_add_cert(store.get(), authority.x509());
    Stack const untrusted{sk_X509_new_null()};
    for (auto const& helper : helpers)
        sk_X509_push(untrusted.get(), helper.x509());
    Context const context{::X509_STORE_CTX_new()};
    if (::X509_STORE_CTX_init(context.get(), store.get(), certificate.x509(), untrusted.get()) != 1) {
        return {ChainState::untrusted, {}, "X509_STORE_CTX_init"};
    }
    auto* parameters = ::X509_STORE_CTX_get0_param(context.get());
    ::X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_PARTIAL_CHAIN);
    ::X509_VERIFY_PARAM_set_time(parameters, time);
    ::X509_VERIFY_PARAM_set_depth(parameters, longest_chain);
    if (use == ChainUse::timestamp) ::X509_VERIFY_PARAM_set_purpose(parameters, X509_PURPOSE_TIMESTAMP_SIGN);
    bool const verified = ::X509_verify_cert(context.get()) == 1;
    auto const error = verified ? weakness_of(context.get()) : ::X509_STORE_CTX_get_error(context.get());
    ::ERR_clear_error();
    auto state = state_of(error, certificate);
    // OpenSSL looks at the dates when it has the whole path; its own are known without an issuer.
    if (state == ChainState::issuer_missing && time > certificate.not_after()) state = ChainState::expired;
    if (state == ChainState::issuer_missing && time < certificate.not_before()) state = ChainState::not_yet_valid;
    return {state, path_of(context.get(), {{&certificate, 1}, helpers, trusted.certificates()}),
            ::X509_verify_cert_error_string(error)};
}

} // namespace tamga::signing
