// Every message type read from arbitrary octets: no crash, no over-read, and what was read is written back the same.
#include "base/messages.hpp"
#include "base/channel.hpp"

#include <cstdlib>

namespace {

using namespace tamga;

template <class M>
void round_trip(View octets) {
    auto packet = ipc::packet_from(octets);
    if (!packet.is<M>()) return;
    auto const message = packet.as<M>();
    if (!message) return;
    if constexpr (!std::is_same_v<M, ipc::Unlock>) { // its PIN is wiped out of the packet, so it cannot be compared
        ipc::Writer writer;
        writer(static_cast<std::uint8_t>(M::type));
        M::fields(writer, *message);
        if (to_bytes(writer.bytes()) != to_bytes(octets)) std::abort();
    }
}

template <class... Ms>
void round_trip_each(View octets) {
    (round_trip<Ms>(octets), ...);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(unsigned char const* data, std::size_t size) {
    using namespace tamga::ipc;
    if (size > max_message) return 0;
    round_trip_each<Hello, ModuleCount, Listener, WebChannel, TokenChannel, TokenGone, PromptChannel, PromptWanted,
                    PromptRefused, WatcherChannel, CardService, ReaderState, Stop, ListKeys, TokenFound,
                    CertificateFound, ListingDone, TokensChanged, SignItems, SignLarge, Signatures, FinishLease,
                    LeaseEnded, Unlock, UnlockReply, Mandate, MandateReply, PromptRequest, Accepted, PromptEnded,
                    Progress, RequestDone, FileTokenWanted, FileTokenChannel, OpenKeyFile, PreviewWanted,
                    PreviewChannel, PictureWanted, Picture>({data, size});
    return 0;
}
