// A session with a token, and the login that signing needs: Session::Login is the only thing that can sign, and only
// Session::login makes one.
#pragma once

#include "base/secret.hpp"
#include "pkcs11/algorithms.hpp"
#include "pkcs11/attributes.hpp"
#include "pkcs11/module.hpp"

#include <span>

namespace tamga::pkcs11 {

using ObjectHandle = StrongId<struct ObjectHandleTag, CK_OBJECT_HANDLE>;

enum class Access : std::uint8_t { read, write };

/// C_OpenSession to C_CloseSession. Borrows the module. Immovable, because a Login points at it.
class Session {
public:
    class Login;

    /// Errors: token_absent; to write, token_write_protected.
    static Result<std::unique_ptr<Session>> open(Module const& module, ipc::SlotId slot, Access access = Access::read);

    Session(Session const&) = delete;
    Session& operator=(Session const&) = delete;
    ~Session();

    /// Exactly one C_Login, never repeated and always counted (wrong_tries.hpp) for `token`, which is what is in the
    /// slot now; an empty PIN means the reader's own keypad. Blocks while the token thinks. A module that says "already
    /// logged in" has not looked at the PIN: it is logged out, and the answer is token_failure, so that a PIN is never
    /// called right unseen.
    /// Errors: pin_incorrect, pin_length, pin_locked, pin_expired, user_cancelled (keypad), token_absent.
    Result<Login> login(Pin const& pin, ipc::TokenInfo token);

    /// Exactly one C_SetPIN, while nobody is logged in: the old PIN is looked at there, and counted as one of a login.
    /// Two empty ones: the reader's own keypad. What is wrong with the new one is said before the old one is spent.
    /// Errors: those of login for the old one; pin_length, pin_unsuitable for the new one; token_write_protected;
    /// unsupported (the module does not do it). Source: PKCS#11 v2.40 section 5.5 (C_SetPIN).
    Result<void> change_pin(Pin const& old_pin, Pin const& new_pin, ipc::TokenInfo const& token);
    /// One C_Login with the administrator's PIN, one C_InitPIN, C_Logout. The administrator's attempts are not counted
    /// here. Errors: so_pin_incorrect, so_pin_locked; the others as change_pin. Source: section 5.5 (C_InitPIN).
    Result<void> unblock_pin(Pin const& so_pin, Pin const& new_pin, ipc::TokenInfo const& token);

    /// The card in the slot since before the session was opened. No PIN is given to another.
    [[nodiscard]] CardInPlace const& card() const noexcept { return m_card; }

    /// What the token has room for, where it tells.
    [[nodiscard]] Module::Room room() const { return m_module.room(m_slot); }

    /// Whether tokens of `family` are delivered with this PIN. Asked of a PIN that was right, never of one to be tried.
    [[nodiscard]] static bool is_factory_pin(Pin const& pin, Family const& family) noexcept;

    /// All objects of a class, or those of it that have the CKA_ID `id`: C_FindObjectsInit to C_FindObjectsFinal.
    [[nodiscard]] Result<std::vector<ObjectHandle>> find(CK_OBJECT_CLASS object_class, View id = {}) const;
    /// An attribute's octets; empty where the object has none, or does not show it.
    [[nodiscard]] Bytes attribute(ObjectHandle object, CK_ATTRIBUTE_TYPE type) const;
    /// Two of them, with one call where the module shows both.
    [[nodiscard]] std::pair<Bytes, Bytes> attributes(ObjectHandle object, CK_ATTRIBUTE_TYPE one,
                                                     CK_ATTRIBUTE_TYPE other) const;
    /// The same for a CK_ULONG or CK_BBOOL; `otherwise` where it has none.
    template <class Number>
    [[nodiscard]] Number number(ObjectHandle object, CK_ATTRIBUTE_TYPE type, Number otherwise) const {
        return to_number(attribute(object, type), otherwise);
    }
    template <class Number>
    [[nodiscard]] static Number to_number(Bytes const& octets, Number otherwise) {
        if (octets.size() != sizeof otherwise) return otherwise;
        std::memcpy(&otherwise, octets.data(), sizeof otherwise);
        return otherwise;
    }

private:
    Session(Module const& module, ipc::SlotId slot, CK_SESSION_HANDLE handle, CardInPlace card) noexcept
        : m_module{module}, m_slot{slot}, m_handle{handle}, m_card{std::move(card)} {}
    [[nodiscard]] Result<void> check_new_pin(Pin const& pin, ipc::TokenInfo const& token) const;
    [[nodiscard]] CK_RV call_login(CK_USER_TYPE user, Pin const& pin, ipc::TokenInfo const& token) const;

    Module const& m_module;
    ipc::SlotId m_slot;
    CK_SESSION_HANDLE m_handle;
    CardInPlace m_card;
};

/// From C_Login to C_Logout, which closing the session alone does not do in every module. Borrows its session.
class Session::Login {
public:
    Login(Login&& other) noexcept
        : m_session{std::exchange(other.m_session, nullptr)}, m_token{std::move(other.m_token)} {}
    Login& operator=(Login&&) = delete;
    ~Login();

    /// Signs `digest` (C_SignInit and C_Sign). Blocks for as long as the token takes, 0.1 to 3 s on cards. `again` is
    /// the PIN for a key that wants one for each signature (C_Login with CKU_CONTEXT_SPECIFIC, counted and never
    /// repeated like the first; an empty one: the reader's keypad), or null.
    /// @return what the module wrote: of the modulus' size for RSA, r||s for EC, for GOST a pair in an order of its
    /// own. Errors: token_absent (pulled out), key_not_found, mechanism_unsupported; with `again` those of
    /// Session::login; others arrive as token_failure. Source: PKCS#11 v2.40 sections 5.6 (C_Login) and 5.11.
    [[nodiscard]] Result<Bytes> sign(ObjectHandle key, SignatureMechanism const& mechanism, View digest,
                                     Pin const* again) const;

    /// C_GenerateKeyPair: blocks for minutes on some cards. What a failed one leaves behind has the CKA_ID that the
    /// templates name. Errors: generation_unsupported, token_full, token_write_protected, token_absent ...
    struct NewPair {
        ObjectHandle public_key;
        ObjectHandle private_key;
    };
    [[nodiscard]] Result<NewPair> generate_pair(CK_MECHANISM_TYPE mechanism, Attributes& public_key,
                                                Attributes& private_key) const;
    /// C_CreateObject, C_DestroyObject, C_SetAttributeValue. Errors: token_full, token_write_protected, token_absent
    /// ...
    [[nodiscard]] Result<ObjectHandle> create(Attributes& object) const;
    [[nodiscard]] Result<void> destroy(ObjectHandle object) const;
    [[nodiscard]] Result<void> set(ObjectHandle object, Attributes& attributes) const;

private:
    friend class Session;
    Login(Session const& session, ipc::TokenInfo token) noexcept : m_session{&session}, m_token{std::move(token)} {}

    Session const* m_session;
    ipc::TokenInfo m_token; ///< as it was when its PIN was typed: whose wrong PINs are counted
};

static_assert(!std::is_convertible_v<ObjectHandle, ipc::SlotId>);

} // namespace tamga::pkcs11
