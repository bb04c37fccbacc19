// A throw-away token of the GOST test module (tests/gost_module), filled through Cryptoki: keys are generated on it and
// certificates stored, as a program that orders a certificate would do. Failures throw.
#pragma once

#include "tests/support/test_certificates.hpp"

#include <filesystem>
#include <string>

namespace tamga::test {

class GostToken {
public:
    static constexpr char const* pin = "12345678";

    /// An empty token in `folder`/objects.
    explicit GostToken(std::filesystem::path const& folder);
    GostToken(GostToken const&) = delete;
    GostToken& operator=(GostToken const&) = delete;
    ~GostToken();

    /// In whose words the key shows its curve.
    enum class Parameters : bool { kazakh, russian };
    struct KeySpec {
        CertificateSpec owner{}; ///< with the kind of key: RSA or GOST
        std::string id = "1";
        std::string certificate_id = "1";
        Parameters parameters = Parameters::kazakh;
    };
    struct Made {
        Bytes certificate;      ///< DER
        std::string public_key; ///< PEM as gost-engine writes it
    };
    Made add(KeySpec const& spec, TestKey const* issuer = nullptr) const;

    /// A modules.toml with this token alone; `order` as the module takes it.
    [[nodiscard]] std::string configuration(std::string const& order = "s_r") const;

private:
    struct Cryptoki;
    std::filesystem::path m_objects;
    std::unique_ptr<Cryptoki> m_cryptoki;
};

} // namespace tamga::test
