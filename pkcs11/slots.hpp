// The module of this process and its slots: who may call it, on which thread, and what was seen in it.
#pragma once

#include "pkcs11/lane.hpp"
#include "pkcs11/module.hpp"

#include <functional>
#include <map>

namespace tamga::pkcs11 {

/// A token and the certificates that are readable on it without a PIN.
struct SeenToken {
    ipc::SlotId slot;
    ipc::TokenInfo info;
    std::vector<Bytes> certificates; ///< none where only tokens were asked for
    CardInPlace card;                ///< since before it was looked at
};

/// Every member is for the loop and returns at once; each `then` is called there, later or before the call returns. The
/// module is loaded at the first request for it, and again at the next where that fails.
class Slots {
public:
    Slots(ModuleConfig config, Limits limits, Inbox& inbox, Readers const& readers);
    Slots(Slots const&) = delete;
    Slots& operator=(Slots const&) = delete;
    /// Ends the lanes, then the module. Blocks for as long as the module does.
    ~Slots();

    /// A slot, and the lane on which everything in it is done.
    struct Place {
        Module const& module;
        std::shared_ptr<Lane> lane;
    };
    /// Errors: file_untrusted, module_unloadable.
    void reach(ipc::SlotId slot, std::function<void(Result<Place>)> then);

    struct ListingNews {
        std::function<void(SeenToken const&)> found; ///< at once for each token, so that a slow one holds up no other
        std::function<void(Result<void> const&)> done;
    };
    /// Every token there is now. One that is at work for somebody is listed as it was last seen, where it was: a
    /// listing never waits for a signature or for a person at a keypad. Errors: as above, those of Module::slots.
    void list(ipc::Depth depth, ListingNews news);

    /// The card service was lost: a module that speaks with it is ended when its lanes are idle, and loaded anew at the
    /// next request. @return whether it is such a module.
    bool forget_over_card_service();

    /// Forgets what was seen in the reader of that name: nothing is answered from memory that was pulled out.
    void pulled_out(std::string_view reader);

    [[nodiscard]] Readers const& readers() const noexcept { return m_readers; }

    /// Finishes listings that waited long enough; ends a module that is to be forgotten.
    void tidy();
    /// When `overdue` or `tidy` may have something to say; nothing while the module has nothing to do.
    [[nodiscard]] std::optional<SteadyTime> next_look() const;
    /// A lane whose module passed its deadline: there is no way to get it back but the end of this process.
    [[nodiscard]] Lane const* overdue();
    /// Every listing that still waits ends with `why`.
    void fail_listings(Error const& why);

private:
    struct Seat {
        std::shared_ptr<Lane> lane;
        std::optional<SeenToken> seen;
        ipc::Depth depth{}; ///< of `seen`
    };
    struct Listing {
        ipc::Depth depth{};
        ListingNews news;
        SteadyTime since;
        bool knows_slots = false;
        std::map<ipc::SlotId, bool> answered; ///< every slot of which an answer is wanted
        bool finished = false;
    };
    using SharedListing = std::shared_ptr<Listing>;

    void with_module(std::function<void(Result<Module const*>)> then);
    void load();
    void loaded(Result<std::unique_ptr<Module>> module);
    Seat& seat(ipc::SlotId slot);
    void list_slots(SharedListing const& listing, Result<std::vector<ipc::SlotId>> const& slots);
    void list_slot(SharedListing const& listing, ipc::SlotId slot);
    void leave(ipc::SlotId slot);
    void remember(SeenToken const& token, ipc::Depth depth);
    [[nodiscard]] std::optional<SeenToken> remembered(ipc::SlotId slot, ipc::Depth depth) const;
    void answer_from_memory(Listing& listing) const;
    static void found(Listing& listing, SeenToken const& token);
    static void finish_if_complete(Listing& listing);
    static void finish(Listing& listing, Result<void> const& result);
    [[nodiscard]] std::vector<Lane*> lanes() const;
    void end_module();
    [[nodiscard]] bool at_work_for_somebody() const;
    [[nodiscard]] bool held_up(Lane const& lane) const;

    ModuleConfig m_config;
    Limits m_limits;
    Inbox& m_inbox;
    Readers const& m_readers;
    std::unique_ptr<Module> m_module; // before the lanes, which use it
    bool m_to_be_forgotten = false;
    bool m_lost_while_loading = false; ///< the card service
    bool m_loading = false;            ///< or being ended
    std::vector<std::function<void(Result<Module const*>)>> m_waiting_for_module;
    /// For what concerns no single slot; for every slot where the module takes one thread alone.
    std::shared_ptr<Lane> m_front;
    std::map<ipc::SlotId, Seat> m_seats;
    std::vector<SharedListing> m_listings;
};

} // namespace tamga::pkcs11
