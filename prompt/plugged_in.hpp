// What is plugged in, as the token processes themselves tell the prompt: nobody stands between them who could invent a
// token, hide one or give it another name.
#pragma once

#include "base/channel.hpp"
#include "base/messages.hpp"

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <vector>

namespace tamga::prompt {

/// The number of the first listing that a prompt asks for; each later one of a process has the next. The keys that an
/// unlock shows come with query 0.
inline constexpr std::uint64_t listing_query = 1;

/// The pair to one token process. Hello and ListKeys were said on it; nothing was heard yet.
struct TokenEnd {
    ipc::Channel channel;
    bool greeted = false;
    bool watched = false;                ///< it was asked what is plugged in, and lives
    bool changed = false;                ///< it said so, and was not asked again yet
    std::uint64_t query = listing_query; ///< of its last listing
};

using TokenEnds = std::map<ipc::ModuleIndex, TokenEnd>;

/// A token, and the certificates on it that are readable without a PIN.
struct FoundToken {
    ipc::ModuleIndex module;
    ipc::SlotId slot;
    ipc::TokenInfo info;
    std::vector<Bytes> certificates;
};

struct TokenPlace {
    ipc::ModuleIndex module;
    ipc::SlotId slot;
    bool operator==(TokenPlace const&) const = default;
};

/// What is other than before. `gone` first: another token may be in the same place.
struct TokenNews {
    std::vector<TokenPlace> gone;
    std::vector<FoundToken> seen_again; ///< what is known of their PIN may be other
    std::vector<FoundToken> found;      ///< in the order of their modules and slots
};

/// The answers to ListKeys of all token processes, which are asked again when they say that something changed. Nothing
/// here blocks. Not thread-safe.
class PluggedIn {
public:
    /// What a process has not answered by then is no longer waited for. One whose module hangs says so after 10 s.
    static constexpr std::chrono::seconds patience{12};

    /// Waits for `ends` from now on. `storages`: those wanted, empty for any. Error: system.
    static Result<PluggedIn> watch(TokenEnds ends, std::vector<std::string> storages);

    /// A process that was started for this request alone, and is not asked what is plugged in.
    void add(ipc::ModuleIndex module, ipc::Channel channel);

    /// Readable when there is something to hear, or the patience is over.
    [[nodiscard]] int fd() const noexcept { return m_watch.get(); }
    /// Takes in what has come, and asks again whoever says that what is plugged in may be another.
    void hear();
    /// Whether every process has answered, failed or been given up.
    [[nodiscard]] bool complete() const noexcept { return m_asked.empty(); }
    /// Since the last call. A token that answers is here although another one of its module still keeps silent.
    [[nodiscard]] TokenNews take_news();
    /// Whether nothing else is about to be heard of what is in this place. While a process is asked again, it may have
    /// told already of another token than the one that is shown, and would take a PIN for that one.
    [[nodiscard]] bool is_settled(TokenPlace place) const;
    /// Whether there is a token in another storage than those wanted.
    [[nodiscard]] bool has_left_out() const noexcept { return m_has_left_out; }
    /// Why there is no token: what failed, token_absent where nothing did.
    [[nodiscard]] Error const& failure() const noexcept { return m_failure; }

    /// The channel to wait on for an answer other than those to ListKeys, and the next such answer if one is there.
    /// Errors: token_crashed, build_mismatch, message_malformed.
    [[nodiscard]] ipc::Channel& channel(ipc::ModuleIndex module) { return m_ends[module].channel; }
    Result<std::optional<ipc::Packet>> receive(ipc::ModuleIndex module);

private:
    struct Listed {
        FoundToken token;
        std::uint32_t certificates_to_come = 0;
    };
    /// A listing under way.
    struct Asked {
        std::vector<Listed> tokens;
        std::set<ipc::SlotId> seen;
        std::size_t messages = 0;
    };

    PluggedIn(TokenEnds ends, std::vector<std::string> storages, UniqueFd watch, UniqueFd timer);
    [[nodiscard]] Result<void> add_to_watch(int fd) const;
    [[nodiscard]] Result<void> set_patience(std::chrono::seconds left) const;
    void ask_again(TokenEnd& end, ipc::ModuleIndex module);
    void hear_from(ipc::ModuleIndex module);
    Result<std::optional<ipc::Packet>> next(TokenEnd& end);
    Result<bool> take_in(ipc::ModuleIndex module, ipc::Packet& packet);
    void token_complete(FoundToken token);
    void token_gone(TokenPlace place);
    void end_listing(ipc::ModuleIndex module, Result<void> const& why);
    void fail(ipc::ModuleIndex module, Error const& why);

    TokenEnds m_ends;
    std::vector<std::string> m_storages;
    UniqueFd m_watch;
    UniqueFd m_timer;
    std::map<ipc::ModuleIndex, Asked> m_asked;
    std::vector<FoundToken> m_tokens; ///< of the storages wanted, as they were told last
    TokenNews m_news;
    bool m_has_left_out = false;
    Error m_failure{Errc::token_absent, "no token in the storages asked for"};
};

} // namespace tamga::prompt
