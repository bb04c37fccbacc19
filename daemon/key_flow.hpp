// Work on keys from question to outcome: listing, renewing, installing, deleting, labels and PINs, each one straight
// coroutine. Every prefix of them leaves the person with a key that works.
#pragma once

#include "daemon/applications.hpp"
#include "daemon/sign_flow.hpp"
#include "policy/key_state.hpp"
#include "protocol/tamga/tamga.hpp"

#include <map>

namespace tamga::daemon {

struct KeySettings {
    policy::OriginRules granted;               ///< `allow`: the sites that may manage keys; mostly none
    std::map<std::string, std::string> stores; ///< dotted identifiers for the key-store extension, by storage
    std::filesystem::path applications;        ///< folder
    std::chrono::seconds prompt_limit{};
};

/// What these flows work with; all of it outlives them.
struct KeyFlowParts {
    Keys& keys;
    Prompts& prompts;
    SignFlow& sign_flow;
    Sites& sites;
    Compute& compute;
    Revocations& revocations;
    Recorder& recorder;
};

/// Runs on the loop thread. Cancelling a flow (page gone) dismisses its window and logs its token out; what was done
/// until then is kept with the application.
class KeyFlow {
public:
    KeyFlow(KeyFlowParts parts, KeySettings settings)
        : m_parts{parts}, m_settings{std::move(settings)}, m_applications{m_settings.applications} {}

    /// One of the methods that are `reserved`. Errors: key_work_denied (this site may not, or commands alone may), what
    /// the window and the token say, and of applications application_unknown, application_damaged.
    Task<Result<Tree>> run(Asker asker, protocol::v1::Method method);

private:
    using Steps = std::vector<ipc::KeyOperation>;

    /// A window that was answered, and the token that holds its mandate.
    struct Work {
        std::shared_ptr<Prompt> prompt;
        std::unique_ptr<Lease> lease;
        ipc::Accepted accepted;
        std::uint32_t total = 0;
    };

    Task<Result<Tree>> act(Asker asker, protocol::v1::ListKeys wanted);
    Task<Result<Tree>> act(Asker asker, protocol::v1::RenewKeys wanted);
    Task<Result<Tree>> act(Asker asker, protocol::v1::InstallCertificates wanted);
    Task<Result<Tree>> act(Asker asker, protocol::v1::DeleteKey wanted);
    Task<Result<Tree>> act(Asker asker, protocol::v1::LabelKey wanted);
    Task<Result<Tree>> act(Asker asker, protocol::v1::ChangePin wanted);
    Task<Result<Tree>> act(Asker asker, protocol::v1::UnblockPin wanted);
    Task<Result<Tree>> act(Asker asker, protocol::v1::ListApplications wanted);
    Task<Result<Tree>> act(Asker asker, protocol::v1::ShowApplication wanted);
    Task<Result<Tree>> act(Asker asker, protocol::v1::NoteSubmission wanted);

    [[nodiscard]] Result<void> may_ask(Asker const& asker, protocol::v1::Method const& method) const;

    Task<Result<Work>> begin(Asker asker, protocol::v1::TokenWanted token, Steps steps);
    Task<Result<Tree>> ask_for_pin(Asker asker, protocol::v1::TokenWanted token, ipc::Purpose purpose);
    Task<Result<Work>> ask(Asker asker, ipc::PromptRequest question);
    // References in these refer to the frame of the flow that awaits them.
    Task<Result<Lease::Performed>> perform(Work& work, Asker const& asker, std::uint32_t index, Bytes octets);
    Task<Result<void>> end(Work& work, Result<void> outcome);
    Task<Result<void>> perform_all(Work& work, Asker const& asker);

    Task<protocol::v1::TokenWanted> known_token(protocol::v1::TokenWanted wanted);
    Result<Application> plan(protocol::v1::RenewKeys const& wanted) const;
    Task<Result<void>> make_requests(Asker asker, Application& application);
    Task<Result<void>> make_pairs(Work& work, Asker const& asker, Application& application);
    Task<Result<void>> sign_application(Asker asker, Application& application);
    Task<Result<std::vector<Lease::Performed>>> store(Work& work, Asker const& asker, std::size_t count);
    [[nodiscard]] Result<void> keep(Application& application, ApplicationState state) const;
    [[nodiscard]] Tree describe(Lease::Performed const& listed) const;
    [[nodiscard]] Tree describe(signing::Certificate const& certificate) const;

    KeyFlowParts m_parts;
    KeySettings m_settings;
    Applications m_applications;
};

} // namespace tamga::daemon
