// tamga-test-services KIND FOLDER VERB: `make` makes an authority of this kind of key (rsa, gost512) in FOLDER;
// `timestamp [FAULT]` and `ocsp STATUS` answer the query on standard input; `crl` gives the issuer's empty list.
#include "tests/support/services.hpp"

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <iostream>
#include <iterator>
#include <map>
#include <span>

namespace {

using namespace tamga;

Bytes standard_input() {
    std::string const text{std::istreambuf_iterator<char>{std::cin}, {}};
    return to_bytes(as_view(text));
}

int answer(View octets) {
    std::fwrite(octets.data(), 1, octets.size(), stdout);
    return EXIT_SUCCESS;
}

int usage() {
    std::fputs("usage: tamga-test-services KIND FOLDER make|timestamp [FAULT]|ocsp STATUS|crl\n", stderr);
    return EXIT_FAILURE;
}

} // namespace

int main(int count, char** words) {
    std::map<std::string, test::KeyKind> const kinds{{"rsa", test::KeyKind::rsa_2048},
                                                     {"gost512", test::KeyKind::gost2015_512}};
    std::map<std::string, test::StampFault> const faults{{"none", test::StampFault::none},
                                                         {"refused", test::StampFault::refused},
                                                         {"other_nonce", test::StampFault::other_nonce},
                                                         {"other_imprint", test::StampFault::other_imprint},
                                                         {"other_policy", test::StampFault::other_policy},
                                                         {"broken_signature", test::StampFault::broken_signature},
                                                         {"wrong_usage", test::StampFault::wrong_usage}};
    std::span const arguments{words, static_cast<std::size_t>(count)};
    if (count < 4 || !kinds.contains(arguments[1])) return usage();
    auto const kind = kinds.at(arguments[1]);
    std::string const folder = arguments[2];
    std::string const verb = arguments[3];
    std::string const detail = count > 4 ? arguments[4] : "none";
    if (verb == "make") {
        test::make_services(kind).save(folder);
        return EXIT_SUCCESS;
    }
    auto const authority = test::Authority::load(kind, folder);
    std::map<std::string, test::OcspAnswer> const answers{{"good", test::OcspAnswer::good},
                                                          {"revoked", test::OcspAnswer::revoked},
                                                          {"unknown", test::OcspAnswer::unknown},
                                                          {"broken_signature", test::OcspAnswer::broken_signature}};
    if (verb == "ocsp" && answers.contains(detail)) {
        return answer(test::answer_ocsp(authority, standard_input(), std::time(nullptr), answers.at(detail)));
    }
    if (verb == "crl") return answer(test::make_crl(authority, {}, std::time(nullptr)));
    if (verb != "timestamp" || !faults.contains(detail)) return usage();
    return answer(test::answer_timestamp(authority, standard_input(), std::time(nullptr), faults.at(detail)));
}
