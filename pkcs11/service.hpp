// The tamga-token process at work: the loop, which speaks with the others and never calls the module. What the module
// is asked runs on lanes (lane.hpp), one for each token.
#pragma once

#include "pkcs11/leases.hpp"
#include "pkcs11/peer.hpp"
#include "pkcs11/readers.hpp"
#include "pkcs11/screen_watch.hpp"

#include <poll.h>

namespace tamga::pkcs11 {

/// Answers tamga-web (listings, items to sign) and the prompts (unlock, mandate) over the channels that the launcher
/// sends. The module is loaded at the first request for it, and anew after the card service was lost. No timer runs
/// unless somebody is logged in or waits for the module.
class Service {
public:
    Service(ModuleConfig config, Limits limits, ipc::Channel control);

    /// Until the control channel closes; whoever is logged in then is logged out. Blocking. Where the module passes a
    /// deadline, the process ends here, after everybody who waits for it was told.
    /// Errors: build_mismatch, message_malformed (the launcher is not the one we know), system.
    Result<void> run();

private:
    Result<void> turn();
    Result<void> sleep(std::vector<::pollfd>& ends) const;
    Result<void> serve_control();
    Result<void> serve_web();
    Result<void> serve_watcher();
    void card_service_is(ipc::CardService const& service);
    void reader_is(ipc::ReaderState const& state);
    Result<void> serve_prompt(ipc::RequestId request);
    void drop_prompt(ipc::RequestId request);
    void tell_of_change();

    template <class Tell, class Note>
    void list(ipc::ListKeys const& wanted, Tell tell_asker, Note note);
    void sign_large(ipc::Packet& packet, ipc::SignLarge const& large);
    void remember(ipc::RequestId request, ipc::Remember message);
    void hear_of_the_screen();
    LeaseNews news();
    void shown_to(ipc::RequestId request, SeenToken const& token);
    [[nodiscard]] std::optional<ShownToken> shown_by(ipc::RequestId request, ipc::SlotId slot) const;
    template <class M>
    void tell_prompt(ipc::RequestId request, M const& message);

    void look_at_the_clock();
    void end_all_requests(Error const& why);
    void finish_leases();

    Inbox m_inbox;
    Readers m_readers;
    Slots m_slots;
    Leases m_leases;
    Peer m_control;
    Peer m_web;
    Peer m_watcher;
    std::map<ipc::RequestId, Peer> m_prompts;
    std::optional<ScreenWatch> m_screen; ///< while a login is remembered, or is about to be
};

} // namespace tamga::pkcs11
