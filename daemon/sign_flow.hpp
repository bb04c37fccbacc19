// The way of a request from typed question to outcome: hops 3a-3f of README's table, each flow one straight coroutine.
#pragma once

#include "daemon/chosen_files.hpp"
#include "daemon/compute.hpp"
#include "daemon/documents.hpp"
#include "daemon/keys.hpp"
#include "daemon/prompts.hpp"
#include "daemon/recorder.hpp"
#include "daemon/remembered_logins.hpp"
#include "daemon/revocations.hpp"
#include "daemon/service_gate.hpp"
#include "daemon/sites.hpp"
#include "daemon/stamps.hpp"
#include "protocol/request.hpp"

#include <span>

namespace tamga::daemon {

/// Who asks: one connection's page, or a command of this computer.
struct Asker {
    std::string origin; ///< of the page; empty for a command
    Language language{};
    std::shared_ptr<ChosenFiles> files{}; ///< of the connection
    bool is_command = false;              ///< came over the local socket: no site, so none that is asked about
    ipc::Terminal terminal{};             ///< of a command without a display
    /// Hears how far the request is, where somebody wants to; called on the loop.
    std::function<void(protocol::Stage, std::uint32_t done, std::uint32_t total)> progress{};

    /// For the log.
    [[nodiscard]] std::string name() const { return is_command ? "local" : origin; }
    void tell(protocol::Stage stage, std::size_t done, std::size_t total) const {
        if (progress) progress(stage, static_cast<std::uint32_t>(done), static_cast<std::uint32_t>(total));
    }
};

/// Runs on the loop thread. Cancelling a flow (page gone) dismisses its prompt and logs its token out.
class SignFlow {
public:
    SignFlow(asio::any_io_executor executor, Keys& keys, Prompts& prompts, Sites& sites, ServiceGate& gate,
             Compute& compute, Stamps& stamps, Revocations& revocations, Recorder& recorder,
             RememberedLogins& remembered, std::chrono::seconds prompt_limit)
        : m_keys{keys},
          m_prompts{prompts},
          m_sites{sites},
          m_gate{gate},
          m_compute{compute},
          m_stamps{stamps},
          m_revocations{revocations},
          m_recorder{recorder},
          m_remembered{remembered},
          m_prompt_limit{prompt_limit},
          m_large_trees{std::move(executor)} {}

    /// Errors of all: site_refused, user_cancelled, timeout, busy, prompt_unavailable, token_absent, token_crashed ...
    Task<Result<protocol::Outcome>> run(Asker asker, protocol::ListStorages request);
    Task<Result<protocol::Outcome>> run(Asker asker, protocol::DescribeKey request);
    Task<Result<protocol::Outcome>> run(Asker asker, protocol::Sign request);
    Task<Result<protocol::Outcome>> run(Asker asker, protocol::ChooseFile request);
    Task<Result<protocol::Outcome>> run(Asker asker, protocol::ApplyTimestamps request);

    /// Asks about a site that nobody has allowed yet, before work is done for it. Errors: site_refused, origin_denied,
    /// and what the prompt says.
    Task<Result<void>> settle_site(Asker asker);

private:
    struct Decision {
        std::shared_ptr<Prompt> prompt;
        ipc::Accepted accepted;
        UniqueFd file;
    };

    /// Items that went to the token together; `octets` is the size of their documents.
    struct Chunk {
        std::uint32_t first = 0;
        std::span<Document> items;
        std::size_t octets = 0;
        Clock::time_point sent;
    };

    // References in these refer to the frame of the flow that awaits them.
    Task<Result<protocol::Outcome>> sign(Asker asker, protocol::Sign request, Recorder::Use& use);
    Task<Result<protocol::Outcome>> sign_as_decided(Asker const& asker, protocol::Sign const& request,
                                                    ipc::KeyFilter const& filter, Decision decision,
                                                    std::vector<Document>& documents, Recorder::Use& use);
    Task<Result<protocol::Outcome>> sign_in_remembered(std::string origin, protocol::Sign const& request,
                                                       RememberedLogins::Login login);
    Task<Result<Decision>> decide(Asker asker, ipc::PromptRequest question, UniqueFd items);
    Task<Result<Decision>> ask(Asker asker, std::uint64_t modules, ipc::PromptRequest question, UniqueFd items);
    [[nodiscard]] Standing standing(Asker const& asker);
    Task<Result<void>> read_chosen_file(Asker asker, protocol::Sign& request);
    Task<Result<std::vector<Bytes>>> sign_all(std::vector<Document>& documents, signing::Certificate signer,
                                              Lease& lease, Prompt& prompt, Asker const& asker, Recorder::Use& use);
    Task<Result<void>> stamp_all(std::vector<Bytes>& values, std::vector<signing::UnstampedSigner> signatures,
                                 std::shared_ptr<Prompt> prompt, Asker const& asker);
    Task<Result<Chunk>> send_chunk(std::span<Document> documents, std::size_t first, signing::Certificate signer,
                                   Lease& lease);

    Keys& m_keys;
    Prompts& m_prompts;
    Sites& m_sites;
    ServiceGate& m_gate;
    Compute& m_compute;
    Stamps& m_stamps;
    Revocations& m_revocations;
    Recorder& m_recorder;
    RememberedLogins& m_remembered;
    std::chrono::seconds m_prompt_limit;
    Turnstile m_large_trees;
    Compute m_tree_reader; ///< a large tree takes seconds, which nobody else's documents have to wait for
};

} // namespace tamga::daemon
