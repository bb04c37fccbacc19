// The real tamga-token program, with the test at the other ends of its channels: where tamgad, tamga-web and a
// tamga-prompt are in the product. What does not arrive, or is another message than expected, throws.
#pragma once

#include "base/handshake.hpp"
#include "signing/certificate.hpp"

#include <sys/types.h>

#include <filesystem>
#include <stdexcept>
#include <type_traits>

namespace tamga::test {

inline constexpr std::chrono::seconds patience{20};

/// The next message, which must be an M. TokensChanged answers nobody's question and may come before it.
template <class M>
M expect(ipc::Channel& channel) {
    auto packet = channel.receive(patience);
    while (packet && packet->is<ipc::TokensChanged>() && !std::is_same_v<M, ipc::TokensChanged>)
        packet = channel.receive(patience);
    if (!packet) throw std::runtime_error{"no message: " + std::string{wire_name(packet.error().code)}};
    auto message = packet->as<M>();
    if (!message) throw std::runtime_error{"another message: " + message.error().detail};
    return std::move(*message);
}

struct Listing {
    std::vector<ipc::TokenFound> tokens;
    std::vector<ipc::CertificateFound> certificates;
    Result<void> status;
};

struct Unlocked {
    ipc::UnlockReply reply;
    std::vector<Bytes> certificates;
};

class TokenDriver {
public:
    /// Starts `tamga-token ARGUMENT` with config/ of `folder` as XDG_CONFIG_HOME, with the PCSCLITE_CSOCK_NAME of the
    /// test, where it has one, never with the pcscd of this computer, and with `more` ("NAME=value"). With a number as
    /// argument the greetings are exchanged and `web` is connected; with --watch there are the greetings alone.
    /// `program` may be another of this build than the one that is installed.
    explicit TokenDriver(std::filesystem::path const& folder, std::string const& argument = "0", std::string more = {},
                         std::string const& program = "tamga-token");
    TokenDriver(TokenDriver const&) = delete;
    TokenDriver& operator=(TokenDriver const&) = delete;
    ~TokenDriver();

    ipc::Channel control;
    ipc::Channel web;
    [[nodiscard]] ::pid_t pid() const noexcept { return m_pid; }
    /// A new prompt's channel, introduced by the launcher and greeted.
    ipc::Channel prompt(ipc::RequestId request);
    /// The end of the watcher's channel with it, introduced and greeted.
    ipc::Channel watcher();
    void connect_web();
    /// Closes the control channel and waits. @return the exit status.
    int end();
    /// Waits for the program's own end. @return what waitpid(2) says.
    int wait();

    /// Tokens alone as tamga-web asks for them; certificates as a prompt does, on a channel of its own.
    Listing list(ipc::Depth depth);
    /// Sends items and waits for their signatures, or for the reason why the lease ended.
    Result<std::vector<Bytes>> sign(ipc::RequestId request, std::vector<Bytes> items);
    /// The reason why a lease ended.
    ipc::LeaseEnded lease_ended() { return expect<ipc::LeaseEnded>(web); }

private:
    ::pid_t m_pid = -1;
    int m_status = 0;
    std::uint64_t m_last_listing = 1'000'000; ///< request numbers of prompts that only list
};

/// What is plugged in, as this channel is told.
Listing list(ipc::Channel& asker, ipc::Depth depth);
/// Sends an Unlock and does not wait. `chosen`: DER of the certificate, where one was chosen before.
void send_unlock(ipc::Channel& prompt, ipc::SlotId slot, std::string pin, Bytes chosen = {});
/// The same for a reader with a keypad.
void send_unlock_on_reader(ipc::Channel& prompt, ipc::SlotId slot);
/// Waits for what an Unlock is answered by.
Unlocked unlocked(ipc::Channel& prompt);
Unlocked unlock(ipc::Channel& prompt, ipc::SlotId slot, std::string pin, Bytes chosen = {});

/// A mandate for `digests` with a minute to live.
ipc::Mandate mandate_for(ipc::RequestId request, ipc::Form form, signing::Certificate const& certificate,
                         std::vector<Bytes> digests);
Result<void> give(ipc::Channel& prompt, ipc::Mandate const& mandate);

} // namespace tamga::test
