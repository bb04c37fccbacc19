// How fast signatures are verified: tamga-verifying rsa|gost512 prints how many CMS a second, on one processor, each
// with one signer, a chain of three certificates and a time-stamp whose chain is as long.
#include "signing/cms.hpp"
#include "signing/verify.hpp"
#include "tests/support/services.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace {

using namespace tamga;

constexpr std::int64_t now = 1'790'000'000;

Bytes stamped_cms(test::Authority const& authority, test::KeyKind kind) {
    auto const key = test::make_certificate({.key = kind}, &authority.issuer);
    auto const signer = *signing::Certificate::parse(key.certificate);
    auto const content = as_view("content");
    auto const hashed = signing::digest(signer.algorithm().digest, content);
    auto const to_be_signed = signing::prepare_cms(signer, *hashed, now);
    auto const raw = key.sign(*to_be_signed);
    auto const cms = signing::finish_cms(signer, *to_be_signed, raw, content, signing::Encapsulation::attached);
    auto const value = *signing::to_cms_signature(signer.algorithm(), raw);
    auto const query = signing::query_timestamp(signer.algorithm().digest, value, "");
    auto const stamp = signing::read_timestamp_reply(*query, test::answer_timestamp(authority, query->der, now), now);
    return *signing::attach_timestamps(*cms, {{value, stamp->token}});
}

} // namespace

int main(int count, char** arguments) {
    using Clock = std::chrono::steady_clock;
    std::string_view const name = count == 2 ? arguments[1] : "";
    if (name != "rsa" && name != "gost512") {
        std::fputs("usage: tamga-verifying rsa|gost512\n", stderr);
        return EXIT_FAILURE;
    }
    auto const kind = name == "rsa" ? test::KeyKind::rsa_2048 : test::KeyKind::gost2015_512;
    auto const authority = test::make_services(kind);
    auto const cms = stamped_cms(authority, kind);
    signing::VerifySettings settings;
    settings.trusted = signing::TrustSet{{*signing::Certificate::parse(authority.root.certificate),
                                          *signing::Certificate::parse(authority.issuer.certificate)}};
    settings.now = now;
    std::size_t verified = 0;
    auto const begin = Clock::now();
    for (; Clock::now() < begin + std::chrono::seconds{2}; ++verified) {
        auto const report = signing::verify_document(cms, std::nullopt, settings);
        if (!report || !report->signers[0].signature || !report->signers[0].stamps[0].proves() ||
            report->signers[0].chain.state != signing::ChainState::good)
            return EXIT_FAILURE;
    }
    std::printf("%.0f\n", static_cast<double>(verified) / std::chrono::duration<double>(Clock::now() - begin).count());
    return EXIT_SUCCESS;
}
