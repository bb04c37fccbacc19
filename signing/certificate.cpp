#include "signing/certificate.hpp"

#include "base/base64.hpp"
#include "base/release.hpp"
#include "signing/der.hpp"
#include "signing/foreign_keys.hpp"
#include "signing/strength.hpp"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <deque>
#include <mutex>

namespace tamga::signing {

namespace {

using X509Pointer = std::unique_ptr<::X509, Release<X509_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Release<EVP_PKEY_CTX_free>>;
using BigNumber = std::unique_ptr<BIGNUM, Release<BN_free>>;
using KeyUsages = std::unique_ptr<EXTENDED_KEY_USAGE, Release<EXTENDED_KEY_USAGE_free>>;

void free_octets(void* octets) {
    OPENSSL_free(octets);
}
using Octets = std::unique_ptr<unsigned char, Release<free_octets>>;

std::string utf8(ASN1_STRING const* value) {
    unsigned char* text = nullptr;
    auto const size = ASN1_STRING_to_UTF8(&text, value);
    Octets const owner{text};
    return size > 0 ? std::string{as_text({text, static_cast<std::size_t>(size)})} : std::string{};
}

std::string dotted(ASN1_OBJECT const* object) {
    char text[128] = "";
    OBJ_obj2txt(text, sizeof text, object, 1);
    return text;
}

/// The values of a name's attribute, in encoded order.
std::vector<std::string> values(X509_NAME const* name, int nid) {
    std::vector<std::string> found;
    for (int i = -1; (i = X509_NAME_get_index_by_NID(name, nid, i)) >= 0;) {
        found.push_back(utf8(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, i))));
    }
    return found;
}

std::string first_value(X509_NAME const* name, int nid) {
    auto const all = values(name, nid);
    return all.empty() ? std::string{} : all.front();
}

/// The 12 digits that follow `label` in one of the attribute's values.
std::string number_after(std::string_view label, X509_NAME const* name, int nid) {
    for (auto const& value : values(name, nid)) {
        if (!value.starts_with(label)) continue;
        auto number = value.substr(label.size());
        auto const is_digit = [](char c) { return c >= '0' && c <= '9'; };
        if (number.size() == 12 && std::all_of(number.begin(), number.end(), is_digit)) return number;
    }
    return {};
}

/// BouncyCastle's word for an attribute type; the dotted OID where it has none.
std::string keyword(ASN1_OBJECT const* type) {
    switch (OBJ_obj2nid(type)) {
    case NID_commonName: return "CN";
    case NID_surname: return "SURNAME";
    case NID_serialNumber: return "SERIALNUMBER";
    case NID_countryName: return "C";
    case NID_organizationName: return "O";
    case NID_organizationalUnitName: return "OU";
    case NID_localityName: return "L";
    case NID_stateOrProvinceName: return "ST";
    case NID_givenName: return "GIVENNAME";
    case NID_pkcs9_emailAddress: return "E";
    default: return dotted(type);
    }
}

std::string escaped(std::string_view value) {
    static constexpr std::string_view special = ",+\"\\<>;";
    std::string text;
    for (std::size_t i = 0; i < value.size(); ++i) {
        if (special.find(value[i]) != std::string_view::npos || (i == 0 && value[i] == '#')) text += '\\';
        text += value[i];
    }
    return text;
}

std::string distinguished_name(X509_NAME const* name) {
    std::string text;
    int previous_set = -1;
    for (int i = 0; i < X509_NAME_entry_count(name); ++i) {
        auto const* entry = X509_NAME_get_entry(name, i);
        auto const set = X509_NAME_ENTRY_set(entry);
        if (i > 0) text += set == previous_set ? '+' : ',';
        previous_set = set;
        text += keyword(X509_NAME_ENTRY_get_object(entry)) + '=' + escaped(utf8(X509_NAME_ENTRY_get_data(entry)));
    }
    return text;
}

std::int64_t seconds(ASN1_TIME const* time) {
    std::tm parts{};
    ASN1_TIME_to_tm(time, &parts);
    return ::timegm(&parts);
}

bool has_readable_validity(::X509 const* x509) {
    return ASN1_TIME_check(X509_get0_notBefore(x509)) == 1 && ASN1_TIME_check(X509_get0_notAfter(x509)) == 1;
}

/// IssuerAndSerialNumber (RFC 5652, section 10.2.4) in the very octets of the certificate; nothing where they cannot be
/// told apart: OpenSSL keeps what was signed as it came, and reads lengths that are no DER.
std::optional<Bytes> issuer_and_serial_number_of(View octets) {
    auto const certificate = der::take(octets, der::sequence);
    auto rest = certificate ? certificate->content : View{};
    auto const to_be_signed = der::take(rest, der::sequence);
    rest = to_be_signed ? to_be_signed->content : View{};
    der::take(rest, der::context_0); // the version, which the first one leaves out
    auto const serial_number = der::take(rest, der::integer);
    auto const algorithm = der::take(rest, der::sequence);
    auto const issuer = der::take(rest, der::sequence);
    if (!serial_number || !algorithm || !issuer) return std::nullopt;
    return der::element(der::sequence, {issuer->octets, serial_number->octets});
}

} // namespace

struct Certificate::State {
    Bytes der;
    Bytes issuer_and_serial_number;
    X509Pointer x509;
    ipc::Fingerprint fingerprint{};
    Algorithm const* algorithm = nullptr;

    [[nodiscard]] X509_NAME const* subject() const { return X509_get_subject_name(x509.get()); }
    [[nodiscard]] X509_NAME const* issuer() const { return X509_get_issuer_name(x509.get()); }
};

/// The certificates parsed last, because the same few are parsed for each request, and OpenSSL takes 0.1 ms to decode a
/// public key. Thread-safe.
class Certificate::Recent {
public:
    [[nodiscard]] std::optional<Certificate> find(ipc::Fingerprint const& fingerprint) {
        std::lock_guard const locked{m_mutex};
        auto const found = std::ranges::find(m_certificates, fingerprint, &Certificate::fingerprint);
        if (found == m_certificates.end()) return std::nullopt;
        std::rotate(m_certificates.begin(), found, found + 1);
        return m_certificates.front();
    }
    void add(Certificate certificate) {
        if (certificate.der().size() > largest) return;
        std::lock_guard const locked{m_mutex};
        if (m_certificates.size() == most) m_certificates.pop_back();
        m_certificates.push_front(std::move(certificate));
    }

private:
    static constexpr std::size_t most = 16;
    static constexpr std::size_t largest = 8 * 1024;

    std::mutex m_mutex;
    std::deque<Certificate> m_certificates; ///< the last one first
};

Result<Certificate> Certificate::parse(View der) {
    static auto& recent = *new Recent; // never destroyed: OpenSSL ends before what is static here would
    ipc::Fingerprint fingerprint{};
    std::ranges::copy(sha256(der), fingerprint.begin());
    if (auto known = recent.find(fingerprint)) return *known;

    teach_openssl();
    auto state = std::make_shared<State>();
    auto const* at = der.data();
    state->x509.reset(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
    ERR_clear_error();
    if (!state->x509) return Error{Errc::bad_request, "not a certificate"};
    unsigned char* written = nullptr;
    auto const size = i2d_X509(state->x509.get(), &written);
    Octets const owner{written};
    if (size < 0 || !std::ranges::equal(der, View{written, static_cast<std::size_t>(size)})) {
        return Error{Errc::bad_request, "not one DER certificate"};
    }
    auto identifier = issuer_and_serial_number_of(der);
    if (!identifier) return Error{Errc::bad_request, "not one DER certificate"};
    state->issuer_and_serial_number = std::move(*identifier);
    if (!has_readable_validity(state->x509.get())) return Error{Errc::bad_request, "validity of the certificate"};
    bool const is_decoded = X509_get0_pubkey(state->x509.get()) != nullptr;
    if (is_decoded) state->algorithm = algorithm_of(X509_get_X509_PUBKEY(state->x509.get()));
    ERR_clear_error();
    if (state->algorithm == nullptr) return Error{Errc::mechanism_unsupported, "key algorithm of the certificate"};
    state->der = to_bytes(der);
    state->fingerprint = fingerprint;
    Certificate certificate;
    certificate.m_state = std::move(state);
    recent.add(certificate);
    return certificate;
}

Bytes const& Certificate::der() const noexcept {
    return m_state->der;
}
ipc::Fingerprint const& Certificate::fingerprint() const noexcept {
    return m_state->fingerprint;
}
Bytes const& Certificate::issuer_and_serial_number() const noexcept {
    return m_state->issuer_and_serial_number;
}
std::string Certificate::log_name() const {
    return to_hex(View{m_state->fingerprint}.first(4));
}
Algorithm const& Certificate::algorithm() const noexcept {
    return *m_state->algorithm;
}
::X509* Certificate::x509() const noexcept {
    return m_state->x509.get();
}

std::string Certificate::common_name() const {
    return first_value(m_state->subject(), NID_commonName);
}
std::string Certificate::patronymic() const {
    return first_value(m_state->subject(), NID_givenName);
}
std::string Certificate::organisation() const {
    return first_value(m_state->subject(), NID_organizationName);
}
std::string Certificate::iin() const {
    return number_after("IIN", m_state->subject(), NID_serialNumber);
}
std::string Certificate::issuer_common_name() const {
    return first_value(m_state->issuer(), NID_commonName);
}

std::string Certificate::bin() const {
    auto const number = number_after("BIN", m_state->subject(), NID_organizationalUnitName);
    return number.empty() ? number_after("BIN", m_state->subject(), NID_serialNumber) : number;
}

std::string Certificate::subject_dn() const {
    return distinguished_name(m_state->subject());
}
std::string Certificate::issuer_dn() const {
    return distinguished_name(m_state->issuer());
}

std::string Certificate::serial_number() const {
    BigNumber const number{ASN1_INTEGER_to_BN(X509_get0_serialNumber(x509()), nullptr)};
    Bytes octets(static_cast<std::size_t>(BN_num_bytes(number.get())));
    BN_bn2bin(number.get(), octets.data());
    auto const text = to_hex(octets);
    auto const first = text.find_first_not_of('0');
    return first == std::string::npos ? "0" : text.substr(first);
}

std::string Certificate::authority_key_identifier() const {
    auto const* identifier = X509_get0_authority_key_id(x509());
    if (identifier == nullptr) return {};
    return to_hex({ASN1_STRING_get0_data(identifier), static_cast<std::size_t>(ASN1_STRING_length(identifier))});
}

std::int64_t Certificate::not_before() const {
    return seconds(X509_get0_notBefore(x509()));
}
std::int64_t Certificate::not_after() const {
    return seconds(X509_get0_notAfter(x509()));
}

std::vector<std::string> Certificate::extended_key_usages() const {
    KeyUsages const usages{
        static_cast<EXTENDED_KEY_USAGE*>(X509_get_ext_d2i(x509(), NID_ext_key_usage, nullptr, nullptr))};
    std::vector<std::string> oids;
    for (int i = 0; i < sk_ASN1_OBJECT_num(usages.get()); ++i) {
        oids.push_back(dotted(sk_ASN1_OBJECT_value(usages.get(), i)));
    }
    return oids;
}

bool Certificate::has_extended_key_usage(std::string_view oid) const {
    return std::ranges::count(extended_key_usages(), oid) != 0;
}

std::string Certificate::pem() const {
    return "-----BEGIN CERTIFICATE-----\n" + to_base64_lines(der(), 64) + "-----END CERTIFICATE-----\n";
}

std::string common_name_of(View der) {
    auto const* at = der.data();
    X509Pointer const x509{d2i_X509(nullptr, &at, static_cast<long>(der.size()))};
    ERR_clear_error();
    return x509 ? first_value(X509_get_subject_name(x509.get()), NID_commonName) : std::string{};
}

std::optional<std::string> name_in_words(View name) {
    auto const* at = name.data();
    std::unique_ptr<X509_NAME, Release<X509_NAME_free>> const parsed{
        d2i_X509_NAME(nullptr, &at, static_cast<long>(name.size()))};
    ERR_clear_error();
    unsigned char* written = nullptr;
    auto const size = parsed ? i2d_X509_NAME(parsed.get(), &written) : -1;
    Octets const owner{written};
    if (size < 0 || !std::ranges::equal(name, View{written, static_cast<std::size_t>(size)})) return std::nullopt;
    return distinguished_name(parsed.get());
}

std::optional<Misfit> misfit(Certificate const& certificate, ipc::KeyFilter const& filter, std::int64_t now) {
    auto const usages = certificate.extended_key_usages();
    auto const has_usage = [&](std::string const& oid) { return std::ranges::count(usages, oid) != 0; };
    if (!std::ranges::all_of(filter.extended_key_usages, has_usage)) return Misfit::usage;
    if (!filter.iin.empty() && certificate.iin() != filter.iin) return Misfit::person;
    if (!filter.bin.empty() && certificate.bin() != filter.bin) return Misfit::organisation;
    if (!filter.serial_number.empty() && certificate.serial_number() != filter.serial_number) {
        return Misfit::serial_number;
    }
    if (!filter.roles.empty() && std::ranges::none_of(filter.roles, has_usage)) return Misfit::role;
    if (now < certificate.not_before()) return Misfit::not_yet_valid;
    if (now > certificate.not_after() && !filter.allow_expired) return Misfit::expired;
    return std::nullopt;
}

Result<void> verify_raw(Certificate const& certificate, View octets, View raw_signature) {
    auto const hashed = digest(certificate.algorithm().digest, octets);
    if (!hashed) return hashed.error();
    return verify_digest(certificate, *hashed, raw_signature);
}

Result<void> verify_digest(Certificate const& certificate, View digest, View raw_signature) {
    auto const& algorithm = certificate.algorithm();
    auto const value = to_cms_signature(algorithm, raw_signature);
    if (!value) return value.error();
    return verify_value(certificate, algorithm.digest, digest, *value);
}

namespace {

/// The context of the last verification by this thread: making one costs OpenSSL 3 more than the verification does, and
/// a batch, or a login that is remembered, verifies by one key again and again. A context may be used several times
/// (EVP_PKEY_verify(3)).
class Verification {
public:
    /// Null where OpenSSL cannot.
    EVP_PKEY_CTX* with(EVP_PKEY* key, EVP_MD const* hash) {
        if (m_context && m_key.get() == key && m_hash == hash) return m_context.get();
        m_context.reset(EVP_PKEY_CTX_new(key, nullptr));
        EVP_PKEY_up_ref(key); // its address is nobody else's as long as it stands here
        m_key.reset(key);
        m_hash = hash;
        if (!m_context || EVP_PKEY_verify_init(m_context.get()) != 1 ||
            EVP_PKEY_CTX_set_signature_md(m_context.get(), hash) != 1)
            m_context.reset();
        return m_context.get();
    }

private:
    struct FreeKey {
        void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
    };
    std::unique_ptr<EVP_PKEY, FreeKey> m_key;
    EVP_MD const* m_hash = nullptr;
    KeyContext m_context;
};

} // namespace

Result<void> verify_value(Certificate const& certificate, DigestAlgorithm method, View digest, View value) {
    auto const& algorithm = certificate.algorithm();
    if (auto usable = available(algorithm); !usable) return usable.error();
    bool const is_sha2 =
        method == DigestAlgorithm::sha256 || method == DigestAlgorithm::sha384 || method == DigestAlgorithm::sha512;
    if (algorithm.foreign == nullptr ? !is_sha2 : method != algorithm.digest) {
        return Error{Errc::mechanism_unsupported, "a digest that does not go with the key"};
    }
    if (!is_strong_key(X509_get0_pubkey(certificate.x509()))) {
        return Error{Errc::mechanism_unsupported, "an RSA key under 2048 bits"};
    }
    // PKCS#1 v1.5 is OpenSSL's padding unless told otherwise.
    auto const* hash = EVP_get_digestbynid(OBJ_txt2nid(name_of(method).oid));
    static thread_local Verification verification;
    auto* const context = verification.with(X509_get0_pubkey(certificate.x509()), hash);
    bool const valid = digest.size() == name_of(method).octets && context != nullptr &&
                       EVP_PKEY_verify(context, value.data(), value.size(), digest.data(), digest.size()) == 1;
    ERR_clear_error();
    if (!valid) return Error{Errc::signature_invalid, "not by the key of the certificate " + certificate.log_name()};
    return ok();
}

} // namespace tamga::signing
