// Our own count of wrong PINs, for tokens that do not tell how many they still bear, and which of them are locked.
#pragma once

#include "base/messages.hpp"
#include "base/result.hpp"

#include <filesystem>

namespace tamga::pkcs11 {

/// One small file for each token, so that the count survives a restart. Other programs burn tries too: the count says
/// nothing about how many are left. Every function reads or writes that file anew and blocks for as long as this takes;
/// different tokens may be counted from different threads.
class WrongTries {
public:
    /// `folder` is made when something is to be counted; empty: nothing is kept.
    explicit WrongTries(std::filesystem::path folder) : m_folder{std::move(folder)} {}
    /// $XDG_STATE_HOME/tamga/wrong-pins, by default in ~/.local/state. Empty where neither variable is set.
    static std::filesystem::path default_folder();

    /// Wrong PINs since the last right one; 0 where the file is missing or damaged.
    [[nodiscard]] std::uint32_t seen(ipc::TokenInfo const& token) const;

    /// Whether the PIN of `token` is locked, as far as its own flags or this record say: modules go on showing the
    /// flags of before the login that locked it, or none. `token`: with the flags that it shows now. They can end what
    /// is remembered: a token that showed its lock and does so no longer was unlocked by another program; so was one
    /// that says that some attempts remain, and more than one (one may be what it said before the lock).
    [[nodiscard]] bool is_locked(ipc::TokenInfo const& token) const;

    /// Just before a PIN goes to the token: counts it as wrong, so that a driver that takes our process down with it
    /// has not wiped the try out.
    void begin(ipc::TokenInfo const& token) const;
    /// What became of it: a right PIN sets the count to 0, and no lock is remembered any more; where the token cannot
    /// have looked at it, it is taken back; after any other answer it stays. Locked is remembered where the token said
    /// so, and where a wrong one was the last that `token` would bear by its flags: many call that one just wrong.
    void end(ipc::TokenInfo const& token, Result<void> const& outcome) const;

private:
    /// What is remembered of a lock: that there was one, and that the token has shown it itself.
    enum class Lock : char { none = '\n', remembered = '!', shown = '*' };
    struct Record {
        std::uint32_t count = 0;
        Lock lock = Lock::none;
    };

    [[nodiscard]] std::filesystem::path file_of(ipc::TokenInfo const& token) const;
    [[nodiscard]] Record read(ipc::TokenInfo const& token) const;
    void write(ipc::TokenInfo const& token, Record record) const;

    std::filesystem::path m_folder;
};

} // namespace tamga::pkcs11
