// Pictures of documents, as tamga-preview makes them: nothing of a document is decoded in this process, and of what
// comes back only the size is believed, once it has been counted.
#pragma once

#include "base/channel.hpp"
#include "base/messages.hpp"
#include "base/sealed_items.hpp"

namespace tamga::prompt {

/// One page. Nobody can change it any more.
struct Picture {
    std::uint32_t pages = 0; ///< of the document, as tamga-preview says; at least 1
    std::uint32_t width = 0; ///< 1 ... ipc::max_picture_side
    std::uint32_t height = 0;
    SealedItems sealed;

    /// Rows without gaps, four octets a pixel: blue, green, red, one that means nothing.
    [[nodiscard]] View pixels() const noexcept { return sealed.items().front(); }
};

/// What tamga-preview answered. Errors: message_malformed (not sealed, too large, or sizes that disagree), and those it
/// sent.
Result<Picture> checked_picture(ipc::Packet& packet);

/// One page asked of one tamga-preview.
class PictureTalk {
public:
    /// Says hello and asks; `document`: one sealed item. Blocks no longer than a message takes. Errors: channel_closed,
    /// system.
    static Result<PictureTalk> begin(ipc::Channel channel, UniqueFd const& document, ipc::PictureWanted const& wanted);

    [[nodiscard]] int fd() const noexcept { return m_channel.fd(); }
    /// The picture once it is there, nothing while it is not; never blocks. Errors: as checked_picture, build_mismatch,
    /// channel_closed (the process has ended).
    Result<std::optional<Picture>> hear();

private:
    explicit PictureTalk(ipc::Channel channel) noexcept : m_channel{std::move(channel)} {}

    ipc::Channel m_channel;
    bool m_greeted = false;
};

} // namespace tamga::prompt
