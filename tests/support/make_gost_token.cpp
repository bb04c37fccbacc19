// tamga-make-gost-token DIR ORDER KIND...: a throw-away GOST token (tests/gost_module) in DIR, with a key and a
// certificate for signing of each KIND: gost512 and gost256 of ТЕСТОВ ТЕСТ, rsa of ПРОБНЫЙ ТЕСТ.
//   DIR/modules.toml                     for tamga; PIN 12345678
//   DIR/KIND.pem, DIR/KIND-public.pem    the certificate; the public key as gost-engine writes it
//   DIR/ca.pem, DIR/ca-gost.pem          who issued the certificates of RSA and of GOST keys
#include "tests/support/gost_token.hpp"

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <map>

namespace {

using namespace tamga;

void write(std::filesystem::path const& file, std::string const& content) {
    std::ofstream{file} << content;
}

void make(std::filesystem::path const& folder, std::string const& order, std::span<char* const> kinds) {
    static std::map<std::string, test::KeyKind> const known{{"gost512", test::KeyKind::gost2015_512},
                                                            {"gost256", test::KeyKind::gost2015_256},
                                                            {"rsa", test::KeyKind::rsa_2048}};
    test::GostToken const token{folder};
    auto const authority = test::make_authority(test::KeyKind::gost2015_512, "ҰЛТТЫҚ КУӘЛАНДЫРУШЫ ОРТАЛЫҚ (GOST) DEMO");
    write(folder / "ca-gost.pem", test::certificate_pem(authority.certificate));
    write(folder / "ca.pem", test::ca_certificate_pem());
    for (std::string const kind : kinds) {
        test::GostToken::KeySpec spec;
        spec.owner.key = known.at(kind);
        spec.id = spec.certificate_id = kind;
        if (kind == "rsa") spec.owner.common_name = "ПРОБНЫЙ ТЕСТ"; // so that a script can tell the two
        auto const made = token.add(spec, test::is_gost(spec.owner.key) ? &authority : nullptr);
        write(folder / (kind + ".pem"), test::certificate_pem(made.certificate));
        write(folder / (kind + "-public.pem"), made.public_key);
    }
    write(folder / "modules.toml", token.configuration(order));
}

} // namespace

int main(int count, char** arguments) {
    if (count < 4) {
        std::fputs("usage: tamga-make-gost-token DIR ORDER KIND...\n", stderr);
        return EXIT_FAILURE;
    }
    try {
        make(arguments[1], arguments[2], std::span{arguments, static_cast<std::size_t>(count)}.subspan(3));
    } catch (std::exception const& failure) {
        std::fprintf(stderr, "%s\n", failure.what());
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
