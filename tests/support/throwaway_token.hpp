// Keys, certificates and tokens that live as long as one test, and the modules.toml that points at them.
#pragma once

#include "signing/certificate.hpp"
#include "tests/support/scratch.hpp"
#include "tests/support/test_certificates.hpp"

#include <vector>

namespace tamga::test {

inline constexpr char const* user_pin = "86420135";

/// A key and its certificate (test_certificates.hpp) as NAME-key.pem, NAME.pem and NAME.der in `folder`; the issuer's
/// certificate as ca.pem.
signing::Certificate make_key(Scratch const& folder, std::string const& name, KeyKind kind);

/// Writes config/tamga/modules.toml with one module; `more` are further lines of it.
void configure_module(Scratch const& folder, std::string const& path, std::string const& environment,
                      std::string const& more = "");

/// SoftHSM2 with a folder of its own.
class SoftToken {
public:
    /// An initialised token without objects, and a configuration that names SoftHSM2 alone.
    explicit SoftToken(Scratch const& folder);

    /// Where Debian has the module; skip the test where it is not.
    static constexpr char const* module = "/usr/lib/softhsm/libsofthsm2.so";
    void add_token(std::string const& label) const;
    void add_key(std::string const& name, std::string const& id, std::string const& label = "tamga") const;
    void add_certificate(std::string const& name, std::string const& id, std::string const& label = "tamga") const;

private:
    Scratch const& m_folder;
};

/// The fake module (tests/fake_module/knobs.hpp), with its spy.
class FakeToken {
public:
    /// `module` are further lines of modules.toml.
    FakeToken(Scratch const& folder, std::vector<std::string> lines, std::string const& module = "");

    /// Turns knobs: these lines, and no others, beside those of the constructor.
    void knobs(std::string const& lines) const;
    /// Everything its spy wrote, a line each.
    [[nodiscard]] std::vector<std::string> log() const;
    /// How often the module was asked for `function`.
    [[nodiscard]] std::size_t calls(std::string const& function) const;
    /// The same, as soon as it is `wanted`, or after some seconds.
    [[nodiscard]] std::size_t calls_soon(std::string const& function, std::size_t wanted) const;

private:
    Scratch const& m_folder;
    std::string m_lines;
};

/// "token LABEL ..." with user_pin for the fake module.
[[nodiscard]] std::string fake_token_line(std::string const& label, unsigned tries = 3);

} // namespace tamga::test
