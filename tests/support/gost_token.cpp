#include "tests/support/gost_token.hpp"

#include "signing/der.hpp"

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <p11-kit/pkcs11.h>
#include <p11-kit/pkcs11x.h>

#include <dlfcn.h>

#include <cstdlib>
#include <span>
#include <stdexcept>

namespace tamga::test {

namespace {

void require(CK_RV result, char const* call) {
    if (result != CKR_OK) throw std::runtime_error{std::string{call} + ": " + std::to_string(result)};
}

template <class T>
CK_ATTRIBUTE attribute(CK_ATTRIBUTE_TYPE type, T& value) {
    return {type, &value, sizeof value};
}
CK_ATTRIBUTE text(CK_ATTRIBUTE_TYPE type, std::string& value) {
    return {type, value.data(), value.size()};
}
CK_ATTRIBUTE octets(CK_ATTRIBUTE_TYPE type, Bytes& value) {
    return {type, value.data(), value.size()};
}

struct Generation {
    CK_MECHANISM_TYPE mechanism;
    char const* kazakh_parameters;
    char const* russian_parameters;
};

Generation generation_of(KeyKind kind) {
    switch (kind) {
    case KeyKind::gost2015_512:
        return {CKM_GOSTR3410_512_KEY_PAIR_GEN, "1.2.398.3.10.1.1.2.2.1", "1.2.643.7.1.2.1.2.1"};
    case KeyKind::gost2015_256: return {CKM_GOSTR3410_KEY_PAIR_GEN, "1.2.398.3.10.1.1.2.1.1", "1.2.643.7.1.2.1.1.1"};
    case KeyKind::gost2004: return {CKM_GOSTR3410_KEY_PAIR_GEN, "1.2.398.3.10.1.1.1.1.1", "1.2.643.2.2.35.1"};
    case KeyKind::rsa_2048: return {CKM_RSA_PKCS_KEY_PAIR_GEN, nullptr, nullptr};
    case KeyKind::ec_p256: break;
    }
    throw std::runtime_error{"the GOST module has no such keys"};
}

std::string public_pem(EVP_PKEY const* key) {
    std::unique_ptr<BIO, decltype(&BIO_free)> const memory{BIO_new(BIO_s_mem()), BIO_free};
    PEM_write_bio_PUBKEY(memory.get(), key);
    char* start = nullptr;
    auto const size = BIO_get_mem_data(memory.get(), &start);
    return {start, static_cast<std::size_t>(size)};
}

} // namespace

struct GostToken::Cryptoki {
    void* library = nullptr;
    CK_FUNCTION_LIST* functions = nullptr;
    CK_SESSION_HANDLE session = 0;

    explicit Cryptoki(std::filesystem::path const& objects) {
        ::setenv("TAMGA_GOST_TOKEN", objects.c_str(), 1);
        library = ::dlopen(TAMGA_GOST_MODULE, RTLD_NOW | RTLD_LOCAL);
        if (library == nullptr) throw std::runtime_error{::dlerror()};
        reinterpret_cast<CK_C_GetFunctionList>(::dlsym(library, "C_GetFunctionList"))(&functions);
        require(functions->C_Initialize(nullptr), "C_Initialize");
        require(functions->C_OpenSession(0, CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr, &session),
                "C_OpenSession");
        std::string typed{pin};
        require(functions->C_Login(session, CKU_USER, reinterpret_cast<unsigned char*>(typed.data()), typed.size()),
                "C_Login");
    }
    Cryptoki(Cryptoki const&) = delete;
    Cryptoki& operator=(Cryptoki const&) = delete;
    ~Cryptoki() {
        if (functions != nullptr) functions->C_Finalize(nullptr);
    }

    Bytes value(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) const {
        Bytes read(4096);
        auto wanted = octets(type, read);
        require(functions->C_GetAttributeValue(session, object, &wanted, 1), "C_GetAttributeValue");
        read.resize(wanted.ulValueLen);
        return read;
    }
};

GostToken::GostToken(std::filesystem::path const& folder) : m_objects{folder / "objects"} {
    std::filesystem::create_directories(m_objects);
    m_cryptoki = std::make_unique<Cryptoki>(m_objects);
}

GostToken::~GostToken() = default;

GostToken::Made GostToken::add(KeySpec const& spec, TestKey const* issuer) const {
    auto const& [library, functions, session] = *m_cryptoki;
    auto const generation = generation_of(spec.owner.key);
    auto const* name =
        spec.parameters == Parameters::kazakh ? generation.kazakh_parameters : generation.russian_parameters;
    auto parameters = name != nullptr ? signing::der::oid(name) : Bytes{};
    auto id = spec.id;
    CK_ULONG bits = 2048;
    std::vector<CK_ATTRIBUTE> of_public{text(CKA_ID, id)};
    if (name != nullptr) of_public.push_back(octets(CKA_GOSTR3410_PARAMS, parameters));
    if (name == nullptr) of_public.push_back(attribute(CKA_MODULUS_BITS, bits));
    CK_ATTRIBUTE of_private = text(CKA_ID, id);
    CK_MECHANISM mechanism{generation.mechanism, nullptr, 0};
    CK_OBJECT_HANDLE public_key = 0;
    CK_OBJECT_HANDLE private_key = 0;
    require(functions->C_GenerateKeyPair(session, &mechanism, of_public.data(), of_public.size(), &of_private, 1,
                                         &public_key, &private_key),
            "C_GenerateKeyPair");

    auto const info = m_cryptoki->value(public_key, CKA_PUBLIC_KEY_INFO);
    auto const* at = info.data();
    std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> const key{
        d2i_PUBKEY(nullptr, &at, static_cast<long>(info.size())), EVP_PKEY_free};
    Made made{issue(spec.owner, key.get(), issuer), public_pem(key.get())};

    CK_OBJECT_CLASS object_class = CKO_CERTIFICATE;
    CK_CERTIFICATE_TYPE type = CKC_X_509;
    CK_BBOOL is_private = CK_FALSE;
    auto certificate_id = spec.certificate_id;
    CK_ATTRIBUTE certificate[] = {attribute(CKA_CLASS, object_class), attribute(CKA_CERTIFICATE_TYPE, type),
                                  attribute(CKA_PRIVATE, is_private), text(CKA_ID, certificate_id),
                                  octets(CKA_VALUE, made.certificate)};
    CK_OBJECT_HANDLE stored = 0;
    require(functions->C_CreateObject(session, certificate, std::size(certificate), &stored), "C_CreateObject");
    return made;
}

std::string GostToken::configuration(std::string const& order) const {
    return "[[module]]\nname = \"gost\"\npath = \"" TAMGA_GOST_MODULE "\"\nstorage = \"AKKaztokenStore\"\n"
           "environment = { TAMGA_GOST_TOKEN = \"" +
           m_objects.string() + "\", TAMGA_GOST_ORDER = \"" + order + "\" }\n";
}

} // namespace tamga::test
