// PC/SC as the watcher needs it: libpcsclite, opened at run time, so that a tamga-token process with a module has no
// more of it than the module brings, and a computer without it only has no watcher.
#pragma once

#include "base/result.hpp"

#include <winscard.h>

#include <memory>
#include <string>
#include <vector>

namespace tamga::pkcs11 {

/// A context with the card service (SCardEstablishContext to SCardReleaseContext). For one thread. Every call blocks
/// for as long as the service does.
class CardContext {
public:
    /// Errors: system (no libpcsclite); card_service_lost (the service does not answer).
    static Result<std::unique_ptr<CardContext>> establish();

    CardContext(CardContext const&) = delete;
    CardContext& operator=(CardContext const&) = delete;
    ~CardContext();

    /// Names of the readers there are now. Error: card_service_lost.
    [[nodiscard]] Result<std::vector<std::string>> readers() const;

    enum class Woken : std::uint8_t { by_change, by_time };
    /// Sleeps until one of `states` is not what it is said to be, or `timeout_ms` have passed (INFINITE: never).
    /// Error: card_service_lost.
    [[nodiscard]] Result<Woken> await_change(std::vector<::SCARD_READERSTATE>& states, DWORD timeout_ms) const;

private:
    struct Library;
    /// Opened once, for as long as the process lives; none where it is not installed.
    static Library const* library();
    CardContext(Library const& pcsc, ::SCARDCONTEXT context) noexcept : m_pcsc{pcsc}, m_context{context} {}

    Library const& m_pcsc;
    ::SCARDCONTEXT m_context;
};

} // namespace tamga::pkcs11
