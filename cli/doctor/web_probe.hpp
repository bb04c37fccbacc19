// Several services asked at once, briefly: who answers, with what, and which time it is there.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "policy/http_url.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tamga::cli {

struct WebQuestion {
    policy::HttpUrl url;
    enum class Kind : std::uint8_t { head, post } kind = Kind::head;
    std::string content_type = {}; ///< of a POST
    Bytes body = {};
};

struct WebAnswer {
    unsigned status = 0;
    std::optional<std::int64_t> date; ///< of its Date field, seconds since 1970
    Bytes body;                       ///< at most 128 KiB
};

/// How long is waited: for a connection, and then for what is said on it.
struct WebPatience {
    std::chrono::milliseconds connection;
    std::chrono::milliseconds answer;
};

/// One answer for each question, in the same order. Blocks for at most both patiences; for the second only where there
/// is a connection. `proxy` is asked in their place. Errors: timeout; system, with the reason.
[[nodiscard]] std::vector<Result<WebAnswer>> ask_the_web(std::vector<WebQuestion> const& questions,
                                                         std::optional<policy::HttpUrl> const& proxy,
                                                         WebPatience patience);

} // namespace tamga::cli
