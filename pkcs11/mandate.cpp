#include "pkcs11/mandate.hpp"

#include "signing/to_be_signed.hpp"

#include <cstdlib>

namespace tamga::pkcs11 {

namespace {

constexpr std::int64_t clock_tolerance_s = 300;

Error violated(std::string_view why) {
    return {Errc::mandate_violated, std::string{why}};
}

bool same_but_for_digests(ipc::Mandate const& one, ipc::Mandate const& other) {
    return one.request == other.request && one.form == other.form && one.certificate == other.certificate &&
           one.expires_in_s == other.expires_in_s;
}

} // namespace

Mandate::Mandate(ipc::Mandate const& message, signing::Certificate certificate, SteadyTime expiry)
    : m_message{message}, m_certificate{std::move(certificate)}, m_expiry{expiry} {
    m_message.digests.clear();
    m_message.last = false;
}

Result<Mandate> Mandate::begin(ipc::Mandate const& message, signing::Certificate certificate, SteadyTime now) {
    Mandate mandate{message, std::move(certificate), now + std::chrono::seconds{message.expires_in_s}};
    if (auto added = mandate.add(message); !added) return added.error();
    return mandate;
}

Result<void> Mandate::add(ipc::Mandate const& message) {
    if (complete() || !same_but_for_digests(message, m_message)) return violated("parts of a mandate differ");
    for (auto const& digest : message.digests) {
        if (digest.size() != m_certificate.algorithm().digest_size) return Errc::digest_length;
        m_digests.insert(digest);
    }
    m_message.last = message.last;
    return ok();
}

Result<Bytes> Mandate::redeem(View octets, SteadyTime now, std::int64_t unix_now) {
    if (!complete()) return violated("mandate is not complete");
    if (now >= m_expiry) return violated("mandate expired");
    auto const committed = committed_digest(octets, unix_now);
    if (!committed) return committed.error();
    auto const place = m_digests.find(*committed);
    if (place == m_digests.end()) return violated("digest is not in the mandate, or was signed already");
    m_digests.erase(place);
    return signing::digest(m_certificate.algorithm().digest, octets);
}

Result<Bytes> Mandate::committed_digest(View octets, std::int64_t unix_now) const {
    auto const& algorithm = m_certificate.algorithm();
    switch (m_message.form) {
    case ipc::Form::cms: {
        auto const found = signing::parse_signed_attributes(octets, algorithm);
        if (!found) return violated("not signed attributes: " + found.error().detail);
        if (found->certificate != m_message.certificate) return violated("signed attributes name another certificate");
        if (std::abs(found->signing_time - unix_now) > clock_tolerance_s) return violated("signing time is not now");
        return found->digest;
    }
    case ipc::Form::xml: {
        auto const found = signing::parse_signed_info(octets, algorithm);
        if (!found) return violated("not a SignedInfo: " + found.error().detail);
        return found->digest;
    }
    case ipc::Form::raw:
        if (signing::is_meaningful_form(octets)) return violated("raw octets have a meaning of their own");
        return signing::digest(algorithm.digest, octets);
    case ipc::Form::authenticate: {
        auto const found = signing::parse_sign_in_statement(octets, algorithm);
        if (!found) return violated("no statement of a sign-in: " + found.error().detail);
        if (found->certificate != m_message.certificate) return violated("the statement names another certificate");
        if (std::abs(found->signing_time - unix_now) > clock_tolerance_s) return violated("its time is not now");
        return found->digest;
    }
    }
    return violated("form");
}

} // namespace tamga::pkcs11
