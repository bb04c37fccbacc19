// The tamga-token process at work: one module, one thread, one operation at a time.
#pragma once

#include "base/channel.hpp"
#include "pkcs11/lease.hpp"
#include "pkcs11/readers.hpp"

#include <map>

namespace tamga::pkcs11 {

/// Answers tamga-web (listings, items to sign) and the prompts (unlock, mandate) over the channels that the launcher
/// sends. The module is loaded at the first request for it, and anew after the card service was lost. No timer runs
/// unless somebody is logged in.
class Service {
public:
    Service(ModuleConfig config, ipc::Channel control);

    /// Until the control channel closes; whoever is logged in then is logged out. Blocking.
    /// Errors: build_mismatch, message_malformed (the launcher is not the one we know), system.
    Result<void> run();

private:
    struct Peer {
        ipc::Channel channel;
        ipc::Role role{};
        bool greeted = false;
    };
    struct Prompt {
        Peer peer;
        std::optional<ipc::Unlock> waiting; ///< until another request's lease on the same token has ended
        std::unique_ptr<Lease> lease;
        SteadyTime since; ///< of the lease
    };

    Result<void> wait();
    Result<void> serve_control();
    Result<void> serve_web();
    Result<void> serve_watcher();
    void card_service_is(ipc::CardService const& service);
    void reader_is(ipc::ReaderState const& state);
    Result<void> serve_prompt(ipc::RequestId request);
    void drop_prompt(ipc::RequestId request);
    static Result<std::optional<ipc::Packet>> next(Peer& peer);
    static Result<Peer> greet(ipc::Packet& packet, ipc::Role role);

    void list(ipc::ListKeys const& wanted);
    Result<void> list_tokens(ipc::ListKeys const& wanted);
    void sign(ipc::RequestId request, std::uint32_t first, std::vector<View> const& items);
    void sign_large(ipc::Packet& packet, ipc::SignLarge const& large);

    void unlock(ipc::RequestId request, Prompt& prompt, ipc::Unlock message);
    void take_mandate(ipc::RequestId request, Prompt& prompt, ipc::Mandate const& message);
    void serve_waiting();
    [[nodiscard]] bool in_use(ipc::SlotId slot) const;

    void end_lease(ipc::RequestId request, Prompt& prompt, Result<void> const& why);
    void end_late_leases();
    void end_all_requests(Error const& why);
    Result<Module*> module();

    ModuleConfig m_config;
    std::unique_ptr<Module> m_module; // before the leases, which borrow it
    Peer m_control;
    Peer m_web;
    Peer m_watcher;
    Readers m_readers;
    std::map<ipc::RequestId, Prompt> m_prompts;
};

} // namespace tamga::pkcs11
