// One login, from the PIN to the explicit logout: what one request may do with one token.
#pragma once

#include "pkcs11/certificates.hpp"
#include "pkcs11/key_mandate.hpp"
#include "pkcs11/key_work.hpp"
#include "pkcs11/mandate.hpp"
#include "pkcs11/standing_mandate.hpp"

#include <optional>
#include <stop_token>

namespace tamga::pkcs11 {

/// Between requests nobody is logged in: destroying the lease is the logout (C_Logout, then C_CloseSession). Every
/// member that calls the module blocks; all of them on one thread, whose `watch` tells what it is at.
class Lease {
public:
    /// Without an item for so long, the lease ends.
    static constexpr std::chrono::seconds longest_silence{120};

    /// A token by its place and, where the person was shown it, by what was shown; the certificate that was chosen, if
    /// one was; and whether for work on keys, which needs a session that may write.
    struct Wanted {
        ipc::SlotId slot;
        std::optional<ShownToken> shown{};
        Bytes certificate{};
        Access access = Access::read;
    };

    /// Session, C_Login, keys. The PIN is kept, for this lease alone, where a key wants it for each signature.
    /// Errors: those of Session::login; token_absent, also where another token than the one shown is in the slot, or
    /// the one shown was pulled out since: it gets no PIN; user_cancelled where `stop` came before the login.
    static Result<std::unique_ptr<Lease>> open(Module const& module, Wanted const& wanted, Pin pin, Watch& watch,
                                               std::stop_token const& stop);

    /// The token, as the login left it.
    [[nodiscard]] ipc::TokenInfo const& token() const noexcept { return m_token; }
    [[nodiscard]] std::vector<SigningKey> const& keys() const noexcept { return m_keys; }
    /// Whether the PIN was the one that tokens of this family are delivered with.
    [[nodiscard]] bool has_factory_pin() const noexcept { return m_has_factory_pin; }
    [[nodiscard]] bool has_mandate() const noexcept { return m_mandate && m_mandate->complete(); }
    [[nodiscard]] unsigned signatures_made() const noexcept { return m_made; }

    /// A part of the mandate; there is one mandate a lease.
    /// Errors: key_not_found (the certificate is not among keys()), those of Mandate.
    Result<void> add_to_mandate(ipc::Mandate const& message);

    /// Signs all `items` or, where one of them is not in the mandate, none. After `stop` no further one.
    /// Errors: mandate_violated, user_cancelled (stopped), algorithm_unavailable, signature_invalid (of no order,
    /// signature_order.hpp), those of Session::Login::sign. After an error the lease must end.
    Result<std::vector<Bytes>> sign(std::vector<View> const& items, Watch& watch, std::stop_token const& stop);

    /// What the person agreed to of work on keys: instead of a mandate, and once. Errors: mandate_violated (the session
    /// may not write), those of KeyMandate.
    Result<void> give_key_mandate(ipc::KeyMandate const& message);
    /// An operation of it. Error: mandate_violated (no such operation); how the operation itself went stands in what is
    /// returned. After either failure the lease must end.
    Result<KeyWorkDone> perform(ipc::PerformKeyOperation const& wanted, Watch& watch, std::stop_token const& stop,
                                std::function<void(ipc::KeyStep)> tell);

    /// The login is to be remembered for a site, behind a mandate of the form authenticate.
    /// Errors: unsupported (the key wants its PIN for each signature, or nothing may be remembered), mandate_violated.
    Result<void> remember(ipc::Remember const& wanted);
    /// From now on nothing is signed but what was remembered.
    void keep_remembered();
    /// A statement of a sign-in under what was remembered. Errors as sign.
    Result<Bytes> sign_remembered(View octets, Watch& watch, std::stop_token const& stop);

    /// When the lease ends by itself, and why: the silence, the mandate's expiry, or that of what was remembered.
    struct End {
        SteadyTime at;
        Error why;
    };
    [[nodiscard]] End end() const;
    [[nodiscard]] static End silence_from(SteadyTime last_use);

private:
    Result<Bytes> sign_digest(View digest, Watch& watch, std::stop_token const& stop);
    Result<Bytes> sign_now(View digest, Watch& watch, std::stop_token const& stop);
    Lease(ipc::TokenInfo token, std::unique_ptr<Session> session, Session::Login login, std::vector<SigningKey> keys,
          std::optional<Pin> pin);

    ipc::TokenInfo m_token;
    std::unique_ptr<Session> m_session;
    Session::Login m_login;
    std::vector<SigningKey> m_keys;
    std::optional<Pin> m_pin; ///< where a key wants it again
    SigningKey const* m_key = nullptr;
    LearntOrder m_order; ///< of m_key
    std::optional<Mandate> m_mandate;
    std::optional<KeyMandate> m_key_mandate;
    Access m_access = Access::read;
    std::optional<StandingMandate> m_standing;
    SteadyTime m_last_use;
    unsigned m_made = 0;
    bool m_has_factory_pin = false;
};

} // namespace tamga::pkcs11
