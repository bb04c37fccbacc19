// A catalogue of classified services: what one state body says of its own services (docs/services.md has the format,
// which is ours and has no legal force). Values, and the reading of their text; who signed it is checked before
// (policy/signed_catalogue.hpp).
#pragma once

#include "base/result.hpp"
#include "policy/classification.hpp"

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace tamga::policy {

/// A name in the three languages, each at most 200 characters and without any that deceive.
struct Names {
    std::string kk;
    std::string ru;
    std::string en;

    [[nodiscard]] std::string const& in(Language language) const noexcept {
        return language == Language::kk ? kk : language == Language::ru ? ru : en;
    }
};

struct Recipients {
    bool people = false;
    bool organisations = false;
};

struct Service {
    std::string id; ///< "BODY/NAME"
    Names name;
    Names provider;
    Recipients recipients;
    Criteria criteria;
    Flags flags;
    Channel channel{};
    std::string classified_on;      ///< YYYY-MM-DD
    std::set<std::string> origins;  ///< as in tamga.toml: exact hosts, with the port where it is not 443
    std::vector<std::string> roles; ///< extended key usages of which the signer's certificate has one; empty: any
};

struct Catalogue {
    std::string id; ///< "BODY/NAME"
    std::string body;
    std::uint64_t version = 0;    ///< only ever grows
    std::int64_t valid_from = 0;  ///< seconds since 1970, the first in which it counts
    std::int64_t valid_until = 0; ///< the last
    std::string note;             ///< for people; mostly empty
    std::vector<Service> services;
};

/// Reads the text of a catalogue. What is missing, unknown, of another type or beyond its limits makes all of it
/// invalid: half a catalogue would call a service unknown that the body did classify. Error: config_invalid, which
/// names the member and mostly the line.
Result<Catalogue> parse_catalogue(std::string_view toml);

/// Whether it can name a body, a catalogue or a service of one: letters of ASCII in lower case, digits and '-', 1
/// to 64.
[[nodiscard]] bool is_name(std::string_view text) noexcept;

/// A role of a signer, as catalogues call it, and the extended key usage that stands for it in a certificate.
struct Role {
    std::string_view name;
    std::string_view oid; ///< dotted
};

inline constexpr Role known_roles[] = {
    {"individual", "1.2.398.3.3.4.1.1"},
    {"organisation", "1.2.398.3.3.4.1.2"}, ///< anybody of an organisation: stands beside each of the next
    {"first_head", "1.2.398.3.3.4.1.2.1"},
    {"signatory", "1.2.398.3.3.4.1.2.2"},
    {"financial_signatory", "1.2.398.3.3.4.1.2.3"},
    {"hr", "1.2.398.3.3.4.1.2.4"},
    {"employee", "1.2.398.3.3.4.1.2.5"},
    {"information_system", "1.2.398.3.3.4.1.2.6"},
};

} // namespace tamga::policy
