// tamga-token --file: a key file instead of a module, for one request, with the same words as a token. What it does is
// ours and ends by itself, so there are no lanes and no deadlines: one thread, asleep unless somebody speaks.
#pragma once

#include "keyfile/key_file.hpp"
#include "pkcs11/mandate.hpp"
#include "pkcs11/peer.hpp"

#include <poll.h>

#include <array>

namespace tamga::pkcs11 {

/// The keys of an unlocked file, from the password to the end: what one request may do with them. Destroying it wipes
/// them.
class FileLease {
public:
    explicit FileLease(std::vector<keyfile::SigningKey> keys);

    [[nodiscard]] std::vector<Bytes> certificates() const;
    [[nodiscard]] bool has_mandate() const noexcept { return m_mandate && m_mandate->complete(); }
    [[nodiscard]] unsigned signatures_made() const noexcept { return m_made; }

    /// As pkcs11::Lease has it, with keys of a file. Errors: key_not_found, those of Mandate.
    Result<void> add_to_mandate(ipc::Mandate const& message);
    /// Signs all `items` or none. Errors: mandate_violated, those of keyfile::SigningKey::sign.
    Result<std::vector<Bytes>> sign(std::vector<View> const& items);

    /// When it ends by itself, and why: silence, or the mandate's expiry.
    [[nodiscard]] SteadyTime end() const;
    [[nodiscard]] Error why_ended() const;

private:
    std::vector<keyfile::SigningKey> m_keys;
    keyfile::SigningKey const* m_key = nullptr;
    std::optional<Mandate> m_mandate;
    SteadyTime m_last_use;
    unsigned m_made = 0;
};

/// Answers one prompt (the file, its password, the mandate) and tamga-web (items to sign) over the channels that the
/// launcher sends.
class FileToken {
public:
    explicit FileToken(ipc::Channel control);

    /// Until the prompt goes, which is the end of its request, or the control channel closes. Blocking.
    /// Errors: build_mismatch, message_malformed (the launcher is not the one we know), system.
    Result<void> run();

private:
    Result<void> turn();
    Result<void> serve_control();
    Result<void> serve_prompt();
    void serve_web();
    void open_file(ipc::Packet& packet, ipc::OpenKeyFile const& message);
    void unlock(ipc::Unlock const& message);
    void change_password(ipc::ChangePin const& message);
    void add_to_mandate(ipc::Mandate const& message);
    void sign(ipc::RequestId request, std::uint32_t first, std::vector<View> const& items);
    void sign_large(ipc::Packet& packet, ipc::SignLarge const& large);
    void end_lease(Result<void> const& why);
    void tell_ended(ipc::RequestId request, Result<void> const& why);

    Peer m_control;
    Peer m_web;
    Peer m_prompt;
    ipc::RequestId m_request; ///< of the prompt; the only one there is
    std::optional<keyfile::KeyFile> m_file;
    std::optional<FileLease> m_lease;
};

} // namespace tamga::pkcs11
