// The sheet for work on keys and for PINs, driven by keyboard: what is told, and what has to be typed before anything
// is done. The pictures are for docs/screen.md.
#include "signing/pkcs10.hpp"
#include "tests/window/window_fixture.hpp"

namespace tamga {
namespace {

using testing::WindowTest;

class KeyWorkWindow : public WindowTest {
protected:
    KeyWorkWindow() {
        m_documents.clear();
        m_request.origin.clear();
        m_request.filter = {};
        m_request.purpose = ipc::Purpose::key_work;
        m_token.info.shortest_pin = 4;
        m_token.info.longest_pin = 16;
    }
    static Bytes new_id() {
        auto id = document(ipc::made_here);
        id.resize(ipc::pair_id_size, 7);
        return id;
    }
    [[nodiscard]] ipc::KeyOperation deletion() const {
        return ipc::DeletePair{{1}, signing::public_key_of(*signing::Certificate::parse(m_key)).der};
    }
    [[nodiscard]] std::vector<ipc::KeyOperation> renewal() const {
        auto const present = *signing::Certificate::parse(m_key);
        auto const subject = signing::renewal_of(present, signing::public_key_of(present)).subject;
        return {ipc::GeneratePair{ipc::PairKind::gost2015_512, ipc::PairUse::both, new_id(), "2026"},
                ipc::SignCertificationRequest{new_id(), subject, "test@example.kz", {}}};
    }
};

TEST_F(KeyWorkWindow, APairIsDeletedOnlyAfterTheWordWasTyped) {
    m_request.operations = {deletion()};
    open();
    type("1234");
    press("Return");
    EXPECT_EQ(unlocks(), 0U) << "the button waits for the word";

    press("alt+y");
    type("DELETE");
    press("Return");

    EXPECT_TRUE(hear<ipc::Accepted>());
    EXPECT_EQ(m_events.count("key_mandate"), 1U);
}

TEST_F(KeyWorkWindow, APinIsChangedWhenTheNewOneWasTypedTwiceAlike) {
    m_request.purpose = ipc::Purpose::change_pin;
    open();
    type("1234");
    press("alt+n");
    type("new-pin-1");
    press("alt+g");
    type("new-pin-2");
    press("Return");
    EXPECT_FALSE(m_events.any_starts_with("change")) << "they differ";

    press("BackSpace 1 Return");

    EXPECT_TRUE(hear<ipc::Accepted>());
    EXPECT_EQ(m_events.count("change 1234 to new-pin-1"), 1U);
}

class KeyWorkScreen : public KeyWorkWindow, public ::testing::WithParamInterface<Language> {
protected:
    KeyWorkScreen() { m_request.language = GetParam(); }
    void picture_of(std::string const& name) const {
        constexpr char const* suffixes[] = {"-en", "-kk", "-ru"};
        picture("screen-" + name + suffixes[static_cast<std::size_t>(GetParam())]);
    }
};
INSTANTIATE_TEST_SUITE_P(Languages, KeyWorkScreen, ::testing::Values(Language::kk, Language::ru, Language::en));

TEST_P(KeyWorkScreen, ForARenewalWhileTheTokenIsAtWork) {
    m_request.operations = renewal();
    open();
    type("1234");
    picture_of("keys-renew");
    press("Return");
    ASSERT_TRUE(hear<ipc::Accepted>());
    ASSERT_TRUE(m_prompt->web.send(ipc::Progress{0, 2, ipc::Stage::key_work}));
    picture_of("keys-at-work");
    ASSERT_TRUE(m_prompt->web.send(ipc::RequestDone{ipc::Status::from(ok())}));
    EXPECT_EQ(m_prompt->wait(), 0);
}

TEST_P(KeyWorkScreen, ForADeletion) {
    m_request.operations = {deletion()};
    open();
    type("1234");
    picture_of("keys-delete");
    press("Escape");
    EXPECT_EQ(hear<ipc::PromptEnded>()->status.code, Errc::user_cancelled);
}

TEST_P(KeyWorkScreen, ForANewPin) {
    m_request.purpose = ipc::Purpose::change_pin;
    open();
    type("1234");
    picture_of("pin-change");
    press("Escape");
    EXPECT_EQ(hear<ipc::PromptEnded>()->status.code, Errc::user_cancelled);
}

} // namespace
} // namespace tamga
