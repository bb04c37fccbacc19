// The bottom of the tower Module > Session > Session::Login: a loaded PKCS#11 module and what is in its slots.
#pragma once

#include "base/messages.hpp"
#include "base/result.hpp"
#include "pkcs11/module_config.hpp"
#include "pkcs11/readers.hpp"
#include "pkcs11/wrong_tries.hpp"

#include <p11-kit/pkcs11.h>

#include <memory>
#include <vector>

namespace tamga::pkcs11 {

/// C_Initialize to C_Finalize. May be called from several threads, for different slots. C_WaitForSlotEvent is never
/// called: half of the modules lack it, some hang in it.
class Module {
public:
    /// Judges the file (base/trusted_file.hpp), loads it and calls C_Initialize with CKF_OS_LOCKING_OK. Blocking: runs
    /// the vendor's code. `readers` outlives the module. Errors: file_untrusted, module_unloadable.
    static Result<std::unique_ptr<Module>> load(ModuleConfig const& config, Readers const& readers);

    Module(Module const&) = delete;
    Module& operator=(Module const&) = delete;
    /// C_Finalize. The library stays mapped: modules with threads of their own crash when it goes.
    ~Module();

    /// Slots that hold a token now (C_GetSlotList asked anew each time, which is also how modules notice that a token
    /// came or went). Errors: as check() gives them.
    [[nodiscard]] Result<std::vector<ipc::SlotId>> slots() const;

    /// C_GetTokenInfo, trimmed and made valid UTF-8, with what the table of families says of such a token, our own
    /// count of wrong PINs and whether we know its PIN to be locked (wrong_tries.hpp). Error: token_absent, also for a
    /// token that was never initialised and where another module is the one to show it.
    [[nodiscard]] Result<ipc::TokenInfo> token_info(ipc::SlotId slot) const;

    /// Octets that are free for objects everybody sees and for those behind the PIN, where the token tells.
    struct Room {
        std::optional<std::uint64_t> for_public;
        std::optional<std::uint64_t> for_private;
    };
    [[nodiscard]] Room room(ipc::SlotId slot) const;

    /// What C_GetSlotInfo says of the slot, trimmed: with modules over PC/SC, the reader's name. Empty where it fails.
    [[nodiscard]] std::string slot_description(ipc::SlotId slot) const;

    /// The card that is in the slot now, to be asked later whether it was pulled out. Ask before anything is read from
    /// it.
    [[nodiscard]] CardInPlace card_in(ipc::SlotId slot) const;

    /// Whether it speaks with the card service: what it knows is worth nothing once the service was lost.
    [[nodiscard]] bool uses_card_service() const noexcept { return m_uses_card_service; }

    [[nodiscard]] CK_FUNCTION_LIST const& functions() const noexcept { return *m_functions; }
    [[nodiscard]] WrongTries const& wrong_tries() const noexcept { return m_wrong_tries; }
    [[nodiscard]] Families const& families() const noexcept { return m_config.families; }

private:
    Module(CK_FUNCTION_LIST const* functions, ModuleConfig config, Readers const& readers);

    CK_FUNCTION_LIST const* m_functions;
    ModuleConfig m_config;
    Readers const& m_readers;
    WrongTries m_wrong_tries{WrongTries::default_folder()};
    bool m_uses_card_service;
};

/// A blank-padded field of CK_TOKEN_INFO as text: without the padding, octets that are not UTF-8 as U+FFFD.
[[nodiscard]] std::string padded_text(View field);

/// A token that somebody was shown, from the moment when it was looked at.
struct ShownToken {
    ipc::TokenInfo info;
    CardInPlace card;

    /// Nothing where it is still in its place, and it is what `now` says of itself. Error: token_absent. A card that
    /// was changed for another says the same of itself where somebody made it so: that it was out for a moment counts.
    [[nodiscard]] Result<void> is_still(ipc::TokenInfo const& now) const;
};

/// Whether both are one token, as far as it can be told: what it says of itself is the same.
[[nodiscard]] bool same_token(ipc::TokenInfo const& one, ipc::TokenInfo const& other);

} // namespace tamga::pkcs11
