#include "pkcs11/slots.hpp"

#include "base/log.hpp"
#include "pkcs11/certificates.hpp"

#include <algorithm>

namespace tamga::pkcs11 {

using std::chrono::steady_clock;

namespace {

/// So long a listing waits for a module that is at work for somebody, before it is answered from memory.
constexpr std::chrono::seconds patience{2};

/// On the slot's lane.
Result<SeenToken> look_at(Module const& module, ipc::SlotId slot, ipc::Depth depth) {
    auto card = module.card_in(slot);
    auto info = module.token_info(slot);
    if (!info) return info.error();
    SeenToken seen{slot, std::move(*info), {}, std::move(card)};
    if (depth == ipc::Depth::tokens) return seen;
    auto const session = Session::open(module, slot);
    auto certificates = session ? public_certificates(**session) : session.error();
    // A token whose certificates cannot be read is still plugged in.
    if (certificates)
        seen.certificates = std::move(*certificates);
    else
        log::warning("listing", {{"error", certificates.error().detail}});
    return seen;
}

} // namespace

Slots::Slots(ModuleConfig config, Limits limits, Inbox& inbox, Readers const& readers)
    : m_config{std::move(config)},
      m_limits{limits},
      m_inbox{inbox},
      m_readers{readers},
      m_front{std::make_shared<Lane>(inbox)} {}

Slots::~Slots() = default;

// ---- the module ----

void Slots::with_module(std::function<void(Result<Module const*>)> then) {
    if (m_module && !m_to_be_forgotten) return then(m_module.get());
    m_waiting_for_module.push_back(std::move(then));
    if (!m_to_be_forgotten) load();
}

void Slots::load() {
    if (std::exchange(m_loading, true)) return;
    m_front->post(
        Operation::list, [this](Watch&) { return Module::load(m_config, m_readers); },
        [this](Result<std::unique_ptr<Module>> module) { loaded(std::move(module)); });
}

void Slots::loaded(Result<std::unique_ptr<Module>> module) {
    m_loading = false;
    if (module)
        m_module = std::move(*module);
    else
        log::error("module", {{"name", m_config.name}, {"error", module.error().detail}});
    // Who waits is served when it was ended and loaded once more.
    if (std::exchange(m_lost_while_loading, false) && forget_over_card_service()) return;
    for (auto& then : std::exchange(m_waiting_for_module, {}))
        then(module ? Result<Module const*>{m_module.get()} : module.error());
}

bool Slots::forget_over_card_service() {
    if (m_loading && !m_to_be_forgotten) m_lost_while_loading = true;
    if (!m_module || !m_module->uses_card_service()) return false;
    m_to_be_forgotten = true;
    for (auto& [slot, seat] : m_seats)
        seat.seen.reset();
    return true;
}

void Slots::pulled_out(std::string_view reader) {
    for (auto& [slot, seat] : m_seats) {
        if (seat.seen && Readers::is_called(seat.seen->card.reader(), reader)) seat.seen.reset();
    }
}

/// Once nothing of it is in use.
void Slots::end_module() {
    if (!m_to_be_forgotten || m_loading || std::ranges::any_of(lanes(), &Lane::busy)) return;
    m_loading = true;
    m_seats.clear();
    auto end = [module = std::move(m_module)](Watch&) mutable {
        module.reset();
        return ok();
    };
    m_front->post(Operation::list, std::move(end), [this](Result<void> const&) {
        m_loading = m_to_be_forgotten = false;
        if (!m_waiting_for_module.empty()) load();
    });
}

void Slots::reach(ipc::SlotId slot, std::function<void(Result<Place>)> then) {
    with_module([this, slot, then = std::move(then)](Result<Module const*> const& module) {
        if (!module) return then(module.error());
        then(Place{**module, seat(slot).lane});
    });
}

Slots::Seat& Slots::seat(ipc::SlotId slot) {
    auto& seat = m_seats[slot];
    if (!seat.lane) seat.lane = m_config.single_threaded ? m_front : std::make_shared<Lane>(m_inbox);
    return seat;
}

// ---- listings ----

void Slots::list(ipc::Depth depth, ListingNews news) {
    auto const listing = std::make_shared<Listing>(Listing{depth, std::move(news), steady_clock::now(), false, {}});
    m_listings.push_back(listing);
    if (m_front->busy_with_a_lease()) {
        answer_from_memory(*listing);
        if (listing->finished) return;
    }
    with_module([this, listing](Result<Module const*> const& module) {
        if (!module) return finish(*listing, module.error());
        m_front->post(
            Operation::list, [module = *module](Watch&) { return module->slots(); },
            [this, listing](Result<std::vector<ipc::SlotId>> const& slots) { list_slots(listing, slots); });
    });
}

void Slots::list_slots(SharedListing const& listing, Result<std::vector<ipc::SlotId>> const& slots) {
    if (!slots) return finish(*listing, slots.error());
    for (auto place = m_seats.begin(); place != m_seats.end();) {
        auto const slot = (place++)->first;
        if (std::find(slots->begin(), slots->end(), slot) == slots->end()) leave(slot);
    }
    if (listing->finished) return;
    listing->knows_slots = true;
    for (auto const slot : *slots)
        listing->answered[slot]; // one that was answered from memory stays so
    for (auto const slot : *slots) {
        if (!listing->answered[slot]) list_slot(listing, slot);
    }
    finish_if_complete(*listing);
}

void Slots::list_slot(SharedListing const& listing, ipc::SlotId slot) {
    auto const& lane = seat(slot).lane;
    if (lane->busy_with_a_lease()) {
        if (auto const seen = remembered(slot, listing->depth)) return found(*listing, *seen);
    }
    lane->post(
        Operation::list,
        [module = m_module.get(), slot, depth = listing->depth](Watch&) { return look_at(*module, slot, depth); },
        [this, listing, slot](Result<SeenToken> seen) {
            if (seen)
                remember(*seen, listing->depth);
            else
                leave(slot);
            if (listing->finished || listing->answered[slot]) return;
            if (seen)
                found(*listing, *seen);
            else
                listing->answered.erase(slot); // pulled out since, or not initialised: no token
            finish_if_complete(*listing);
        });
}

/// Its token is gone: nothing is remembered, and its lane ends unless a lease is still ending on it.
void Slots::leave(ipc::SlotId slot) {
    auto const place = m_seats.find(slot);
    if (place == m_seats.end()) return;
    auto& seat = place->second;
    seat.seen.reset();
    if (!seat.lane->busy() && (seat.lane == m_front || seat.lane.use_count() == 1)) m_seats.erase(place);
}

void Slots::remember(SeenToken const& token, ipc::Depth depth) {
    auto const place = m_seats.find(token.slot);
    if (place == m_seats.end()) return;
    auto& seat = place->second;
    if (depth == ipc::Depth::tokens && seat.seen && same_token(seat.seen->info, token.info)) {
        seat.seen->info = token.info;
        seat.seen->card = token.card;
        return;
    }
    seat.seen = token;
    seat.depth = depth;
}

std::optional<SeenToken> Slots::remembered(ipc::SlotId slot, ipc::Depth depth) const {
    auto const place = m_seats.find(slot);
    if (place == m_seats.end() || !place->second.seen) return std::nullopt;
    if (depth == ipc::Depth::certificates && place->second.depth == ipc::Depth::tokens) return std::nullopt;
    auto seen = *place->second.seen;
    if (depth == ipc::Depth::tokens) seen.certificates.clear();
    return seen;
}

/// As far as anything is remembered; a listing that is not complete then goes on waiting.
void Slots::answer_from_memory(Listing& listing) const {
    if (!listing.knows_slots) {
        for (auto const& [slot, seat] : m_seats) {
            if (remembered(slot, listing.depth)) listing.answered[slot];
        }
        if (listing.answered.empty()) return;
        listing.knows_slots = true;
    }
    for (auto const& [slot, answered] : listing.answered) {
        if (answered) continue;
        if (auto const seen = remembered(slot, listing.depth)) found(listing, *seen);
    }
    finish_if_complete(listing);
}

void Slots::found(Listing& listing, SeenToken const& token) {
    listing.answered[token.slot] = true;
    listing.news.found(token);
}

void Slots::finish_if_complete(Listing& listing) {
    if (listing.finished || !listing.knows_slots) return;
    if (std::ranges::all_of(listing.answered, [](auto const& slot) { return slot.second; })) finish(listing, ok());
}

void Slots::finish(Listing& listing, Result<void> const& result) {
    if (std::exchange(listing.finished, true)) return;
    listing.news.done(result);
}

void Slots::fail_listings(Error const& why) {
    for (auto const& listing : std::exchange(m_listings, {}))
        finish(*listing, why);
}

// ---- time ----

void Slots::tidy() {
    if (at_work_for_somebody()) {
        auto const now = steady_clock::now();
        for (auto const& listing : m_listings) {
            if (!listing->finished && now >= listing->since + patience) answer_from_memory(*listing);
        }
    }
    std::erase_if(m_listings, [](SharedListing const& listing) { return listing->finished; });
    end_module();
}

std::optional<SteadyTime> Slots::next_look() const {
    std::optional<SteadyTime> next;
    auto const at_latest = [&](SteadyTime when) {
        if (!next || when < *next) next = when;
    };
    for (auto const* lane : lanes()) {
        if (auto const deadline = lane->deadline(m_limits)) at_latest(*deadline);
    }
    auto const now = steady_clock::now();
    for (auto const& listing : m_listings) {
        if (listing->since + patience > now) at_latest(listing->since + patience);
    }
    return next;
}

Lane const* Slots::overdue() {
    auto const now = steady_clock::now();
    for (auto* lane : lanes()) {
        auto const deadline = lane->deadline(m_limits);
        if (!deadline || now < *deadline) continue;
        if (!held_up(*lane)) return lane;
        lane->excuse();
    }
    return nullptr;
}

/// Many modules have one lock for all slots: what is quick waits there for what began before it and may take longer,
/// such as a person at a keypad. That is not hanging. And even where it is, nobody is killed while another token is
/// being changed: half a PIN or half a key would be left.
bool Slots::held_up(Lane const& lane) const {
    auto const own = lane.running();
    auto const now = steady_clock::now();
    return own && std::ranges::any_of(lanes(), [&](Lane const* other) {
               auto const running = other->running();
               if (other == &lane || !running || other->deadline(m_limits) <= now) return false;
               return changes_a_token(running->operation) ||
                      (running->since < own->since && m_limits.of(running->operation) > m_limits.of(own->operation));
           });
}

bool Slots::at_work_for_somebody() const {
    return std::ranges::any_of(lanes(), [](Lane const* lane) { return lane->busy_with_a_lease(); });
}

std::vector<Lane*> Slots::lanes() const {
    std::vector<Lane*> lanes{m_front.get()};
    for (auto const& [slot, seat] : m_seats) {
        if (seat.lane != m_front) lanes.push_back(seat.lane.get());
    }
    return lanes;
}

} // namespace tamga::pkcs11
