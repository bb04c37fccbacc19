// Words that both directions of tamga.v1 know. Private to protocol/tamga.
#pragma once

#include "protocol/tamga/tamga.hpp"

#include <boost/json.hpp>

#include <array>

namespace tamga::protocol::v1 {

inline constexpr int invalid_params = -32602; ///< JSON-RPC 2.0, section 5.1

/// What `sign` takes; more will come.
inline constexpr std::array<std::pair<std::string_view, Format>, 3> formats{
    {{"cms", Format::cms}, {"xml", Format::xml}, {"raw", Format::raw}}};

struct DigestWord {
    std::string_view word;
    std::string_view oid;
};
inline constexpr std::array<DigestWord, 3> digest_words{{{"sha256", "2.16.840.1.101.3.4.2.1"},
                                                         {"streebog512", "1.2.398.3.10.1.3.3"},
                                                         {"streebog256", "1.2.398.3.10.1.3.2"}}};

/// The id of a request; nothing where it is none.
[[nodiscard]] std::optional<Id> id_of(boost::json::value const& value);

} // namespace tamga::protocol::v1
