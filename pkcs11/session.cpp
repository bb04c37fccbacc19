#include "pkcs11/session.hpp"

#include "base/log.hpp"
#include "pkcs11/cryptoki_error.hpp"

#include <algorithm>

namespace tamga::pkcs11 {

namespace {

constexpr CK_ULONG longest_attribute = 1 << 20;
constexpr std::size_t most_objects = 4096;
constexpr std::size_t usual_attribute = 3072; ///< a certificate and more

/// No such mechanism, or no such key by it.
bool cannot_make(CK_RV rv) {
    switch (rv) {
    case CKR_FUNCTION_NOT_SUPPORTED:
    case CKR_MECHANISM_INVALID:
    case CKR_MECHANISM_PARAM_INVALID:
    case CKR_DOMAIN_PARAMS_INVALID:
    case CKR_ATTRIBUTE_VALUE_INVALID:
    case CKR_ATTRIBUTE_TYPE_INVALID:
    case CKR_TEMPLATE_INCONSISTENT:
    case CKR_KEY_SIZE_RANGE: return true;
    default: return false;
    }
}

/// As check, where the object may be one that nobody may change.
Result<void> check_write(CK_RV rv, std::string_view call) {
    auto done = check(rv, call);
    if (rv == CKR_ACTION_PROHIBITED || rv == CKR_ATTRIBUTE_READ_ONLY || rv == CKR_FUNCTION_NOT_SUPPORTED) {
        return Error{Errc::token_write_protected, done.error().detail};
    }
    return done;
}

/// As check; PIN_INVALID is of the new PIN's characters.
Result<void> check_pin_change(CK_RV rv, std::string_view call) {
    auto done = check(rv, call);
    if (rv == CKR_PIN_INVALID) return Error{Errc::pin_unsuitable, done.error().detail};
    if (rv == CKR_FUNCTION_NOT_SUPPORTED) return Error{Errc::unsupported, done.error().detail};
    return done;
}

/// For destructors and clean-up: what cannot be returned is logged. A token that is gone needs no closing.
void log_failure(CK_RV rv, std::string_view call) {
    auto const done = check(rv, call);
    if (!done && done.error().code != Errc::token_absent) log::warning("token", {{"error", done.error().detail}});
}

} // namespace

Result<std::unique_ptr<Session>> Session::open(Module const& module, ipc::SlotId slot, Access access) {
    auto card = module.card_in(slot);
    CK_SESSION_HANDLE handle = 0;
    auto const flags = CKF_SERIAL_SESSION | (access == Access::write ? CKF_RW_SESSION : 0UL);
    auto const rv = module.functions().C_OpenSession(slot.value(), flags, nullptr, nullptr, &handle);
    if (auto opened = check(rv, "C_OpenSession"); !opened) return opened.error();
    return std::unique_ptr<Session>{new Session{module, slot, handle, std::move(card)}};
}

Session::~Session() {
    log_failure(m_module.functions().C_CloseSession(m_handle), "C_CloseSession");
}

/// The only C_Login with a person's own PIN, and so, beside change_pin, the only place where an attempt can be spent.
CK_RV Session::call_login(CK_USER_TYPE user, Pin const& pin, ipc::TokenInfo const& token) const {
    auto const octets = pin.reveal();
    auto* const start = octets.empty() ? nullptr : octets.data();
    if (m_card.pulled_out()) return CKR_DEVICE_REMOVED; // whatever is there now is not what the PIN was typed for
    m_module.wrong_tries().begin(token);
    auto const rv = m_module.functions().C_Login(m_handle, user, start, octets.size());
    m_module.wrong_tries().end(token, check(rv, "C_Login"));
    return rv;
}

Result<Session::Login> Session::login(Pin const& pin, ipc::TokenInfo token) {
    auto const rv = call_login(CKU_USER, pin, token);
    if (rv == CKR_USER_ALREADY_LOGGED_IN) log_failure(m_module.functions().C_Logout(m_handle), "C_Logout");
    if (auto done = check(rv, "C_Login"); !done) return done.error();
    return Login{*this, std::move(token)};
}

// ---- changing a PIN ----

/// Before anything is spent. Octets, because that is what a token counts.
Result<void> Session::check_new_pin(Pin const& pin, ipc::TokenInfo const& token) const {
    if (token.pin_on_reader && pin.empty()) return ok();
    auto const size = pin.reveal().size();
    if (size == 0 || size < token.shortest_pin || (token.longest_pin != 0 && size > token.longest_pin)) {
        return Error{Errc::pin_length, "of the new PIN"};
    }
    auto const* const family = m_module.families().find(token.family);
    if (family != nullptr && is_factory_pin(pin, *family)) {
        return Error{Errc::pin_unsuitable, "tokens of this family are delivered with it"};
    }
    return ok();
}

Result<void> Session::change_pin(Pin const& old_pin, Pin const& new_pin, ipc::TokenInfo const& token) {
    auto* const set_pin = m_module.functions().C_SetPIN;
    if (set_pin == nullptr) return Error{Errc::unsupported, "C_SetPIN"};
    if (old_pin.empty() != new_pin.empty()) return Error{Errc::pin_length, "one of two PINs is missing"};
    if (auto fits = check_new_pin(new_pin, token); !fits) return fits;
    auto const before = old_pin.reveal();
    auto const after = new_pin.reveal();
    if (m_card.pulled_out()) return Error{Errc::token_absent, "pulled out"};
    m_module.wrong_tries().begin(token);
    auto const rv = set_pin(m_handle, before.empty() ? nullptr : before.data(), before.size(),
                            after.empty() ? nullptr : after.data(), after.size());
    auto const changed = check_pin_change(rv, "C_SetPIN");
    // Whatever is said of the new one was not said of the old one.
    bool const about_new = !changed && changed.error().code != Errc::pin_incorrect;
    m_module.wrong_tries().end(token, about_new && rv == CKR_PIN_INVALID ? Result<void>{Errc::pin_length} : changed);
    return changed;
}

Result<void> Session::unblock_pin(Pin const& so_pin, Pin const& new_pin, ipc::TokenInfo const& token) {
    auto const& functions = m_module.functions();
    if (functions.C_InitPIN == nullptr) return Error{Errc::unsupported, "C_InitPIN"};
    if (auto fits = check_new_pin(new_pin, token); !fits) return fits;
    auto const so = so_pin.reveal();
    if (m_card.pulled_out()) return Error{Errc::token_absent, "pulled out"};
    auto const login =
        check(functions.C_Login(m_handle, CKU_SO, so.empty() ? nullptr : so.data(), so.size()), "C_Login as SO");
    if (!login && login.error().code == Errc::pin_incorrect) return Error{Errc::so_pin_incorrect};
    if (!login && login.error().code == Errc::pin_locked) return Error{Errc::so_pin_locked};
    if (!login) return login;
    auto const after = new_pin.reveal();
    auto const rv = functions.C_InitPIN(m_handle, after.empty() ? nullptr : after.data(), after.size());
    log_failure(functions.C_Logout(m_handle), "C_Logout");
    auto const set = check_pin_change(rv, "C_InitPIN");
    if (set) m_module.wrong_tries().end(token, ok());
    return set;
}

bool Session::is_factory_pin(Pin const& pin, Family const& family) noexcept {
    return family.is_default_pin(pin.reveal());
}

Result<std::vector<ObjectHandle>> Session::find(CK_OBJECT_CLASS object_class, View id) const {
    auto const& functions = m_module.functions();
    Attributes wanted;
    wanted.number(CKA_CLASS, object_class);
    if (!id.empty()) wanted.octets(CKA_ID, id);
    auto const rv = functions.C_FindObjectsInit(m_handle, wanted.data(), wanted.size());
    if (auto begun = check(rv, "C_FindObjectsInit"); !begun) {
        return begun.error();
    }
    std::vector<ObjectHandle> objects;
    Result<void> found = ok();
    for (CK_ULONG count = 1; count != 0;) {
        CK_OBJECT_HANDLE some[64];
        found = check(functions.C_FindObjects(m_handle, some, std::size(some), &count), "C_FindObjects");
        if (found && (count > std::size(some) || objects.size() > most_objects))
            found = Error{Errc::token_failure, "C_FindObjects: more objects than can be"};
        if (!found) break;
        for (CK_ULONG i = 0; i < count; ++i)
            objects.emplace_back(some[i]);
    }
    log_failure(functions.C_FindObjectsFinal(m_handle), "C_FindObjectsFinal");
    if (!found) return found.error();
    return objects;
}

Bytes Session::attribute(ObjectHandle object, CK_ATTRIBUTE_TYPE type) const {
    auto const& functions = m_module.functions();
    // Most values fit at once; asking for the length first would double the calls, and each may go to the card.
    Bytes octets(usual_attribute);
    CK_ATTRIBUTE wanted{type, octets.data(), octets.size()};
    auto got = functions.C_GetAttributeValue(m_handle, object.value(), &wanted, 1);
    if (got == CKR_BUFFER_TOO_SMALL) {
        wanted = {type, nullptr, 0};
        if (functions.C_GetAttributeValue(m_handle, object.value(), &wanted, 1) != CKR_OK) return {};
        if (wanted.ulValueLen > longest_attribute) return {};
        octets.resize(wanted.ulValueLen);
        wanted.pValue = octets.data();
        got = functions.C_GetAttributeValue(m_handle, object.value(), &wanted, 1);
    }
    // CK_UNAVAILABLE_INFORMATION is the largest number of all, and a module may write any other.
    if (got != CKR_OK || wanted.ulValueLen > octets.size()) return {};
    octets.resize(wanted.ulValueLen);
    return octets;
}

std::pair<Bytes, Bytes> Session::attributes(ObjectHandle object, CK_ATTRIBUTE_TYPE one, CK_ATTRIBUTE_TYPE other) const {
    std::pair<Bytes, Bytes> octets{Bytes(usual_attribute), Bytes(usual_attribute)};
    CK_ATTRIBUTE wanted[]{{one, octets.first.data(), octets.first.size()},
                          {other, octets.second.data(), octets.second.size()}};
    auto const got = m_module.functions().C_GetAttributeValue(m_handle, object.value(), wanted, std::size(wanted));
    // What a module leaves in the template when it lacks one of them differs from module to module.
    if (got != CKR_OK || std::ranges::any_of(wanted, [](auto const& a) { return a.ulValueLen > usual_attribute; })) {
        return {attribute(object, one), attribute(object, other)};
    }
    octets.first.resize(wanted[0].ulValueLen);
    octets.second.resize(wanted[1].ulValueLen);
    return octets;
}

Session::Login::~Login() {
    if (m_session != nullptr) log_failure(m_session->m_module.functions().C_Logout(m_session->m_handle), "C_Logout");
}

Result<Bytes> Session::Login::sign(ObjectHandle key, SignatureMechanism const& mechanism, View digest,
                                   Pin const* again) const {
    auto const& functions = m_session->m_module.functions();
    CK_MECHANISM chosen{mechanism.mechanism, nullptr, 0};
    auto const begun = check(functions.C_SignInit(m_session->m_handle, &chosen, key.value()), "C_SignInit");
    if (!begun) return begun.error();
    if (again != nullptr) {
        auto const logged_in =
            check(m_session->call_login(CKU_CONTEXT_SPECIFIC, *again, m_token), "C_Login for the key");
        if (!logged_in) return logged_in.error();
    }
    auto input = to_bytes(mechanism.before_digest);
    input.insert(input.end(), digest.begin(), digest.end());
    Bytes signature(1024); // RSA with 8192 bits
    CK_ULONG size = signature.size();
    auto const rv = functions.C_Sign(m_session->m_handle, input.data(), input.size(), signature.data(), &size);
    if (auto signed_now = check(rv, "C_Sign"); !signed_now) return signed_now.error();
    if (size > signature.size()) return Error{Errc::token_failure, "C_Sign: a length beyond its buffer"};
    signature.resize(size);
    return signature;
}

// ---- objects ----

Result<Session::Login::NewPair> Session::Login::generate_pair(CK_MECHANISM_TYPE mechanism, Attributes& public_key,
                                                              Attributes& private_key) const {
    auto* const generate = m_session->m_module.functions().C_GenerateKeyPair;
    if (generate == nullptr) return Error{Errc::generation_unsupported, "C_GenerateKeyPair"};
    CK_MECHANISM chosen{mechanism, nullptr, 0};
    CK_OBJECT_HANDLE made_public = 0;
    CK_OBJECT_HANDLE made_private = 0;
    auto const rv = generate(m_session->m_handle, &chosen, public_key.data(), public_key.size(), private_key.data(),
                             private_key.size(), &made_public, &made_private);
    auto const made = check(rv, "C_GenerateKeyPair");
    if (cannot_make(rv)) return Error{Errc::generation_unsupported, made.error().detail};
    if (!made) return made.error();
    return NewPair{ObjectHandle{made_public}, ObjectHandle{made_private}};
}

Result<ObjectHandle> Session::Login::create(Attributes& object) const {
    auto* const create_object = m_session->m_module.functions().C_CreateObject;
    if (create_object == nullptr) return Error{Errc::token_write_protected, "C_CreateObject"};
    CK_OBJECT_HANDLE made = 0;
    auto const rv = create_object(m_session->m_handle, object.data(), object.size(), &made);
    if (auto created = check(rv, "C_CreateObject"); !created) return created.error();
    return ObjectHandle{made};
}

Result<void> Session::Login::destroy(ObjectHandle object) const {
    auto* const destroy_object = m_session->m_module.functions().C_DestroyObject;
    if (destroy_object == nullptr) return Error{Errc::token_write_protected, "C_DestroyObject"};
    return check_write(destroy_object(m_session->m_handle, object.value()), "C_DestroyObject");
}

Result<void> Session::Login::set(ObjectHandle object, Attributes& attributes) const {
    auto* const set_attributes = m_session->m_module.functions().C_SetAttributeValue;
    if (set_attributes == nullptr) return Error{Errc::token_write_protected, "C_SetAttributeValue"};
    return check_write(set_attributes(m_session->m_handle, object.value(), attributes.data(), attributes.size()),
                       "C_SetAttributeValue");
}

} // namespace tamga::pkcs11
