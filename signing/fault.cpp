#include "signing/fault.hpp"

#include <openssl/objects.h>

#include <algorithm>

namespace tamga::signing {

FaultKind fault_of(Errc code) noexcept {
    switch (code) {
    case Errc::signature_invalid: return FaultKind::not_by_this_key;
    case Errc::xml_target: return FaultKind::target_unclear;
    case Errc::key_not_found: return FaultKind::certificate_missing;
    case Errc::mechanism_unsupported: return FaultKind::form_unsupported;
    case Errc::algorithm_unavailable: return FaultKind::gost_missing;
    default: return FaultKind::damaged; // NOLINT: of all errors, the rest is of something that cannot be read
    }
}

std::string algorithm_label(std::string_view identifier) {
    constexpr std::size_t longest = 64;
    std::string label{identifier.substr(identifier.find('#') == std::string_view::npos ? 0 : identifier.find('#') + 1)};
    auto const known = ::OBJ_txt2nid(label.c_str());
    if (known != NID_undef) label = ::OBJ_nid2sn(known);
    label.resize(std::min(label.size(), longest));
    std::ranges::replace_if(
        label,
        [](char c) {
            return !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
                     c == '.' || c == '_');
        },
        '?');
    return label;
}

} // namespace tamga::signing
