// Work on keys (docs/adr/0027) in the real tamga-token: over SoftHSM2, over the GOST module, and over the fake one,
// which fails wherever it is told to. Whatever goes wrong, the keys that were there before still sign.
#include "tests/softhsm/key_work.hpp"
#include "tests/support/gost_token.hpp"

#include <openssl/x509.h>

#include <algorithm>
#include <csignal>

namespace tamga::test {
namespace {

using ipc::PairKind;
using ipc::Remains;
using ipc::RequestId;

constexpr ipc::SlotId slot{0};
constexpr RequestId request{1};

std::shared_ptr<EVP_PKEY> public_half(Bytes const& info) {
    auto const* at = info.data();
    return {d2i_PUBKEY(nullptr, &at, static_cast<long>(info.size())), EVP_PKEY_free};
}

/// A certificate for a key that a token made, as the NCA would issue it.
Bytes certificate_for(Bytes const& info) {
    return issue({.key = KeyKind::ec_p256}, public_half(info).get());
}

Bytes subject_of(signing::Certificate const& certificate) {
    return signing::renewal_of(certificate, signing::public_key_of(certificate)).subject;
}

// ---- over SoftHSM2: what a real module does with it ----

class KeysOnSoftHsm : public ::testing::TestWithParam<PairKind> {
protected:
    KeysOnSoftHsm() : m_soft{m_folder}, m_old{make_key(m_folder, "rsa", KeyKind::rsa_2048)} {
        m_soft.add_key("rsa", "01");
        m_soft.add_certificate("rsa", "01");
        m_driver.emplace(m_folder.path());
        m_slot = m_driver->list(ipc::Depth::tokens).tokens.at(0).slot;
    }
    [[nodiscard]] ipc::SignCertificationRequest wanted_request() const {
        return {pair_id(1), subject_of(m_old), "test@example.kz", std::string{signing::key_store_file}};
    }
    [[nodiscard]] Bytes request_with(Bytes const& info) const {
        auto content = signing::renewal_of(m_old, *signing::read_public_key(info));
        content.email = "test@example.kz";
        content.key_store = signing::key_store_file;
        return *signing::prepare_request(content);
    }
    Worked work(ipc::KeyOperation operation) {
        return work_once(*m_driver, RequestId{++m_last_request}, m_slot, std::move(operation));
    }
    void expect_old_key_signs() {
        RequestId const next{++m_last_request};
        auto prompt = m_driver->prompt(next);
        ASSERT_TRUE(unlock(prompt, m_slot, user_pin).reply.status.ok);
        ASSERT_TRUE(give(prompt, mandate_for(next, ipc::Form::cms, m_old, {sha256(as_view("document"))})));
        EXPECT_TRUE(m_driver->sign(next, {cms_item(m_old, "document")}));
        ASSERT_TRUE(m_driver->web.send(ipc::FinishLease{next}));
        EXPECT_TRUE(m_driver->lease_ended().status.ok);
    }
    std::string objects() {
        m_folder.run("SOFTHSM2_CONF=softhsm2.conf pkcs11-tool --module " + std::string{SoftToken::module} +
                     " --token-label tamga --login --pin " + user_pin + " --list-objects > objects.txt");
        return m_folder.read("objects.txt");
    }

    Scratch m_folder;
    SoftToken m_soft;
    signing::Certificate m_old;
    std::optional<TokenDriver> m_driver;
    ipc::SlotId m_slot;
    std::uint64_t m_last_request = 10;
};

TEST_P(KeysOnSoftHsm, AreMadeAndSignTheirOwnRequestInOneLease) {
    Result<void> taken = Errc::internal;
    auto const prompt = begin_key_work(*m_driver, request, m_slot, {new_pair(GetParam()), wanted_request()}, taken);
    ASSERT_TRUE(taken) << taken.error().detail;

    auto const made = perform(*m_driver, request, 0);
    ASSERT_TRUE(made.went_well()) << wire_name(made.code()) << made.done->status.detail;
    ASSERT_EQ(made.done->pairs.size(), 1U);
    auto const& pair = made.done->pairs.front();
    EXPECT_EQ(pair.id, pair_id(1));
    EXPECT_EQ(pair.label, "Tamga test");
    EXPECT_TRUE(pair.is_ours());
    EXPECT_NE(std::ranges::count(made.steps, ipc::KeyStep::generating), 0) << "whoever waits is told";
    auto const to_be_signed = request_with(pair.public_key);
    auto const signed_now = perform(*m_driver, request, 1, to_be_signed);
    ASSERT_TRUE(signed_now.went_well()) << wire_name(signed_now.code());
    finish(*m_driver, request);

    auto const finished = signing::finish_request(to_be_signed, signed_now.done->signature);
    ASSERT_TRUE(finished) << wire_name(finished.error().code);
    m_folder.write("request.der", *finished);
    m_folder.run("openssl req -inform DER -in request.der -verify -noout 2> verdict");
    EXPECT_NE(m_folder.read("verdict").find("verify OK"), std::string::npos);
}

TEST_P(KeysOnSoftHsm, NeverLeaveTheTokenAndOnlySign) {
    ASSERT_TRUE(work(new_pair(GetParam())).went_well());

    auto const listed = objects();

    std::string mine;
    for (auto begin = listed.find("Private Key Object"); begin != listed.npos;
         begin = listed.find("Private Key Object", begin + 1)) {
        auto const each = listed.substr(begin, listed.find("Access:", begin) + 80 - begin);
        if (each.find("Tamga test") < each.find("Access:")) mine = each;
    }
    EXPECT_NE(mine.find("sensitive, always sensitive, never extractable, local"), std::string::npos) << mine;
    EXPECT_NE(mine.find("Usage:      sign\n"), std::string::npos) << mine;
}

TEST_P(KeysOnSoftHsm, TakeTheirCertificateAndSignWithItFromThenOn) {
    auto const made = work(new_pair(GetParam()));
    ASSERT_TRUE(made.went_well());
    auto const certificate = certificate_for(made.done->pairs.front().public_key);

    auto const stored = work(ipc::StoreCertificate{certificate, true});

    ASSERT_TRUE(stored.went_well()) << wire_name(stored.code()) << stored.done->status.detail;
    EXPECT_FALSE(stored.done->was_there);
    EXPECT_EQ(std::ranges::count(stored.steps, ipc::KeyStep::trying), 1);
    auto prompt = m_driver->prompt(RequestId{5});
    auto const keys = unlock(prompt, m_slot, user_pin).certificates;
    EXPECT_NE(std::ranges::count(keys, certificate), 0) << "a page may have it chosen";
    EXPECT_NE(std::ranges::count(keys, m_old.der()), 0);
    auto const parsed = *signing::Certificate::parse(certificate);
    ASSERT_TRUE(give(prompt, mandate_for(RequestId{5}, ipc::Form::cms, parsed, {sha256(as_view("document"))})));
    EXPECT_TRUE(m_driver->sign(RequestId{5}, {cms_item(parsed, "document")}));
}

TEST_P(KeysOnSoftHsm, AreMadeOnceHoweverOftenThatIsAskedFor) {
    auto const first = work(new_pair(GetParam()));
    auto const again = work(new_pair(GetParam()));

    ASSERT_TRUE(again.went_well());
    EXPECT_TRUE(again.done->was_there);
    EXPECT_EQ(again.done->pairs.front().public_key, first.done->pairs.front().public_key);
}

TEST_P(KeysOnSoftHsm, WithACertificateAreNotMadeAgain) {
    auto const made = work(new_pair(GetParam()));
    ASSERT_TRUE(work(ipc::StoreCertificate{certificate_for(made.done->pairs.front().public_key), false}).went_well());

    auto const again = work(new_pair(GetParam()));

    EXPECT_EQ(again.code(), Errc::key_exists);
    EXPECT_EQ(again.done->remains, Remains::nothing);
}

TEST_P(KeysOnSoftHsm, AreDeletedWithTheirCertificateAndNothingElseIs) {
    auto const made = work(new_pair(GetParam()));
    auto const other = work(new_pair(GetParam(), 2));
    auto const info = made.done->pairs.front().public_key;
    ASSERT_TRUE(work(ipc::StoreCertificate{certificate_for(info), true}).went_well());

    auto const deleted = work(ipc::DeletePair{pair_id(1), info});

    ASSERT_TRUE(deleted.went_well()) << wire_name(deleted.code());
    auto const left = work(ipc::ListPairs{});
    std::vector<Bytes> ids;
    for (auto const& pair : left.done->pairs)
        ids.push_back(pair.id);
    EXPECT_EQ(ids, (std::vector<Bytes>{Bytes{1}, pair_id(2)}));
    EXPECT_EQ(left.certificates, std::vector<Bytes>{m_old.der()});
    expect_old_key_signs();
    EXPECT_EQ(work(ipc::DeletePair{pair_id(1), info}).code(), Errc::key_not_found) << "it is gone";
    EXPECT_EQ(work(ipc::DeletePair{pair_id(2), info}).code(), Errc::key_not_found) << "that is another's key";
    EXPECT_TRUE(other.went_well());
}

TEST_P(KeysOnSoftHsm, AreListedWithWhatTheyLack) {
    ASSERT_TRUE(work(new_pair(GetParam())).went_well());

    auto const listed = work(ipc::ListPairs{});

    ASSERT_EQ(listed.done->pairs.size(), 2U);
    for (auto const& pair : listed.done->pairs) {
        EXPECT_TRUE(pair.has_private_key && pair.has_public_key);
        EXPECT_EQ(pair.certificates.size(), pair.is_ours() ? 0U : 1U);
    }
}

TEST_P(KeysOnSoftHsm, GetAnotherLabel) {
    ASSERT_TRUE(work(new_pair(GetParam())).went_well());

    ASSERT_TRUE(work(ipc::SetLabel{pair_id(1), "Жаңа кілт"}).went_well());

    auto const pairs = work(ipc::ListPairs{}).done->pairs;
    EXPECT_EQ(std::ranges::count(pairs, "Жаңа кілт", &ipc::PairFound::label), 1);
}

// The process is ended in the middle of the work, as by a crash of the module.
TEST_P(KeysOnSoftHsm, AreMadeInTheEndAlthoughTheProcessWasKilled) {
    Result<void> taken = Errc::internal;
    auto const prompt = begin_key_work(*m_driver, request, m_slot, {new_pair(GetParam())}, taken);
    ASSERT_TRUE(taken);
    ASSERT_TRUE(m_driver->web.send(ipc::PerformKeyOperation{request, 0, {}}));
    while (expect<ipc::KeyProgress>(m_driver->web).step != ipc::KeyStep::generating) {
    }
    ::kill(m_driver->pid(), SIGKILL);
    m_driver->wait();
    m_driver.emplace(m_folder.path());

    auto const made = work(new_pair(GetParam()));

    EXPECT_TRUE(made.went_well()) << wire_name(made.code());
    EXPECT_EQ(work(ipc::ListPairs{}).done->pairs.size(), 2U) << "the old pair and one new one";
    expect_old_key_signs();
}

INSTANTIATE_TEST_SUITE_P(Kinds, KeysOnSoftHsm, ::testing::Values(PairKind::rsa_2048, PairKind::ec_p256));

// ---- over the GOST module ----

class GostKeys : public ::testing::TestWithParam<PairKind> {
protected:
    GostKeys() { m_folder.write("config/tamga/modules.toml", m_token.configuration()); }

    Scratch m_folder;
    GostToken m_token{m_folder.path()};
};

TEST_P(GostKeys, AreMadeSignTheirRequestAndTakeTheirCertificate) {
    auto const kind = GetParam() == PairKind::gost2015_512 ? KeyKind::gost2015_512 : KeyKind::gost2015_256;
    auto const old = *signing::Certificate::parse(m_token.add({.owner = {.key = kind}}).certificate);
    TokenDriver driver{m_folder.path()};
    ipc::SignCertificationRequest const wanted{pair_id(1), subject_of(old), {}, {}};
    Result<void> taken = Errc::internal;
    auto const prompt = begin_key_work(driver, request, slot, {new_pair(GetParam()), wanted}, taken, GostToken::pin);
    ASSERT_TRUE(taken) << taken.error().detail;

    auto const made = perform(driver, request, 0);
    ASSERT_TRUE(made.went_well()) << wire_name(made.code()) << made.done->status.detail;
    auto const key = signing::read_public_key(made.done->pairs.front().public_key);
    ASSERT_TRUE(key) << key.error().detail;
    EXPECT_EQ(key->algorithm, &old.algorithm()) << "under the names of Kazakhstan";
    auto const to_be_signed = *signing::prepare_request(signing::renewal_of(old, *key));
    auto const signed_now = perform(driver, request, 1, to_be_signed);
    ASSERT_TRUE(signed_now.went_well()) << wire_name(signed_now.code());
    EXPECT_TRUE(signing::finish_request(to_be_signed, signed_now.done->signature));
    finish(driver, request);

    auto const size = kind == KeyKind::gost2015_512 ? 128U : 64U;
    auto const point = View{made.done->pairs.front().public_key}.last(size);
    auto const certificate = issue({.key = kind}, gost_public_key(kind, point).get());
    auto const stored = work_once(driver, RequestId{2}, slot, ipc::StoreCertificate{certificate, true}, GostToken::pin);
    EXPECT_TRUE(stored.went_well()) << wire_name(stored.code()) << stored.done->status.detail;
}

INSTANTIATE_TEST_SUITE_P(Kinds, GostKeys, ::testing::Values(PairKind::gost2015_512, PairKind::gost2015_256));

// ---- over the fake module: refusals, and failures at every call ----

class KeyWorkTest : public ::testing::Test {
protected:
    KeyWorkTest()
        : m_old{make_key(m_folder, "rsa", KeyKind::rsa_2048)},
          m_token{m_folder,
                  {fake_token_line("token"), "certificate 0 01 " + (m_folder / "rsa.pem").string(),
                   "key 0 01 " + (m_folder / "rsa-key.pem").string()}},
          m_driver{m_folder.path()} {}

    Worked work(ipc::KeyOperation operation) { return work_once(m_driver, next_request(), slot, std::move(operation)); }
    RequestId next_request() { return RequestId{++m_last_request}; }
    /// What became of a mandate for `operations`.
    Result<void> mandate(std::vector<ipc::KeyOperation> operations) {
        Result<void> taken = Errc::internal;
        auto const prompt = begin_key_work(m_driver, next_request(), slot, std::move(operations), taken);
        return taken;
    }
    [[nodiscard]] bool old_key_signs() {
        auto const next = next_request();
        auto prompt = m_driver.prompt(next);
        if (!unlock(prompt, slot, user_pin).reply.status.ok) return false;
        if (!give(prompt, mandate_for(next, ipc::Form::cms, m_old, {sha256(as_view("document"))}))) return false;
        auto const values = m_driver.sign(next, {cms_item(m_old, "document")});
        return values && m_driver.web.send(ipc::FinishLease{next}) && m_driver.lease_ended().status.ok;
    }
    /// Runs the operation with the n-th call going wrong, for every n; after each the old key signs, and the operation
    /// asked for again succeeds. @return how many calls there were.
    template <class Prepare, class Check>
    unsigned at_every_call(std::string const& how, Prepare prepare, Check check) {
        for (unsigned n = 1;; ++n) {
            auto const operation = prepare();
            Result<void> taken = Errc::internal;
            auto const id = next_request();
            auto prompt = begin_key_work(m_driver, id, slot, {operation}, taken);
            EXPECT_TRUE(taken);
            m_token.knobs("step " + std::to_string(n) + ' ' + how + '\n');
            auto const worked = perform(m_driver, id, 0);
            bool const reached = m_token.calls("step") != m_steps;
            m_steps = m_token.calls("step");
            m_token.knobs("");
            prompt.close();
            EXPECT_TRUE(old_key_signs()) << how << " at call " << n;
            check(n, worked);
            if (!reached || n == 500) return n;
        }
    }

    Scratch m_folder;
    signing::Certificate m_old;
    FakeToken m_token;
    TokenDriver m_driver;
    std::uint64_t m_last_request = 10;
    std::size_t m_steps = 0;
};

TEST_F(KeyWorkTest, IsRefusedBeyondTheMandate) {
    ipc::SignCertificationRequest const wanted{pair_id(1), subject_of(m_old), {}, {}};
    auto const made = work(new_pair(PairKind::ec_p256));
    auto const key = *signing::read_public_key(made.done->pairs.front().public_key);
    auto content = signing::renewal_of(m_old, key);
    auto const asked = [&](std::uint32_t index, Bytes octets) {
        Result<void> taken = Errc::internal;
        auto const id = next_request();
        auto const prompt = begin_key_work(m_driver, id, slot, {wanted}, taken);
        EXPECT_TRUE(taken);
        return perform(m_driver, id, index, std::move(octets)).code();
    };

    EXPECT_EQ(asked(1, *signing::prepare_request(content)), Errc::mandate_violated) << "no such operation";
    EXPECT_EQ(asked(0, {}), Errc::mandate_violated) << "nothing to sign";
    EXPECT_EQ(asked(0, cms_item(m_old, "document")), Errc::mandate_violated) << "no request for a certificate";
    content.email = "another@example.kz";
    EXPECT_EQ(asked(0, *signing::prepare_request(content)), Errc::mandate_violated) << "an address nobody saw";
    content = signing::renewal_of(m_old, signing::public_key_of(m_old));
    EXPECT_EQ(asked(0, *signing::prepare_request(content)), Errc::mandate_violated) << "another key";
    content = signing::renewal_of(m_old, key);
    content.subject = {0x30, 0x00};
    EXPECT_EQ(asked(0, *signing::prepare_request(content)), Errc::mandate_violated) << "another person";
}

TEST_F(KeyWorkTest, IsDoneOnceForEachOperation) {
    Result<void> taken = Errc::internal;
    auto const prompt = begin_key_work(m_driver, request, slot, {new_pair(PairKind::ec_p256)}, taken);
    ASSERT_TRUE(perform(m_driver, request, 0).went_well());

    EXPECT_EQ(perform(m_driver, request, 0).code(), Errc::mandate_violated);
    EXPECT_EQ(m_token.calls_soon("C_Logout", 1), 1U);
}

TEST_F(KeyWorkTest, NeedsALoginOfItsOwnAndItsOwnMandate) {
    auto prompt = m_driver.prompt(request);
    ASSERT_TRUE(unlock(prompt, slot, user_pin).reply.status.ok);
    ASSERT_TRUE(prompt.send(ipc::KeyMandate{request, 60, {ipc::ListPairs{}}}));
    EXPECT_EQ(expect<ipc::MandateReply>(prompt).status.code, Errc::mandate_violated) << "a login for signatures";

    Result<void> taken = Errc::internal;
    auto work_prompt = begin_key_work(m_driver, RequestId{2}, slot, {ipc::ListPairs{}}, taken);
    ASSERT_TRUE(taken);
    EXPECT_EQ(m_driver.sign(RequestId{2}, {cms_item(m_old, "document")}).error().code, Errc::mandate_violated);

    auto third = begin_key_work(m_driver, RequestId{3}, slot, {ipc::ListPairs{}}, taken);
    EXPECT_EQ(give(third, mandate_for(RequestId{3}, ipc::Form::cms, m_old, {sha256(as_view("document"))})).error().code,
              Errc::mandate_violated)
        << "a login for work on keys";
    EXPECT_EQ(perform(m_driver, RequestId{4}, 0).code(), Errc::mandate_violated) << "no lease at all";
}

TEST_F(KeyWorkTest, IsRefusedWhereAnOperationCannotBeMeant) {
    auto strange_id = new_pair(PairKind::ec_p256);
    strange_id.id = {1};
    auto no_label = new_pair(PairKind::ec_p256);
    no_label.label.clear();
    auto hidden = new_pair(PairKind::ec_p256);
    hidden.label = "a\u202Eb";

    EXPECT_EQ(mandate({strange_id}).error().code, Errc::bad_request);
    EXPECT_EQ(mandate({no_label}).error().code, Errc::bad_request);
    EXPECT_EQ(mandate({hidden}).error().code, Errc::bad_request);
    EXPECT_EQ(mandate({ipc::StoreCertificate{{1, 2, 3}, false}}).error().code, Errc::bad_request);
    EXPECT_EQ(mandate({}).error().code, Errc::mandate_violated);
    EXPECT_EQ(mandate(std::vector<ipc::KeyOperation>(17)).error().code, Errc::mandate_violated);
}

TEST_F(KeyWorkTest, StoresNoCertificateOfAnotherKey) {
    auto const stranger = make_certificate({.key = KeyKind::ec_p256}).certificate;

    auto const stored = work(ipc::StoreCertificate{stranger, true});

    EXPECT_EQ(stored.code(), Errc::certificate_mismatch);
    EXPECT_EQ(m_token.calls("C_CreateObject"), 0U);
}

TEST_F(KeyWorkTest, LeavesACertificateAsItIsThatIsThere) {
    auto const stored = work(ipc::StoreCertificate{m_old.der(), true});

    EXPECT_TRUE(stored.went_well());
    EXPECT_TRUE(stored.done->was_there);
    EXPECT_EQ(m_token.calls("C_CreateObject"), 0U);
}

TEST_F(KeyWorkTest, TakesACertificateOffAgainWhoseKeyDoesNotSignForIt) {
    auto const made = work(new_pair(PairKind::ec_p256));
    auto const certificate = certificate_for(made.done->pairs.front().public_key);
    m_token.knobs("fail C_Sign 30\n");

    auto const stored = work(ipc::StoreCertificate{certificate, true});

    EXPECT_EQ(stored.code(), Errc::token_failure);
    EXPECT_EQ(stored.done->remains, Remains::cleaned_up);
    m_token.knobs("");
    EXPECT_EQ(work(ipc::ListPairs{}).certificates, std::vector<Bytes>{m_old.der()});
}

TEST_F(KeyWorkTest, BeginsNothingWhereTheTokenSaysThatItIsFull) {
    m_token.knobs("memory 0 100\n");

    auto const made = work(new_pair(PairKind::rsa_2048));

    EXPECT_EQ(made.code(), Errc::token_full);
    EXPECT_EQ(made.done->remains, Remains::nothing);
    EXPECT_EQ(m_token.calls("C_GenerateKeyPair"), 0U);
}

TEST_F(KeyWorkTest, RemovesTheHalfThatATokenHadRoomFor) {
    m_token.knobs("most_objects 3\n");

    auto const made = work(new_pair(PairKind::ec_p256));

    EXPECT_EQ(made.code(), Errc::token_full);
    EXPECT_EQ(made.done->remains, Remains::cleaned_up);
    m_token.knobs("");
    EXPECT_EQ(work(ipc::ListPairs{}).done->pairs.size(), 1U);
    EXPECT_TRUE(old_key_signs());
}

TEST_F(KeyWorkTest, SaysThatATokenMakesNoSuchKeys) {
    m_token.knobs("fail C_GenerateKeyPair 70\n");

    EXPECT_EQ(work(new_pair(PairKind::gost2015_512)).code(), Errc::generation_unsupported);
    EXPECT_EQ(m_token.calls("C_GenerateKeyPair"), 2U) << "by either name of its curve";
}

TEST_F(KeyWorkTest, SaysThatNothingMayBeWritten) {
    m_token.knobs("fail C_OpenSession e2\n");

    EXPECT_EQ(mandate({ipc::ListPairs{}}).error().code, Errc::token_write_protected);
    EXPECT_EQ(m_token.calls("C_Login"), 0U) << "no attempt for that";
}

TEST_F(KeyWorkTest, TakesBackAPairThatThePersonDoesNotWaitForAnyMore) {
    Result<void> taken = Errc::internal;
    auto prompt = begin_key_work(m_driver, request, slot, {new_pair(PairKind::ec_p256)}, taken);
    m_token.knobs("delay C_GenerateKeyPair 300\n");
    ASSERT_TRUE(m_driver.web.send(ipc::PerformKeyOperation{request, 0, {}}));
    while (expect<ipc::KeyProgress>(m_driver.web).step != ipc::KeyStep::generating) {
    }
    ASSERT_EQ(m_token.calls_soon("C_GenerateKeyPair", 1), 1U);

    prompt.close();

    EXPECT_EQ(m_token.calls_soon("C_DestroyObject", 2), 2U);
    m_token.knobs("");
    EXPECT_EQ(work(ipc::ListPairs{}).done->pairs.size(), 1U);
}

class KeyWorkBrokenOff : public KeyWorkTest, public ::testing::WithParamInterface<char const*> {};

TEST_P(KeyWorkBrokenOff, AtAnyCallOfAGenerationIsFinishedByTheNextOne) {
    unsigned char number = 0;
    auto const calls = at_every_call(
        GetParam(), [&] { return new_pair(PairKind::ec_p256, ++number); },
        [&](unsigned n, Worked const& worked) {
            auto const again = work(new_pair(PairKind::ec_p256, number));
            ASSERT_TRUE(again.went_well()) << GetParam() << " at call " << n << ": " << wire_name(again.code());
            auto const pairs = work(ipc::ListPairs{}).done->pairs;
            EXPECT_EQ(std::ranges::count(pairs, pair_id(number), &ipc::PairFound::id), 1)
                << GetParam() << " at call " << n << ": " << wire_name(worked.code());
            EXPECT_TRUE(work(ipc::DeletePair{pair_id(number), again.done->pairs.front().public_key}).went_well());
        });

    EXPECT_GT(calls, 10U);
}

TEST_P(KeyWorkBrokenOff, AtAnyCallOfStoringACertificateLeavesItWholeOrNotThere) {
    Bytes info;
    Bytes certificate;
    auto const calls = at_every_call(
        GetParam(),
        [&] {
            info = work(new_pair(PairKind::ec_p256)).done->pairs.front().public_key;
            certificate = certificate_for(info);
            return ipc::StoreCertificate{certificate, true};
        },
        [&](unsigned n, Worked const& /*worked*/) {
            auto const again = work(ipc::StoreCertificate{certificate, true});
            ASSERT_TRUE(again.went_well()) << GetParam() << " at call " << n << ": " << wire_name(again.code());
            auto const stored = work(ipc::ListPairs{}).certificates;
            EXPECT_EQ(std::ranges::count(stored, certificate), 1) << GetParam() << " at call " << n;
            ASSERT_TRUE(work(ipc::DeletePair{pair_id(1), info}).went_well());
        });

    EXPECT_GT(calls, 10U);
}

TEST_P(KeyWorkBrokenOff, AtAnyCallOfADeletionIsFinishedByTheNextOneAndTakesNothingElse) {
    unsigned char number = 0;
    Bytes info;
    auto const calls = at_every_call(
        GetParam(),
        [&] {
            info = work(new_pair(PairKind::ec_p256, ++number)).done->pairs.front().public_key;
            EXPECT_TRUE(work(ipc::StoreCertificate{certificate_for(info), false}).went_well());
            return ipc::DeletePair{pair_id(number), info};
        },
        [&](unsigned n, Worked const& worked) {
            if (!worked.went_well()) {
                auto const again = work(ipc::DeletePair{pair_id(number), info});
                EXPECT_TRUE(again.went_well() || again.code() == Errc::key_not_found)
                    << GetParam() << " at call " << n << ": " << wire_name(again.code());
            }
            auto const left = work(ipc::ListPairs{});
            EXPECT_EQ(left.done->pairs.size(), 1U) << GetParam() << " at call " << n;
            EXPECT_EQ(left.certificates, std::vector<Bytes>{m_old.der()}) << GetParam() << " at call " << n;
        });

    EXPECT_GT(calls, 5U);
}

INSTANTIATE_TEST_SUITE_P(ByAFailureOrARemoval, KeyWorkBrokenOff, ::testing::Values("fail 30", "vanish"));

// ---- PINs ----

class PinChange : public KeyWorkTest {
protected:
    static Pin pin(std::string text) {
        return text.empty() ? Pin{} : *Pin::take({reinterpret_cast<unsigned char*>(text.data()), text.size()});
    }
    ipc::PinChanged change(std::string const& old_pin, std::string const& new_pin) {
        auto prompt = m_driver.prompt(next_request());
        EXPECT_TRUE(prompt.send(ipc::ChangePin{RequestId{m_last_request}, slot, pin(old_pin), pin(new_pin)}));
        return expect<ipc::PinChanged>(prompt);
    }
    ipc::PinChanged unblock(std::string const& so_pin, std::string const& new_pin) {
        auto prompt = m_driver.prompt(next_request());
        EXPECT_TRUE(prompt.send(ipc::UnblockPin{RequestId{m_last_request}, slot, pin(so_pin), pin(new_pin)}));
        return expect<ipc::PinChanged>(prompt);
    }
    [[nodiscard]] bool opens_with(std::string const& typed) {
        auto prompt = m_driver.prompt(next_request());
        return test::unlock(prompt, slot, typed).reply.status.ok;
    }
};

TEST_F(PinChange, IsOneCallWithoutALogin) {
    EXPECT_TRUE(change(user_pin, "new-pin-1").status.ok);

    EXPECT_EQ(m_token.calls("C_SetPIN"), 1U);
    EXPECT_EQ(m_token.calls("C_Login"), 0U);
    EXPECT_TRUE(opens_with("new-pin-1"));
}

TEST_F(PinChange, S9_CountsAWrongOldPinAndSpendsItOnce) {
    auto const answer = change("00000000", "new-pin-1");

    EXPECT_EQ(answer.status.code, Errc::pin_incorrect);
    EXPECT_EQ(answer.info.wrong_tries_seen, 1U);
    EXPECT_EQ(m_token.calls("C_SetPIN"), 1U);
    EXPECT_TRUE(opens_with(user_pin));
}

TEST_F(PinChange, SpendsNoAttemptOnANewPinThatWillNotDo) {
    EXPECT_EQ(change(user_pin, "abc").status.code, Errc::pin_length);
    EXPECT_EQ(change(user_pin, "12345678901234567").status.code, Errc::pin_length);
    EXPECT_EQ(change(user_pin, "").status.code, Errc::pin_length);

    EXPECT_EQ(m_token.calls("C_SetPIN"), 0U);
}

TEST_F(PinChange, RefusesThePinThatSuchTokensAreDeliveredWith) {
    m_folder.write("config/tamga/families.toml",
                   "[[family]]\nid = \"mine\"\nstorage = \"AKJaCartaStore\"\n"
                   "name = { kk = \"Токен\", ru = \"Токен\", en = \"Token\" }\n"
                   "tokens = [{ manufacturer = \"Tamga*\" }]\ndefault_pins = [\"1234567890\"]\n");
    TokenDriver driver{m_folder.path()};
    auto prompt = driver.prompt(request);
    ASSERT_TRUE(prompt.send(ipc::ChangePin{request, slot, pin(user_pin), pin("1234567890")}));

    EXPECT_EQ(expect<ipc::PinChanged>(prompt).status.code, Errc::pin_unsuitable);
    EXPECT_EQ(m_token.calls("C_SetPIN"), 0U);
}

TEST_F(PinChange, SaysThatTheTokenDoesNotTakeTheNewPin) {
    m_token.knobs("fail C_SetPIN a1\n");

    auto const answer = change(user_pin, "new-pin-1");

    EXPECT_EQ(answer.status.code, Errc::pin_unsuitable);
    EXPECT_EQ(answer.info.wrong_tries_seen, 0U) << "nothing was said against the old one";
}

TEST_F(PinChange, WithTheAdministratorsPinOpensALockedToken) {
    for (int i = 0; i < 3; ++i)
        static_cast<void>(opens_with("00000000"));
    ASSERT_FALSE(opens_with(user_pin)) << "locked";

    EXPECT_EQ(unblock("11111111", "new-pin-1").status.code, Errc::so_pin_incorrect);
    auto const answer = unblock("87654321", "new-pin-1");

    EXPECT_TRUE(answer.status.ok);
    EXPECT_EQ(answer.info.wrong_tries_seen, 0U);
    EXPECT_TRUE(opens_with("new-pin-1"));
}

TEST_F(PinChange, SaysThatTheAdministratorsPinIsLocked) {
    unblock("1111", "new-pin-1");
    unblock("1111", "new-pin-1");
    EXPECT_EQ(unblock("1111", "new-pin-1").status.code, Errc::so_pin_locked);
}

TEST_F(PinChange, WorksOnSoftHsm) {
    Scratch folder;
    SoftToken const soft{folder};
    TokenDriver driver{folder.path()};
    auto const where = driver.list(ipc::Depth::tokens).tokens.at(0);
    EXPECT_EQ(where.info.shortest_pin, 4U) << "as SoftHSM2 says";
    auto prompt = driver.prompt(request);

    ASSERT_TRUE(prompt.send(ipc::ChangePin{request, where.slot, pin(user_pin), pin("new-pin-1")}));
    ASSERT_TRUE(expect<ipc::PinChanged>(prompt).status.ok);
    EXPECT_TRUE(test::unlock(prompt, where.slot, "new-pin-1").reply.status.ok);
    prompt.close();
    auto second = driver.prompt(RequestId{2});
    ASSERT_TRUE(second.send(ipc::UnblockPin{RequestId{2}, where.slot, pin("87654321"), pin("new-pin-2")}));
    EXPECT_TRUE(expect<ipc::PinChanged>(second).status.ok);
    EXPECT_TRUE(test::unlock(second, where.slot, "new-pin-2").reply.status.ok);
}

} // namespace
} // namespace tamga::test
