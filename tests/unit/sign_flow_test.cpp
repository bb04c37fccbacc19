// The flow of tamga-web, run against fakes at the other ends of its pairs: the order of the hops, and who hears what.
#include "base/sealed_items.hpp"
#include "daemon/desk.hpp"
#include "daemon/launcher_link.hpp"
#include "tests/support/scratch.hpp"
#include "tests/support/test_certificates.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <thread>

namespace tamga::daemon {
namespace {

using namespace std::chrono_literals;

constexpr ipc::ModuleIndex module{0};
constexpr ipc::SlotId slot{5};

/// What happened at the fakes, in order; they run in threads of their own, as the real ones in processes, and end when
/// the page has its answer.
class Story {
public:
    /// The next message for a fake; nothing once its channel is closed or the request is over.
    std::optional<ipc::Packet> next(ipc::Channel& channel) const {
        while (true) {
            auto const ends = over.load(); // asked first: what was sent before the end is read after it
            auto packet = channel.receive(20ms);
            if (packet) return std::move(*packet);
            if (ends || packet.error().code != Errc::timeout) return std::nullopt;
        }
    }
    void tell(std::string event) {
        std::scoped_lock const lock{m_mutex};
        m_events.push_back(std::move(event));
    }
    [[nodiscard]] std::vector<std::string> events() const {
        std::scoped_lock const lock{m_mutex};
        return m_events;
    }

    std::atomic<bool> over = false;

private:
    mutable std::mutex m_mutex;
    std::vector<std::string> m_events;
};

/// A token that holds one key and answers as tamga-token does.
void play_token(ipc::Channel web, test::TestKey const& key, bool plugged_in, Story& story) {
    ASSERT_TRUE(ipc::say_hello(web, ipc::Role::token) && ipc::await_hello(web, ipc::Role::web, 5s));
    while (auto packet = story.next(web)) {
        if (auto question = packet->as<ipc::ListKeys>()) {
            story.tell("list for tamga-web");
            EXPECT_EQ(question->depth, ipc::Depth::tokens);
            if (plugged_in) {
                ipc::TokenFound found{question->query, slot, {}};
                found.info.storage = "AKKaztokenStore";
                ASSERT_TRUE(web.send(found));
            }
            ASSERT_TRUE(web.send(ipc::ListingDone{question->query, ipc::Status::from(ok())}));
        } else if (auto items = packet->as<ipc::SignItems>()) {
            story.tell("3e sign");
            ipc::Signatures signatures{items->request, items->first, {}};
            for (auto const& item : items->items)
                signatures.values.push_back(key.sign(item));
            ASSERT_TRUE(web.send(signatures));
        } else if (auto finish = packet->as<ipc::FinishLease>()) {
            story.tell("3e logout");
            ASSERT_TRUE(web.send(ipc::LeaseEnded{finish->request, ipc::Status::from(ok())}));
        }
    }
}

/// `has_no_token`: allows a site that is asked about, but nothing is plugged in.
enum class Person { agrees, cancels, refuses_the_site, has_no_token };

/// A prompt whose person decides at once.
void play_prompt(ipc::Channel web, test::TestKey const& key, Person person, Story& story, ipc::ServiceShown& shown) {
    ASSERT_TRUE(ipc::say_hello(web, ipc::Role::prompt) && ipc::await_hello(web, ipc::Role::web, 5s));
    auto asked = web.receive(5s);
    auto const request = asked->as<ipc::PromptRequest>();
    ASSERT_TRUE(request);
    shown = request->service;
    if (request->purpose == ipc::Purpose::site) {
        story.tell("3c asks about the site");
    } else if (person != Person::has_no_token) {
        auto const items = SealedItems::open(asked->descriptors.front(), 100);
        story.tell("3c shows " + std::string{as_text(items->items().front())} + " for " +
                   (request->storages.empty() ? "any storage" : request->storages.front()));
    }
    switch (person) {
    case Person::agrees: ASSERT_TRUE(web.send(ipc::Accepted{module, slot, key.certificate, false, {}, {}})); break;
    case Person::cancels: ASSERT_TRUE(web.send(ipc::PromptEnded{ipc::Status::from(Errc::user_cancelled)})); return;
    case Person::has_no_token: {
        if (request->site_is_new) story.tell("3c asks about the site");
        ASSERT_TRUE(web.send(ipc::PromptEnded{ipc::Status::from(Errc::token_absent), request->site_is_new}));
        return;
    }
    case Person::refuses_the_site:
        ASSERT_TRUE(web.send(ipc::PromptEnded{ipc::Status::from(Errc::site_refused)}));
        return;
    }
    while (auto packet = story.next(web)) {
        if (auto done = packet->as<ipc::RequestDone>()) story.tell(done->status.ok ? "done" : "failed");
    }
}

class SignFlowTest : public ::testing::Test {
protected:
    /// Runs one request of `origin` through the desk and gives the text that goes back to the page.
    std::string ask(std::string const& origin, std::string const& frame, Person person, bool plugged_in = true) {
        auto control = ipc::make_pair();
        auto token = ipc::make_pair();
        std::thread launcher{
            [&, launcher_end = std::move(control->second), web_end = std::move(token->second)]() mutable {
                play_launcher(std::move(launcher_end), std::move(web_end), person);
            }};
        std::thread token_process{
            [&, end = std::move(token->first)]() mutable { play_token(std::move(end), m_key, plugged_in, m_story); }};

        auto text = run_web(std::move(control->first), origin, frame);
        launcher.join();
        token_process.join();
        return text;
    }

    [[nodiscard]] std::filesystem::path journal() const { return m_folder.path() / "state" / "journal.db"; }
    [[nodiscard]] std::vector<journal::Entry> entries() const {
        auto book = journal::Book::open_existing(journal());
        return book && *book ? *(*book)->find({}) : std::vector<journal::Entry>{};
    }

    Story m_story;
    ipc::ServiceShown m_shown; ///< what the window was last told of the service; read when the request is over
    test::Scratch const m_folder;
    test::TestKey m_key = test::make_certificate();
    policy::OriginRules m_rules{{"portal.test"}, {}, false, false};
    policy::ServiceFolders m_services; ///< nothing in them unless a test puts it there
    policy::Unclassified m_unclassified = policy::Unclassified::shown;

private:
    void play_launcher(ipc::Channel web, ipc::Channel token, Person person) {
        ASSERT_TRUE(ipc::say_hello(web, ipc::Role::launcher) && ipc::await_hello(web, ipc::Role::web, 5s));
        ASSERT_TRUE(web.send(ipc::TokenChannel{module}, {token.fd()}));
        token.close();
        while (auto packet = m_story.next(web)) {
            auto const wanted = packet->as<ipc::PromptWanted>();
            ASSERT_TRUE(wanted);
            auto pair = ipc::make_pair();
            ASSERT_TRUE(web.send(ipc::PromptChannel{wanted->request}, {pair->first.fd()}));
            pair->first.close();
            play_prompt(std::move(pair->second), m_key, person, m_story, m_shown);
        }
    }

    std::string run_web(ipc::Channel control, std::string const& origin, std::string const& frame) {
        asio::io_context loop{1};
        Compute compute;
        Sites sites{m_rules, policy::ConsentBook::load(m_folder.path() / "sites.toml")};
        Keys keys{loop.get_executor()};
        std::string reply;
        std::function<void()> begin;
        LauncherEvents events;
        events.listener = [](ipc::Listener, UniqueFd) {};
        events.token_gone = [](ipc::ModuleIndex) {};
        events.stop = [] {};
        events.token_up = [&](ipc::ModuleIndex index, ipc::Channel channel) {
            keys.token_up(index, std::move(channel));
            begin();
        };
        LauncherLink link{loop.get_executor(), std::move(control), std::move(events)};
        Prompts prompts{loop.get_executor(), link};
        HttpClient http{loop.get_executor(), std::nullopt};
        StampSettings nobody{{"127.0.0.1", "1", "/"}, std::nullopt, 1s};
        Stamps stamps{loop.get_executor(), http, compute, std::move(nobody), [](auto const&) { return ok(); }};
        Revocations revocations{loop.get_executor(),
                                http,
                                compute,
                                {{"127.0.0.1", "1", "/"}, {}, {}, {}, {}},
                                signing::RevocationCache{{}}};
        ServiceGate gate{policy::ServiceBook{m_services, policy::UserCatalogues::counted, policy::Remembering::kept},
                         m_unclassified};
        Recorder recorder{loop.get_executor(), journal(), {}};
        RememberedLogins remembered{recorder};
        SignFlow flow{loop.get_executor(), keys,     prompts,    sites, gate, compute, stamps,
                      revocations,         recorder, remembered, 5s};
        Desk desk{flow, compute};
        Asker asker{origin, Language::en};
        auto request = [&]() -> Task<void> {
            auto answer = co_await desk.answer(asker, frame);
            reply = answer.value_or("");
            m_story.over = true;
        };
        begin = [&] { asio::co_spawn(loop, request(), asio::detached); };
        asio::co_spawn(loop, link.run(), asio::detached);
        loop.run(); // until the fakes have closed their ends and every coroutine has seen it
        recorder.finish();
        return reply;
    }
};

std::string const sign_one = R"({"module":"kz.gov.pki.knca.basics","method":"sign","args":{"allowedStorages":null,)"
                             R"("format":"cms","data":"hello","signingParams":{},)"
                             R"("signerParams":{"extKeyUsageOids":[]}}})";
std::string const tokens = R"({"module":"kz.gov.pki.knca.commonUtils","method":"getActiveTokens"})";

TEST_F(SignFlowTest, GoesShowSignLogoutDoneInThisOrder) {
    auto const reply = ask("https://portal.test", sign_one, Person::agrees);

    EXPECT_EQ(m_story.events(),
              (std::vector<std::string>{"3c shows hello for any storage", "3e sign", "3e logout", "done"}));
    EXPECT_NE(reply.find("BEGIN CMS"), std::string::npos);
}

TEST_F(SignFlowTest, TellsTheWindowWhichStoragesThePageWants) {
    auto const frame = std::string{sign_one}.replace(sign_one.find("null"), 4, R"(["AKKaztokenStore"])");

    ask("https://portal.test", frame, Person::agrees);

    EXPECT_EQ(m_story.events().front(), "3c shows hello for AKKaztokenStore");
}

TEST_F(SignFlowTest, AsksNobodyWhereTheDocumentsCannotBeRead) {
    auto const broken = ask("https://portal.test",
                            R"({"module":"kz.gov.pki.knca.commonUtils","method":"signXml",)"
                            R"("args":["AKKaztokenStore","SIGNATURE","<a>","",""]})",
                            Person::agrees);

    EXPECT_TRUE(m_story.events().empty());
    EXPECT_NE(broken.find("SAXParseException"), std::string::npos);
}

TEST_F(SignFlowTest, LeavesOneLogLineForARequestThatEndsInParsing) {
    for (auto const& [frame, outcome] :
         {std::pair{R"({"module":"kz.gov.pki.knca.basics","method":"sign","args":{}})", "bad_request"},
          {R"({"module":"kz.gov.pki.knca.commonUtils","method":"getKeyInfo","args":["Floppy"]})", "storage_unknown"},
          {R"({"module":"kz.gov.pki.knca.commonUtils","method":"changeLocale","args":["kk"]})", "ok"},
          {"no JSON", "bad_request"}}) {
        testing::internal::CaptureStderr();
        ask("https://portal.test", frame, Person::agrees);
        auto const log = testing::internal::GetCapturedStderr();

        EXPECT_NE(log.find(std::string{"outcome=\""} + outcome + '"'), std::string::npos) << frame << '\n' << log;
        EXPECT_EQ(log.find(": request "), log.rfind(": request ")) << log;
        m_story.over = false;
    }
}

TEST_F(SignFlowTest, S22ReadsNoLargeXmlForASiteThatNobodyHasAllowed) {
    auto const frame = R"({"module":"kz.gov.pki.knca.commonUtils","method":"signXml",)"
                       R"("args":["AKKaztokenStore","SIGNATURE","<a>)" +
                       std::string(70'000, 'x') + R"(","",""]})";

    auto const refused = ask("https://new.test", frame, Person::refuses_the_site);
    EXPECT_EQ(m_story.events(), (std::vector<std::string>{"3c asks about the site"}));
    EXPECT_EQ(refused, R"({"code":"500","message":"action.canceled"})");

    m_story.over = false;
    auto const allowed = ask("https://other.test", frame, Person::agrees);
    EXPECT_EQ(m_story.events(), (std::vector<std::string>{"3c asks about the site", "3c asks about the site", "done"}));
    EXPECT_NE(allowed.find("SAXParseException"), std::string::npos);
}

TEST_F(SignFlowTest, NothingIsSentToTheTokenAfterACancel) {
    auto const reply = ask("https://portal.test", sign_one, Person::cancels);

    EXPECT_EQ(m_story.events(), (std::vector<std::string>{"3c shows hello for any storage"}));
    EXPECT_EQ(reply, R"({"body":{},"status":true})");
}

TEST_F(SignFlowTest, S5TellsANewSiteNothingAboutTokensBeforeItWasAllowed) {
    auto const refused = ask("https://new.test", tokens, Person::refuses_the_site);

    EXPECT_EQ(m_story.events(), (std::vector<std::string>{"3c asks about the site"}));
    EXPECT_EQ(refused, R"({"code":"500","message":"action.canceled"})");
}

TEST_F(SignFlowTest, S5RemembersANewSiteThatWasAllowedAlthoughThereIsNoToken) {
    auto const reply = ask("https://new.test", sign_one, Person::has_no_token);
    EXPECT_EQ(m_story.events(), (std::vector<std::string>{"3c asks about the site"}));
    EXPECT_EQ(reply.find("BEGIN CMS"), std::string::npos);
    EXPECT_NE(reply.find(R"("status":false)"), std::string::npos);

    m_story.over = false;
    ask("https://new.test", sign_one, Person::has_no_token);

    EXPECT_EQ(m_story.events().size(), 1U) << "not asked again";
}

TEST_F(SignFlowTest, ListsTokensForAPageThatAsksWhichThereAre) {
    EXPECT_NE(ask("https://portal.test", tokens, Person::agrees).find("AKKaztokenStore"), std::string::npos);
    EXPECT_EQ(m_story.events(), (std::vector<std::string>{"list for tamga-web"}));
}

TEST_F(SignFlowTest, ShowsThatARequestWhoseServiceIsNotKnownIsUnclassified) {
    ask("https://portal.test", sign_one, Person::agrees);

    EXPECT_EQ(m_shown.classified, ipc::Classified::unclassified);
    EXPECT_TRUE(m_shown.name.empty());
}

TEST_F(SignFlowTest, RefusesWhatIsUnclassifiedInStrictModeBeforeAnybodyIsAsked) {
    m_unclassified = policy::Unclassified::refused;

    auto const reply = ask("https://portal.test", sign_one, Person::agrees);

    EXPECT_TRUE(m_story.events().empty());
    EXPECT_NE(reply.find(R"("details":"service_unknown")"), std::string::npos) << reply;
}

TEST_F(SignFlowTest, TakesARequestForAnAuthenticationKeyForASignInAndClassifiesNone) {
    m_unclassified = policy::Unclassified::refused;
    auto const frame = std::string{sign_one}.replace(sign_one.find("[]"), 2, R"(["1.3.6.1.5.5.7.3.2"])");

    ask("https://portal.test", frame, Person::agrees);

    EXPECT_EQ(m_story.events().front(), "3c shows hello for any storage");
    EXPECT_EQ(m_shown.classified, ipc::Classified::not_asked);
}

TEST_F(SignFlowTest, TellsASiteThatWasRefusedNothingOfItsServices) {
    m_unclassified = policy::Unclassified::refused;
    auto answers = policy::ConsentBook::load(m_folder.path() / "sites.toml");
    ASSERT_TRUE(answers.remember("https://portal.test", policy::Answer::deny));

    EXPECT_EQ(ask("https://portal.test", sign_one, Person::agrees), R"({"body":{},"status":true})");
}

// ---- the journal ----

TEST_F(SignFlowTest, WritesDownWhoHadWhatSignedWithWhichCertificateAndNoContent) {
    ask("https://portal.test", sign_one, Person::agrees);

    auto const written = entries();
    ASSERT_EQ(written.size(), 1U);
    auto const& entry = written.front();
    EXPECT_EQ(entry.site, "https://portal.test");
    EXPECT_EQ(entry.outcome, "signed");
    EXPECT_EQ(entry.signatures, 1);
    auto const signer = signing::Certificate::parse(m_key.certificate);
    EXPECT_EQ(entry.certificate, to_hex(signer->fingerprint()));
    EXPECT_EQ(entry.subject, signer->subject_dn());
    // sha256sum of "hello".
    EXPECT_EQ(entry.listed.at(0).digest, "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
    EXPECT_EQ(m_folder.read("state/journal.db").find("hello"), std::string::npos);
}

TEST_F(SignFlowTest, WritesDownThatThePersonCancelledAndWithoutACertificate) {
    ask("https://portal.test", sign_one, Person::cancels);

    ASSERT_EQ(entries().size(), 1U);
    EXPECT_EQ(entries().front().outcome, "user_cancelled");
    EXPECT_EQ(entries().front().signatures, 0);
    EXPECT_EQ(entries().front().certificate, "");
}

TEST_F(SignFlowTest, SignsAlsoWhereTheJournalCannotBeWrittenAndSaysSo) {
    m_folder.write("state", "no folder");

    testing::internal::CaptureStderr();
    auto const reply = ask("https://portal.test", sign_one, Person::agrees);

    EXPECT_NE(testing::internal::GetCapturedStderr().find("journal"), std::string::npos);
    EXPECT_NE(reply.find("BEGIN CMS"), std::string::npos);
}

TEST_F(SignFlowTest, BeginsANewJournalWhereTheFileIsDamagedAndLosesNoEntryByIt) {
    std::filesystem::create_directory(m_folder / "state");
    m_folder.write("state/journal.db", std::string(8192, 'x'));

    ask("https://portal.test", sign_one, Person::agrees);

    EXPECT_EQ(entries().size(), 1U);
    EXPECT_EQ(m_folder.read("state/journal.db.damaged"), std::string(8192, 'x'));
}

/// The gate with what pages of our own protocol can say.
class ServiceGateTest : public ::testing::Test {
protected:
    [[nodiscard]] static protocol::Claim for_use(protocol::Use use) { return {use, {}, {}}; }
    [[nodiscard]] Result<ipc::PromptRequest> judge(protocol::Claim claim, ipc::KeyFilter filter = {},
                                                   policy::Unclassified unclassified = policy::Unclassified::shown) {
        ServiceGate gate{policy::ServiceBook{{}, policy::UserCatalogues::counted, policy::Remembering::looked_at},
                         unclassified};
        protocol::Sign request;
        request.claim = std::move(claim);
        ipc::PromptRequest question;
        question.purpose = request.purpose;
        question.filter = std::move(filter);
        auto judged = gate.judge(request, "https://portal.test", Language::en, question);
        if (!judged) return judged.error();
        return question;
    }
};

TEST_F(ServiceGateTest, S21TakesAKeyForSignaturesForADocumentAndOneForAuthenticationForASignIn) {
    using Usages = std::vector<std::string>;

    EXPECT_EQ(judge(for_use(protocol::Use::document))->filter.extended_key_usages, (Usages{"1.3.6.1.5.5.7.3.4"}));
    EXPECT_EQ(judge(for_use(protocol::Use::key_account))->filter.extended_key_usages, (Usages{"1.3.6.1.5.5.7.3.4"}));
    EXPECT_EQ(judge(for_use(protocol::Use::sign_in))->filter.extended_key_usages, (Usages{"1.3.6.1.5.5.7.3.2"}));
    EXPECT_EQ(judge(for_use(protocol::Use::sign_in))->purpose, ipc::Purpose::sign_in);
    EXPECT_TRUE(judge({})->filter.extended_key_usages.empty()) << "the page of an old protocol names the key itself";
}

TEST_F(ServiceGateTest, GatesServiceRequestsAlone) {
    auto const strict = policy::Unclassified::refused;

    EXPECT_EQ(judge(for_use(protocol::Use::document), {}, strict)->service.classified, ipc::Classified::document);
    EXPECT_EQ(judge(for_use(protocol::Use::key_account), {}, strict)->service.classified, ipc::Classified::key_account);
    EXPECT_EQ(judge({protocol::Use::service_request, "nobody/knows", {}}).error().code, Errc::service_unknown);
}

TEST_F(ServiceGateTest, PassesThePrincipalOnAsThePageSaidItWithinLimits) {
    protocol::Claim claim{protocol::Use::document, {}, {"Name", "123456789021", "Order 1"}};

    auto const question = judge(claim);
    ASSERT_TRUE(question);
    EXPECT_EQ(question->principal.name, "Name");
    EXPECT_EQ(question->principal.id_number, "123456789021");
    EXPECT_EQ(question->principal.authority, "Order 1");

    claim.on_behalf_of.authority = std::string(1001, 'x');
    EXPECT_EQ(judge(claim).error().code, Errc::too_large);
}

TEST_F(ServiceGateTest, LeavesWhatThePageAsksOfTheSignerAsItIs) {
    ipc::KeyFilter filter;
    filter.iin = "123456789011";
    filter.roles = {"1.2.398.3.3.4.1.2.1"};

    auto const question = judge(for_use(protocol::Use::document), filter);

    EXPECT_EQ(question->filter.iin, "123456789011");
    EXPECT_EQ(question->filter.roles, filter.roles);
}

} // namespace
} // namespace tamga::daemon
