// tamga-make-key-file DIR PASSWORD: key files shaped like the NCA's, of invented people, as a person would find them.
//   DIR/GOST512_test.p12                one GOST key of 512 bits of ТЕСТОВ ТЕСТ, for signing and signing in
//   DIR/AUTH_RSA256_test.p12, DIR/RSA256_test.p12   a set of two: signing in, signing; of ТЕСТОВ ТЕСТ
//   DIR/two.p12                         a GOST key of ТЕСТОВ ТЕСТ and an RSA key of ПРОБНЫЙ ТЕСТ
//   DIR/gost512.pem, DIR/gost512-public.pem, DIR/ca.pem, DIR/ca-gost.pem   for judges
#include "tests/support/key_files.hpp"

#include <openssl/pem.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace {

using namespace tamga;

constexpr char const* eku_signs = "1.3.6.1.5.5.7.3.4";
constexpr char const* eku_signs_in = "1.3.6.1.5.5.7.3.2";
constexpr char const* role_individual = "1.2.398.3.3.4.1.1";

void write(std::filesystem::path const& file, std::string_view content) {
    std::ofstream{file} << content;
}

/// As gost-engine writes it.
std::string public_key_pem(test::TestKey const& key) {
    std::unique_ptr<BIO, decltype(&BIO_free)> const memory{BIO_new(BIO_s_mem()), BIO_free};
    PEM_write_bio_PUBKEY(memory.get(), key.key.get());
    char* text = nullptr;
    auto const size = BIO_get_mem_data(memory.get(), &text);
    return {text, static_cast<std::size_t>(size)};
}

void make(std::filesystem::path const& folder, std::string const& password) {
    auto const authority = test::make_authority(test::KeyKind::gost2015_512, "ҰЛТТЫҚ КУӘЛАНДЫРУШЫ ОРТАЛЫҚ (GOST) DEMO");
    auto const gost = test::make_certificate(
        {.key = test::KeyKind::gost2015_512, .extended_key_usages = {eku_signs, eku_signs_in, role_individual}},
        &authority);
    auto const signs = test::make_certificate({.extended_key_usages = {eku_signs, role_individual}});
    auto const signs_in = test::make_certificate({.extended_key_usages = {eku_signs_in, role_individual}});
    auto const other = test::make_certificate({.common_name = "ПРОБНЫЙ ТЕСТ", .iin = "123456789012"});

    auto const file = [&](char const* name, std::vector<test::TestKey> const& keys) {
        write(folder / name, as_text(test::nca_key_file(keys, password)));
    };
    file("GOST512_test.p12", {gost});
    file("RSA256_test.p12", {signs});
    file("AUTH_RSA256_test.p12", {signs_in});
    file("two.p12", {gost, other});
    write(folder / "gost512.pem", test::certificate_pem(gost.certificate));
    write(folder / "gost512-public.pem", public_key_pem(gost));
    write(folder / "ca.pem", test::ca_certificate_pem());
    write(folder / "ca-gost.pem", test::certificate_pem(authority.certificate));
}

} // namespace

int main(int count, char** arguments) {
    if (count != 3) {
        std::fputs("usage: tamga-make-key-file DIR PASSWORD\n", stderr);
        return EXIT_FAILURE;
    }
    make(arguments[1], arguments[2]);
    return EXIT_SUCCESS;
}
