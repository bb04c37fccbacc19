#include "pkcs11/session.hpp"

#include "base/log.hpp"
#include "pkcs11/cryptoki_error.hpp"

#include <algorithm>

namespace tamga::pkcs11 {

namespace {

constexpr CK_ULONG longest_attribute = 1 << 20;
constexpr std::size_t most_objects = 4096;
constexpr std::size_t usual_attribute = 3072; ///< a certificate and more

/// For destructors and clean-up: what cannot be returned is logged. A token that is gone needs no closing.
void log_failure(CK_RV rv, std::string_view call) {
    auto const done = check(rv, call);
    if (!done && done.error().code != Errc::token_absent) log::warning("token", {{"error", done.error().detail}});
}

} // namespace

Result<std::unique_ptr<Session>> Session::open(Module const& module, ipc::SlotId slot) {
    CK_SESSION_HANDLE handle = 0;
    auto const rv = module.functions().C_OpenSession(slot.value(), CKF_SERIAL_SESSION, nullptr, nullptr, &handle);
    if (auto opened = check(rv, "C_OpenSession"); !opened) return opened.error();
    return std::unique_ptr<Session>{new Session{module, handle}};
}

Session::~Session() {
    log_failure(m_module.functions().C_CloseSession(m_handle), "C_CloseSession");
}

/// The only C_Login of the product, and so the only place where an attempt can be spent.
CK_RV Session::call_login(CK_USER_TYPE user, Pin const& pin, ipc::TokenInfo const& token) const {
    auto const octets = pin.reveal();
    auto* const start = octets.empty() ? nullptr : octets.data();
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

bool Session::is_factory_pin(Pin const& pin, Family const& family) noexcept {
    return family.is_default_pin(pin.reveal());
}

Result<std::vector<ObjectHandle>> Session::find(CK_OBJECT_CLASS object_class) const {
    auto const& functions = m_module.functions();
    CK_ATTRIBUTE wanted{CKA_CLASS, &object_class, sizeof object_class};
    if (auto begun = check(functions.C_FindObjectsInit(m_handle, &wanted, 1), "C_FindObjectsInit"); !begun) {
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

} // namespace tamga::pkcs11
