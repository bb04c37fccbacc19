#include "policy/key_state.hpp"

#include "base/base64.hpp"
#include "base/date.hpp"
#include "policy/reminders.hpp"

#include <algorithm>
#include <array>

namespace tamga::policy {

namespace {

constexpr std::array states{KeyState::valid,   KeyState::expiring,       KeyState::expired, KeyState::not_yet_valid,
                            KeyState::revoked, KeyState::no_certificate, KeyState::no_key};

Tree list_of(std::vector<std::string> const& words) {
    Tree::List list;
    for (auto const& word : words)
        list.emplace_back(word);
    return list;
}

} // namespace

std::string_view name_of(KeyState state) noexcept {
    switch (state) {
    case KeyState::valid: return "valid";
    case KeyState::expiring: return "expiring";
    case KeyState::expired: return "expired";
    case KeyState::not_yet_valid: return "not-yet-valid";
    case KeyState::revoked: return "revoked";
    case KeyState::no_certificate: return "no-certificate";
    case KeyState::no_key: return "no-key";
    }
    return "";
}

std::optional<KeyState> key_state_called(std::string_view word) noexcept {
    auto const* const found = std::ranges::find(states, word, name_of);
    return found == states.end() ? std::nullopt : std::optional{*found};
}

KeyState state_of(signing::Certificate const& certificate, signing::Revocation revocation, std::int64_t now) {
    if (revocation == signing::Revocation::revoked) return KeyState::revoked;
    if (now > certificate.not_after()) return KeyState::expired;
    if (now < certificate.not_before()) return KeyState::not_yet_valid;
    return reminder_stage(certificate.not_after(), now) ? KeyState::expiring : KeyState::valid;
}

std::string_view use_of(signing::Certificate const& certificate) {
    bool const signs_in = certificate.has_extended_key_usage(signing::eku_client_auth);
    bool const signs = certificate.has_extended_key_usage(signing::eku_email_protection);
    if (signs_in && signs) return "both";
    if (signs_in) return "authentication";
    return signs ? "signature" : "other";
}

Tree describe(signing::Certificate const& certificate, KeyState state) {
    Tree tree;
    tree.add("fingerprint", to_hex(certificate.fingerprint())).add("state", name_of(state));
    tree.add("use", use_of(certificate)).add("algorithm", certificate.algorithm().name);
    tree.add("subject", certificate.subject_dn()).add("common_name", certificate.common_name());
    tree.add_unless_empty("iin", certificate.iin()).add_unless_empty("bin", certificate.bin());
    tree.add_unless_empty("organisation", certificate.organisation());
    tree.add("issuer", certificate.issuer_dn()).add("serial_number", certificate.serial_number());
    tree.add("not_before", utc_time(certificate.not_before())).add("not_after", utc_time(certificate.not_after()));
    tree.add("usages", list_of(certificate.extended_key_usages()));
    return tree.add("content", to_base64(certificate.der()));
}

} // namespace tamga::policy
