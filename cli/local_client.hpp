// The daemon of this user, asked over its local socket.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/tree.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace tamga::cli {

/// What the daemon says in the place of a result.
struct Refused {
    std::string word;    ///< of docs/errors.md
    std::string message; ///< for the person, in the language of the connection
    std::string detail;
};

/// Every call blocks. Errors of all: channel_closed (the daemon is gone), message_malformed.
class LocalClient {
public:
    using Heard = std::function<void(std::string_view method, Tree const& params)>;

    /// $XDG_RUNTIME_DIR/tamga/api.sock; empty without that variable.
    [[nodiscard]] static std::filesystem::path default_path();

    /// Error: channel_closed, where nobody answers there.
    static Result<LocalClient> connect(std::filesystem::path const& path);
    LocalClient(LocalClient&&) noexcept;
    LocalClient& operator=(LocalClient&&) noexcept;
    ~LocalClient();

    /// Who hears notifications, while something else is waited for.
    void on_notification(Heard heard);

    struct Reply {
        Tree result;
        std::optional<Refused> refused;
    };
    Result<Reply> call(std::string_view method, Tree const& params);
    /// A piece of the open upload.
    Result<void> send(View octets);
    /// Waits for the next notification.
    Result<void> listen();

private:
    struct State;
    explicit LocalClient(std::unique_ptr<State> state);
    std::unique_ptr<State> m_state;
};

} // namespace tamga::cli
