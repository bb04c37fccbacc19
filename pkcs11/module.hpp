// The bottom of the tower Module > Session > Session::Login: a loaded PKCS#11 module and what is in its slots.
#pragma once

#include "base/messages.hpp"
#include "base/result.hpp"
#include "pkcs11/module_config.hpp"
#include "pkcs11/readers.hpp"

#include <p11-kit/pkcs11.h>

#include <memory>
#include <vector>

namespace tamga::pkcs11 {

/// C_Initialize to C_Finalize. C_WaitForSlotEvent is never called: half of the modules lack it, some hang in it.
class Module {
public:
    /// Judges the file (base/trusted_file.hpp), loads it and calls C_Initialize with CKF_OS_LOCKING_OK. Blocking: runs
    /// the vendor's code. Errors: file_untrusted, module_unloadable.
    static Result<std::unique_ptr<Module>> load(ModuleConfig const& config);

    Module(Module const&) = delete;
    Module& operator=(Module const&) = delete;
    /// C_Finalize. The library stays mapped: modules with threads of their own crash when it goes.
    ~Module();

    /// Slots that hold an initialised token now (C_GetSlotList asked anew each time, which is also how modules notice
    /// that a token came or went). Errors: as check() gives them.
    [[nodiscard]] Result<std::vector<ipc::SlotId>> slots() const;

    /// C_GetTokenInfo, trimmed and made valid UTF-8, with what the table of families says of such a token; `readers`
    /// know its ATR. Error: token_absent, also where another module is the one to show it.
    [[nodiscard]] Result<ipc::TokenInfo> token_info(ipc::SlotId slot, Readers const& readers) const;

    /// What C_GetSlotInfo says of the slot, trimmed: with modules over PC/SC, the reader's name. Empty where it fails.
    [[nodiscard]] std::string slot_description(ipc::SlotId slot) const;

    [[nodiscard]] CK_FUNCTION_LIST const& functions() const noexcept { return *m_functions; }

private:
    Module(CK_FUNCTION_LIST const* functions, ModuleConfig config);

    CK_FUNCTION_LIST const* m_functions;
    ModuleConfig m_config;
};

/// A blank-padded field of CK_TOKEN_INFO as text: without the padding, octets that are not UTF-8 as U+FFFD.
[[nodiscard]] std::string padded_text(View field);

} // namespace tamga::pkcs11
