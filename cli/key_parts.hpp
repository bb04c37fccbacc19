// What the commands of keys share. Private to them.
#pragma once

#include "cli/daemon_talk.hpp"
#include "cli/keys.hpp"
#include "policy/key_state.hpp"

namespace tamga::cli {

/// A certificate, from this person's journal or a file, with the state it is in now.
struct KnownKey {
    signing::Certificate certificate;
    policy::KeyState state{};
};
/// What the journal knows, revocation judged from what is on this computer; nothing where it cannot be read, which was
/// said. Blocking.
[[nodiscard]] std::optional<std::vector<KnownKey>> known_keys(KeysSettings const& settings, std::int64_t now,
                                                              std::ostream& complaints);
[[nodiscard]] KnownKey judged(signing::Certificate certificate, std::int64_t now);

/// Error: system, too_large (over 1 MiB).
Result<Bytes> read_small_file(std::filesystem::path const& path);
/// Makes the file, 0600; one that is there stays. Error: system.
Result<void> write_new_file(std::filesystem::path const& path, View octets);

/// For `params.token`.
[[nodiscard]] Tree tree_of(TokenChoice const& token);

/// A line or two for the person: name, use, kind, state, end, serial number, of a certificate as the daemon and
/// policy::describe tell it.
[[nodiscard]] std::string certificate_words(Language language, Tree const& certificate);
[[nodiscard]] std::string state_words(Language language, std::string_view state);

/// Whether what the person typed names this certificate: the beginning (4 digits or more) of its fingerprint or number.
[[nodiscard]] bool is_named(Tree const& certificate, std::vector<std::string> const& names);

/// A connection with progress on the terminal; what is told of a failure went to `complaints`.
class KeyTalk {
public:
    KeyTalk(KeysSettings const& settings, std::ostream& complaints);
    /// Nothing where nobody answers, or it failed: that was said, and `exit_code` tells it.
    [[nodiscard]] std::optional<Tree> call(std::string_view method, Tree const& params);
    [[nodiscard]] int exit_code() const noexcept { return m_code; }

private:
    KeysSettings const& m_settings;
    std::ostream& m_complaints;
    std::optional<LocalClient> m_client;
    int m_code = exit_failed;
};

} // namespace tamga::cli
