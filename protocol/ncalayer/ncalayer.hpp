// NCALayer's protocol: text frames in, text frames out, byte for byte where pages compare. Three dialects behind one
// entry: commonUtils {code, responseObject|message}, basics {status, body|code+message+details}, accessory (flat).
// Facts and their evidence: docs/ncalayer.md.
#pragma once

#include "protocol/request.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace tamga::protocol::ncalayer {

inline constexpr std::string_view heartbeat = "--heartbeat--";

/// What rendering the reply needs to know of the request.
struct Reply {
    enum class Shape : std::uint8_t {
        common_xml,
        common_xmls,
        common_cms,
        common_key_info,
        common_tokens,
        common_file,
        basics
    };
    Shape shape{};
    std::string uuid;              ///< copied into commonUtils replies
    Format format{};               ///< of a basics reply
    bool with_certificate = false; ///< basics outputCert, which has an effect on raw signatures
};

struct Call {
    Action action;
    Reply reply;
    std::optional<Language> language; ///< named by the request, or by changeLocale, which changes the connection's
};

/// Documents one request may carry.
inline constexpr std::size_t max_documents = 10'000;

/// Parses one text frame that is not a heartbeat. Total: whatever cannot be understood is an Answer with the dialect's
/// own error. Blocking, linear in size. `text` is taken by value and freed as soon as it was read: at no time are more
/// than two of frame, JSON value and decoded documents there.
[[nodiscard]] Call parse(std::string text);

/// The reply to `call`, which was no Answer. An error becomes the dialect's: cancel forms for user_cancelled and
/// site_refused, the fixed texts of NCALayer where it has one, "500"/SIGNING_FAILURE with our word otherwise
/// (docs/errors.md has the table). The detail of an error never reaches the page, but for xml_malformed's, which speaks
/// of the page's own document.
[[nodiscard]] std::string render(Reply const& reply, Result<Outcome> outcome);

} // namespace tamga::protocol::ncalayer
