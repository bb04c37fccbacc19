// Documents that a page sends in pieces, on one connection of tamga.v1: kept where they are small enough to be shown,
// else hashed while they arrive and let go.
#pragma once

#include "daemon/compute.hpp"
#include "protocol/tamga/tamga.hpp"
#include "signing/digest.hpp"

#include <map>
#include <memory>
#include <string>

namespace tamga::daemon {

/// What hashes octets beside the loop, one piece after the other. Two buffers go round: while one is hashed the other
/// is filled.
class Hashing {
public:
    /// Errors: algorithm_unavailable, unsupported.
    static Result<std::unique_ptr<Hashing>> begin(asio::any_io_executor executor, Compute& compute,
                                                  std::vector<signing::DigestAlgorithm> const& algorithms);

    /// Hashes the first `size` octets of `buffer`, in their turn. @return another buffer, as large.
    Task<Bytes> add(Bytes buffer, std::size_t size);
    /// Once, after the last. Error: internal.
    Task<Result<std::vector<ipc::NamedDigest>>> finish();

private:
    struct Shared {
        explicit Shared(asio::any_io_executor executor) : spare{std::move(executor)} {}
        std::vector<signing::RunningDigest> digests;
        Mailbox<Bytes> spare;
    };

    Hashing(asio::any_io_executor executor, Compute& compute)
        : m_executor{executor}, m_compute{compute}, m_shared{std::make_shared<Shared>(executor)} {}

    asio::any_io_executor m_executor;
    Compute& m_compute;
    std::shared_ptr<Shared> m_shared; ///< with the job that is under way when we go
};

/// What an upload left behind.
struct Upload {
    ipc::DocumentLabel label; ///< with digests where nothing was kept
    Bytes content;
    std::shared_ptr<void> held; ///< what its memory is charged to
};

/// Loop thread. Of one connection.
class Uploads {
public:
    static constexpr std::size_t most = 1024;                     ///< finished and not used yet
    static constexpr std::size_t kept = std::size_t{16} << 20;    ///< a larger document is hashed and let go
    static constexpr std::size_t piece = std::size_t{512} * 1024; ///< octets of a buffer of `add`

    Uploads(asio::any_io_executor executor, Compute& compute) : m_executor{std::move(executor)}, m_compute{compute} {}

    /// Begins the one upload that octets now belong to. @return its name, which is worth nothing on another connection.
    /// Errors: busy (another one is open), too_large (too many are unused), algorithm_unavailable.
    Result<std::string> begin(protocol::v1::BeginUpload wanted);

    /// Whether octets are expected now, and whether they will be kept.
    [[nodiscard]] bool is_open() const noexcept { return m_open.has_value(); }
    [[nodiscard]] bool keeps() const noexcept { return m_open && !m_open->hashing; }

    /// A buffer for `add`, which stays with the open upload from message to message.
    [[nodiscard]] Bytes take_buffer() {
        return m_open->buffer.empty() ? Bytes(piece) : std::exchange(m_open->buffer, {});
    }
    void give_back(Bytes buffer) noexcept {
        if (m_open) m_open->buffer = std::move(buffer);
    }

    /// Takes the first `size` octets of `buffer`. More than were announced are let go, and end_upload says so.
    /// @return a buffer of as many octets for the next ones.
    Task<Bytes> add(Bytes buffer, std::size_t size);
    /// What the memory of the open upload is charged to, for as long as its octets are there.
    [[nodiscard]] std::shared_ptr<void> const& held() const noexcept { return m_open->upload.held; }
    void hold(std::shared_ptr<void> held) { m_open->upload.held = std::move(held); }

    /// Errors: file_not_found (no such upload is open), bad_request (fewer or more octets than were announced; it is
    /// gone).
    Task<Result<protocol::v1::Uploaded>> end(std::string name);
    /// A finished upload, which is spent. Error: file_not_found.
    Result<Upload> take(std::string const& name);
    /// When the connection ends: what is kept is charged to it.
    void forget_all() noexcept {
        m_open.reset();
        m_finished.clear();
    }
    /// Forgets it, open or not. Error: file_not_found.
    Result<void> drop(std::string const& name);

private:
    struct Open {
        std::string name;
        std::uint64_t size = 0;
        std::uint64_t arrived = 0;
        Upload upload;
        Bytes buffer;                     ///< between messages
        std::unique_ptr<Hashing> hashing; ///< of an upload that is not kept
    };

    asio::any_io_executor m_executor;
    Compute& m_compute;
    std::uint64_t m_last = 0;
    std::optional<Open> m_open;
    std::map<std::string, Upload> m_finished;
};

/// The digests an upload can have here: of every kind of key, as far as this computer has what it takes.
[[nodiscard]] std::vector<signing::DigestAlgorithm> usable_digests();

} // namespace tamga::daemon
