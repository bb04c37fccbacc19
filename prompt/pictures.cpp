#include "prompt/pictures.hpp"

#include "base/handshake.hpp"

namespace tamga::prompt {

namespace {

constexpr std::size_t octets_a_pixel = 4;

bool is_side(std::uint32_t pixels) {
    return pixels != 0 && pixels <= ipc::max_picture_side;
}

} // namespace

Result<Picture> checked_picture(ipc::Packet& packet) {
    auto const said = packet.as<ipc::Picture>();
    if (!said) return said.error();
    if (auto const result = said->status.result(); !result) return result.error();
    Error const malformed{Errc::message_malformed, "a picture that is not what it says"};
    if (!is_side(said->width) || !is_side(said->height) || said->pages == 0) return malformed;
    if (packet.descriptors.size() != 1) return malformed;
    auto sealed = SealedItems::open(packet.descriptors.front(), 1);
    if (!sealed) return sealed.error();
    auto const size = octets_a_pixel * said->width * said->height;
    if (sealed->items().size() != 1 || sealed->items().front().size() != size) return malformed;
    return Picture{said->pages, said->width, said->height, std::move(*sealed)};
}

Result<PictureTalk> PictureTalk::begin(ipc::Channel channel, UniqueFd const& document,
                                       ipc::PictureWanted const& wanted) {
    if (auto said = ipc::say_hello(channel, ipc::Role::prompt); !said) return said.error();
    if (auto sent = channel.send(wanted, {document.get()}); !sent) return sent.error();
    return PictureTalk{std::move(channel)};
}

Result<std::optional<Picture>> PictureTalk::hear() {
    while (true) {
        auto packet = m_channel.try_receive();
        if (!packet) return packet.error();
        if (!*packet) return std::optional<Picture>{};
        if (!m_greeted) {
            if (auto greeted = ipc::check_hello(**packet, ipc::Role::preview); !greeted) return greeted.error();
            m_greeted = true;
            continue;
        }
        auto picture = checked_picture(**packet);
        if (!picture) return picture.error();
        return std::optional{std::move(*picture)};
    }
}

} // namespace tamga::prompt
