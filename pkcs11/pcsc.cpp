#include "pkcs11/pcsc.hpp"

#include <dlfcn.h>

#include <cstring>

namespace tamga::pkcs11 {

/// The functions of libpcsclite that are used.
struct CardContext::Library {
    decltype(&::SCardEstablishContext) establish_context = nullptr;
    decltype(&::SCardReleaseContext) release_context = nullptr;
    decltype(&::SCardListReaders) list_readers = nullptr;
    decltype(&::SCardGetStatusChange) get_status_change = nullptr;

    template <class Function>
    static bool find(void* library, char const* name, Function& function) {
        function = reinterpret_cast<Function>(::dlsym(library, name));
        return function != nullptr;
    }
    bool open() {
        void* const library = ::dlopen("libpcsclite.so.1", RTLD_NOW | RTLD_LOCAL);
        return library != nullptr && find(library, "SCardEstablishContext", establish_context) &&
               find(library, "SCardReleaseContext", release_context) &&
               find(library, "SCardListReaders", list_readers) &&
               find(library, "SCardGetStatusChange", get_status_change);
    }
};

namespace {

/// What is behind the numbers that people meet; empty for others.
char const* words_for(LONG code) {
    switch (static_cast<DWORD>(code)) {
    case SCARD_E_NO_SERVICE: return " (pcscd is not running)";
    case SCARD_E_SERVICE_STOPPED: return " (pcscd has ended)";
    case SCARD_F_COMM_ERROR: return " (the connection to pcscd broke)";
    case SCARD_W_SECURITY_VIOLATION: return " (pcscd refuses this user)";
    default: return "";
    }
}

Error lost(char const* call, LONG code) {
    char number[16] = "";
    std::snprintf(number, sizeof number, ": 0x%08lx", static_cast<unsigned long>(code) & 0xffffffffUL);
    return {Errc::card_service_lost, std::string{call} + number + words_for(code)};
}

} // namespace

CardContext::Library const* CardContext::library() {
    static Library loaded;
    static bool const complete = loaded.open();
    return complete ? &loaded : nullptr;
}

Result<std::unique_ptr<CardContext>> CardContext::establish() {
    auto const* const pcsc = library();
    if (pcsc == nullptr) return Error{Errc::system, "libpcsclite.so.1 cannot be loaded"};
    ::SCARDCONTEXT context{};
    auto const code = pcsc->establish_context(SCARD_SCOPE_SYSTEM, nullptr, nullptr, &context);
    if (code != SCARD_S_SUCCESS) return lost("SCardEstablishContext", code);
    return std::unique_ptr<CardContext>{new CardContext{*pcsc, context}};
}

CardContext::~CardContext() {
    m_pcsc.release_context(m_context);
}

Result<std::vector<std::string>> CardContext::readers() const {
    std::vector<char> names;
    LONG code = SCARD_E_INSUFFICIENT_BUFFER;
    // A reader may come between asking for the size and asking for the names.
    while (code == static_cast<LONG>(SCARD_E_INSUFFICIENT_BUFFER)) {
        DWORD size = 0;
        code = m_pcsc.list_readers(m_context, nullptr, nullptr, &size);
        if (code != SCARD_S_SUCCESS) break;
        names.resize(size);
        code = m_pcsc.list_readers(m_context, nullptr, names.data(), &size);
    }
    if (code == static_cast<LONG>(SCARD_E_NO_READERS_AVAILABLE)) return std::vector<std::string>{};
    if (code != SCARD_S_SUCCESS) return lost("SCardListReaders", code);
    std::vector<std::string> readers;
    for (auto const* name = names.data(); *name != '\0'; name += std::strlen(name) + 1)
        readers.emplace_back(name);
    return readers;
}

Result<CardContext::Woken> CardContext::await_change(std::vector<::SCARD_READERSTATE>& states, DWORD timeout_ms) const {
    auto const code = m_pcsc.get_status_change(m_context, timeout_ms, states.data(), states.size());
    if (code == static_cast<LONG>(SCARD_E_TIMEOUT)) return Woken::by_time;
    // A reader that went since it was listed: listing anew is what follows a change.
    if (code == SCARD_S_SUCCESS || code == static_cast<LONG>(SCARD_E_UNKNOWN_READER)) return Woken::by_change;
    return lost("SCardGetStatusChange", code);
}

} // namespace tamga::pkcs11
