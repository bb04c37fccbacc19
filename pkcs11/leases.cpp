#include "pkcs11/leases.hpp"

#include "base/log.hpp"
#include "pkcs11/readers.hpp"

#include <algorithm>

namespace tamga::pkcs11 {

using std::chrono::steady_clock;

namespace {

/// Many tokens call the PIN that locks them just a wrong one.
Error told_of_lock(Error error, ipc::TokenInfo const& after) {
    if (error.code == Errc::pin_incorrect && after.pin_locked) error.code = Errc::pin_locked;
    return error;
}

} // namespace

Leases::Leases(Slots& slots, LeaseNews news) : m_slots{slots}, m_news{std::move(news)} {}

/// A request's lease as long as anything may be asked of it.
Leases::SharedHeld Leases::find(ipc::RequestId request) const {
    auto const fits = [&](SharedHeld const& held) {
        return held->request == request && held->stage != Stage::ending && held->why && !held->remembered;
    };
    auto const place = std::ranges::find_if(m_held, fits);
    return place == m_held.end() ? nullptr : *place;
}

Leases::SharedHeld Leases::find_remembered(ipc::RequestId request) const {
    auto const fits = [&](SharedHeld const& held) {
        return held->request == request && held->stage == Stage::open && held->remembered;
    };
    auto const place = std::ranges::find_if(m_held, fits);
    return place == m_held.end() ? nullptr : *place;
}

/// A request's lease that has failed and is being closed: whoever waits for it is told why once nobody is logged in.
Leases::SharedHeld Leases::find_failed(ipc::RequestId request) const {
    auto const fits = [&](SharedHeld const& held) {
        return held->request == request && held->stage == Stage::ending && !held->why;
    };
    auto const place = std::ranges::find_if(m_held, fits);
    return place == m_held.end() ? nullptr : *place;
}

bool Leases::in_use(ipc::SlotId slot) const {
    return std::ranges::any_of(
        m_held, [&](SharedHeld const& held) { return held->slot == slot && held->stage != Stage::waiting; });
}

// ---- login ----

void Leases::unlock(ipc::RequestId request, ipc::Unlock message, std::optional<ShownToken> shown) {
    // The person chose another token after unlocking one: nobody stays logged in to two.
    if (auto const before = find(request)) end(before, Error{Errc::user_cancelled, "another token was chosen"});
    m_broken_off.erase(request);
    auto held = std::make_shared<Held>();
    held->request = request;
    held->slot = message.slot;
    held->pin = std::move(message.pin);
    held->chosen = std::move(message.chosen);
    held->access = message.for_key_work ? Access::write : Access::read;
    held->shown = std::move(shown);
    wait_in_line(std::move(held));
}

void Leases::wait_in_line(SharedHeld held) {
    auto const slot = held->slot;
    m_held.push_back(std::move(held));
    make_way(slot);
    serve_waiting();
}

/// A PIN is worth nothing on a token that is logged in already: what is remembered there ends first.
void Leases::make_way(ipc::SlotId slot) {
    for (auto const& held : std::list<SharedHeld>(m_held)) {
        if (held->slot == slot && held->remembered) end(held, Error{Errc::busy, "another request needs the token"});
    }
}

/// Who came first is served first.
void Leases::serve_waiting() {
    for (auto const& held : std::list<SharedHeld>(m_held)) {
        if (held->stage == Stage::waiting && !in_use(held->slot)) open(held);
    }
}

void Leases::open(SharedHeld const& held) {
    if (held->pin_work) return work_on_pin(held);
    held->stage = Stage::opening;
    held->removals = m_slots.readers().removals();
    m_slots.reach(held->slot, [this, held](Result<Slots::Place> place) {
        if (!place) return opened(held, {place.error(), {}, {}, {}, false});
        held->lane = place->lane;
        auto const operation = held->pin.empty() ? Operation::pin_pad : Operation::login;
        auto work = [&module = place->module, slot = held->slot, pin = std::move(held->pin),
                     wanted = Lease::Wanted{held->slot, held->shown, held->chosen, held->access},
                     stop = held->stop.get_token()](Watch& watch) mutable {
            auto lease = Lease::open(module, wanted, std::move(pin), watch, stop);
            Opened result{lease ? Result<std::shared_ptr<Lease>>{std::move(*lease)} : lease.error(), {}, {}, {}, false};
            watch.begin(Operation::list);
            if (!result.lease) { // read anew: the answer says what became of the attempts
                if (auto info = module.token_info(slot)) result.info = std::move(*info);
                result.lease = told_of_lock(result.lease.error(), result.info);
                return result;
            }
            result.info = (*result.lease)->token();
            result.factory_pin = (*result.lease)->has_factory_pin();
            if (module.uses_card_service()) result.slot_description = module.slot_description(slot);
            for (auto const& key : (*result.lease)->keys())
                result.certificates.push_back(key.certificate.der());
            return result;
        };
        held->lane->post(operation, std::move(work), [this, held](Opened result) { opened(held, std::move(result)); });
    });
}

void Leases::opened(SharedHeld const& held, Opened result) {
    if (result.lease) held->lease = std::move(*result.lease);
    held->since = steady_clock::now();
    // Modules do not always notice: the login would outlive the card's absence.
    if (m_slots.readers().pulled_out_since(result.slot_description, held->removals)) {
        held->broken = Error{Errc::token_absent, "pulled out"};
    }
    if (!held->why) return held->lease ? close(held) : forget(held); // nobody wants it any more
    if (!held->lease || !held->broken) {
        auto const error = held->broken ? result.lease.error() : held->broken.error();
        log::info("unlock", {{"request", held->request.value()}, {"outcome", wire_name(error.code)}});
        m_news.unlocked(held->request, {ipc::Status::from(error), std::move(result.info), false});
        if (!held->lease) return forget(held);
        held->why = error;
        return close(held);
    }
    held->stage = Stage::open;
    held->slot_description = std::move(result.slot_description);
    held->end = Lease::silence_from(held->since);
    bool const warning = warns_of_factory_pin(result);
    m_news.unlocked(held->request, {ipc::Status::from(ok()), std::move(result.info), warning});
    m_news.keys(held->request, held->slot, std::move(result.certificates));
}

/// Once for each token, as long as this process lives: a warning at every signature would be read at none.
bool Leases::warns_of_factory_pin(Opened const& result) {
    return result.factory_pin && m_warned.insert(result.info.serial + '\n' + result.info.model).second;
}

// ---- mandate and signatures ----

/// Nothing where the prompt has no open lease, or names another request: it is told, and what it has ends.
Leases::SharedHeld Leases::lease_of_prompt(ipc::RequestId request, ipc::RequestId named) {
    auto held = find(request);
    bool const is_open = held && held->stage == Stage::open;
    if (is_open && named == request) return held;
    auto const violation = why_none(request, "a mandate without a lease");
    if (!is_open) {
        m_news.mandate_taken(request, violation);
        return nullptr;
    }
    held->prompt_waits = true;
    end(held, violation);
    return nullptr;
}

/// Nothing where tamga-web has no open lease with that kind of mandate: it is told, and what it has ends.
Leases::SharedHeld Leases::lease_of_web(ipc::RequestId request, bool Held::*mandate, char const* otherwise) {
    if (auto const failed = find_failed(request)) { // more was under way when the first could not be done
        failed->web_waits = true;                   // told why once nobody is logged in
        return nullptr;
    }
    // Other work under a login that is remembered for sign-ins: whoever tries that is not to have it any longer.
    if (auto const remembered = find_remembered(request)) end(remembered, Error{Errc::mandate_violated, "no sign-in"});
    auto held = find(request);
    bool const is_open = held && held->stage == Stage::open;
    if (is_open && held.get()->*mandate) return held;
    auto const violation = why_none(request, otherwise);
    if (!is_open) {
        m_news.ended({request, ipc::Status::from(violation)});
        return nullptr;
    }
    held->web_waits = true;
    end(held, violation);
    return nullptr;
}

void Leases::add_to_mandate(ipc::RequestId request, ipc::Mandate message) {
    auto const held = lease_of_prompt(request, message.request);
    if (!held) return;
    struct Taken {
        Result<void> result;
        Lease::End end;
    };
    bool const last = message.last;
    held->prompt_waits = last; // from now on, also where the lease breaks off before the lane has come to it
    auto work = [lease = held->lease, message = std::move(message)](Watch&) {
        auto result = lease->add_to_mandate(message);
        return Taken{std::move(result), lease->end()};
    };
    held->lane->post(Operation::sign, std::move(work), [this, held, last](Taken const& taken) {
        if (held->stage != Stage::open) return;
        held->end = taken.end;
        if (taken.result && !last) return;
        if (!taken.result) {
            held->prompt_waits = true;
            return end(held, taken.result);
        }
        held->has_mandate = true;
        held->prompt_waits = false;
        held->web_waits = true;
        m_news.mandate_taken(held->request, ok());
    });
}

void Leases::sign(ipc::RequestId request, std::uint32_t first, Items items) {
    auto const held = lease_of_web(request, &Held::has_mandate, "no mandate for this request");
    if (!held) return;
    struct Made {
        Result<std::vector<Bytes>> values;
        Lease::End end;
    };
    auto work = [lease = held->lease, items = std::move(items), stop = held->stop.get_token()](Watch& watch) {
        auto values = lease->sign(items.views(), watch, stop);
        return Made{std::move(values), lease->end()};
    };
    held->lane->post(Operation::sign, std::move(work), [this, held, first](Made made) {
        if (held->stage != Stage::open) return;
        held->end = made.end;
        if (!made.values) return end(held, made.values.error());
        held->has_signed = true;
        m_news.signatures({held->request, first, std::move(*made.values)});
    });
}

// ---- work on keys ----

void Leases::give_key_mandate(ipc::RequestId request, ipc::KeyMandate message) {
    auto const held = lease_of_prompt(request, message.request);
    if (!held) return;
    held->prompt_waits = true;
    auto work = [lease = held->lease, message = std::move(message)](Watch&) {
        auto taken = lease->give_key_mandate(message);
        return std::pair{std::move(taken), lease->end()};
    };
    held->lane->post(Operation::write, std::move(work), [this, held](std::pair<Result<void>, Lease::End> const& given) {
        if (held->stage != Stage::open) return;
        auto const& [taken, ends] = given;
        held->end = ends;
        if (!taken) return end(held, taken);
        held->has_key_mandate = held->web_waits = true;
        held->prompt_waits = false;
        m_news.mandate_taken(held->request, ok());
    });
}

void Leases::perform(ipc::PerformKeyOperation message) {
    auto const request = message.request;
    auto const held = lease_of_web(request, &Held::has_key_mandate, "no mandate for work on keys");
    if (!held) return;
    auto const index = message.index;
    auto tell = [this, request, index, lane = held->lane.get()](ipc::KeyStep step) {
        lane->say([this, request, index, step] {
            if (find(request)) m_news.key_progress({request, index, step});
        });
    };
    struct Performed {
        Result<KeyWorkDone> done;
        Lease::End end;
    };
    auto work = [lease = held->lease, message = std::move(message), tell = std::move(tell),
                 stop = held->stop.get_token()](Watch& watch) {
        auto done = lease->perform(message, watch, stop, tell);
        return Performed{std::move(done), lease->end()};
    };
    held->lane->post(Operation::write, std::move(work), [this, held, index](Performed performed_now) {
        if (held->stage == Stage::open) held->end = performed_now.end;
        if (performed_now.done) return performed(held, index, std::move(*performed_now.done));
        if (held->stage == Stage::open) end(held, performed_now.done.error());
    });
}

/// Told also where the lease was broken off meanwhile: what is left on the token is worth knowing.
void Leases::performed(SharedHeld const& held, std::uint32_t index, KeyWorkDone done) {
    auto const status = done.status;
    log::info("key_work", {{"request", held->request.value()},
                           {"operation", index},
                           {"outcome", status ? "ok" : wire_name(status.error().code)},
                           {"detail", status ? "" : status.error().detail},
                           {"remains", static_cast<unsigned>(done.remains)}});
    if (held->web_waits) {
        for (auto& der : done.certificates)
            m_news.key_certificate({held->request, index, std::move(der)});
        m_news.key_operation_done({held->request, index, ipc::Status::from(status), done.remains, done.was_there,
                                   std::move(done.pairs), std::move(done.signature)});
    }
    if (!status && held->stage == Stage::open) end(held, status);
}

void Leases::change_pin(ipc::RequestId request, ipc::ChangePin message, std::optional<ShownToken> shown) {
    auto held = std::make_shared<Held>();
    held->request = request;
    held->slot = message.slot;
    held->pin = std::move(message.old_pin);
    held->new_pin = std::move(message.new_pin);
    held->shown = std::move(shown);
    held->pin_work = PinWork::change;
    wait_in_line(std::move(held));
}

void Leases::unblock_pin(ipc::RequestId request, ipc::UnblockPin message, std::optional<ShownToken> shown) {
    auto held = std::make_shared<Held>();
    held->request = request;
    held->slot = message.slot;
    held->pin = std::move(message.so_pin);
    held->new_pin = std::move(message.new_pin);
    held->shown = std::move(shown);
    held->pin_work = PinWork::unblock;
    wait_in_line(std::move(held));
}

void Leases::work_on_pin(SharedHeld const& held) {
    held->stage = Stage::opening;
    m_slots.reach(held->slot, [this, held](Result<Slots::Place> place) {
        if (!place) return told_of_pin(held, place.error(), {});
        held->lane = place->lane;
        struct Worked {
            Result<void> status;
            ipc::TokenInfo info;
        };
        auto work = [&module = place->module, slot = held->slot, shown = held->shown, pin = std::move(held->pin),
                     new_pin = std::move(held->new_pin), kind = *held->pin_work,
                     stop = held->stop.get_token()](Watch&) -> Worked {
            auto token = module.token_info(slot);
            if (!token) return {token.error(), {}};
            if (shown) {
                if (auto still = shown->is_still(*token); !still) return {still.error(), {}};
            }
            auto const session = Session::open(module, slot, Access::write);
            if (!session) return {session.error(), std::move(*token)};
            // A PIN that nobody waits for any more must not cost an attempt.
            if (stop.stop_requested()) return {Error{Errc::user_cancelled, "the prompt is gone"}, std::move(*token)};
            auto status = kind == PinWork::change ? (*session)->change_pin(pin, new_pin, *token)
                                                  : (*session)->unblock_pin(pin, new_pin, *token);
            auto after = module.token_info(slot);
            if (after && !status) status = told_of_lock(status.error(), *after);
            return {std::move(status), after ? std::move(*after) : std::move(*token)};
        };
        held->lane->post(Operation::change_pin, std::move(work),
                         [this, held](Worked worked) { told_of_pin(held, worked.status, std::move(worked.info)); });
    });
}

void Leases::told_of_pin(SharedHeld const& held, Result<void> const& status, ipc::TokenInfo info) {
    log::info("pin", {{"request", held->request.value()},
                      {"outcome", status ? "ok" : wire_name(status.error().code)},
                      {"detail", status ? "" : status.error().detail}});
    m_news.pin_changed(held->request, {ipc::Status::from(status), std::move(info)});
    forget(held);
}

// ---- logins that are remembered ----

void Leases::remember(ipc::RequestId request, ipc::Remember message) {
    auto const held = find(request);
    if (!held || held->stage != Stage::open || !held->has_mandate || message.request != request) {
        return m_news.remember_taken(request, why_none(request, "remembering without a mandate"));
    }
    auto work = [lease = held->lease, message = std::move(message)](Watch&) { return lease->remember(message); };
    held->lane->post(Operation::sign, std::move(work), [this, held](Result<void> const& taken) {
        auto outcome = held->stage == Stage::open ? taken : Result<void>{Errc::mandate_violated};
        if (outcome && held->person_left) outcome = Error{Errc::unsupported, "the person left meanwhile"};
        held->to_be_remembered = outcome.has_value();
        m_news.remember_taken(held->request, outcome);
    });
}

void Leases::finish(ipc::RequestId request) {
    auto const held = find(request);
    bool const wanted = held && held->to_be_remembered && held->has_signed && !held->person_left;
    if (wanted && held->stage == Stage::open) return keep(held);
    if (auto const remembered = find_remembered(request)) return end(remembered, ok());
    end(request, ok());
}

void Leases::keep(SharedHeld const& held) {
    held->remembered = true;
    auto work = [lease = held->lease](Watch&) {
        lease->keep_remembered();
        return lease->end();
    };
    held->lane->post(Operation::sign, std::move(work), [this, held](Lease::End const& ends) {
        held->end = ends;
        // Of its request this is the end; who is logged in nobody else's business.
        if (std::exchange(held->web_waits, false)) m_news.ended({held->request, ipc::Status::from(ok())});
        log::info("remembered", {{"request", held->request.value()}});
    });
}

void Leases::sign_remembered(ipc::SignRemembered message) {
    auto const held = find_remembered(message.request);
    if (!held) {
        Error const why{Errc::mandate_violated, "nothing is remembered"};
        return m_news.remembered_signed({message.query, ipc::Status::from(why), {}});
    }
    struct Made {
        Result<Bytes> value;
        Lease::End end;
    };
    auto work = [lease = held->lease, octets = std::move(message.octets), stop = held->stop.get_token()](Watch& watch) {
        auto value = lease->sign_remembered(octets, watch, stop);
        return Made{std::move(value), lease->end()};
    };
    held->lane->post(Operation::sign, std::move(work), [this, held, query = message.query](Made made) {
        held->end = made.end;
        auto const status = made.value ? ok() : Result<void>{made.value.error()};
        auto value = made.value ? std::move(*made.value) : Bytes{};
        m_news.remembered_signed({query, ipc::Status::from(status), std::move(value)});
        if (!status && held->stage == Stage::open) end(held, status);
    });
}

void Leases::forget_remembered(Error const& why) {
    for (auto const& held : std::list<SharedHeld>(m_held)) {
        held->to_be_remembered = false;
        held->person_left = true;
        if (held->remembered) end(held, why);
    }
}

// ---- how leases end ----

void Leases::end(ipc::RequestId request, Result<void> const& why) {
    m_broken_off.erase(request);
    if (auto const held = find(request)) end(held, why);
}

void Leases::end(SharedHeld const& held, Result<void> const& why) {
    held->stop.request_stop();
    switch (held->stage) {
    case Stage::waiting: forget(held); break;
    case Stage::opening: held->why = why ? Result<void>{Errc::user_cancelled} : why; break;
    case Stage::open:
        held->why = why;
        // Who cancels does not wait for a token that is slow or hangs: nothing more will be signed.
        if (!why && held->lane->busy()) tell_the_end(*held);
        close(held);
        break;
    case Stage::ending: break;
    }
}

void Leases::end_every(Error const& why) {
    for (auto const& held : std::list<SharedHeld>(m_held))
        break_off(held, why);
}

void Leases::pulled_out(std::string_view reader) {
    for (auto const& held : std::list<SharedHeld>(m_held)) {
        if (Readers::is_called(held->slot_description, reader)) {
            break_off(held, Error{Errc::token_absent, "pulled out"});
        }
    }
}

/// Not by anybody's wish: so whoever asks for something of it later is told why. A login that is under way comes back
/// by itself, and is of no use.
void Leases::break_off(SharedHeld const& held, Error const& why) {
    if (held->stage == Stage::opening) held->broken = why;
    if (held->stage != Stage::open) return;
    if (!held->remembered) m_broken_off.insert_or_assign(held->request, why);
    end(held, why);
}

/// Why a request has no lease that would do.
Error Leases::why_none(ipc::RequestId request, char const* otherwise) const {
    auto const broken = m_broken_off.find(request);
    return broken != m_broken_off.end() ? broken->second : Error{Errc::mandate_violated, otherwise};
}

void Leases::end_all(Error const& why) {
    m_broken_off.clear();
    for (auto const& held : std::list<SharedHeld>(m_held)) {
        held->web_waits = held->prompt_waits = false;
        end(held, why);
    }
}

void Leases::close(SharedHeld const& held) {
    held->stage = Stage::ending;
    auto work = [lease = std::move(held->lease)](Watch&) mutable {
        auto const signatures = lease->signatures_made();
        lease.reset(); // the logout
        return signatures;
    };
    held->lane->post(Operation::login, std::move(work),
                     [this, held](unsigned signatures) { closed(held, signatures); });
}

void Leases::closed(SharedHeld const& held, unsigned signatures) {
    auto const& why = held->why;
    auto const elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(steady_clock::now() - held->since);
    log::info("lease", {{"request", held->request.value()},
                        {"outcome", why ? "ok" : wire_name(why.error().code)},
                        {"detail", why ? "" : why.error().detail},
                        {"signatures", signatures},
                        {"ms", static_cast<std::int64_t>(elapsed.count())}});
    tell_the_end(*held);
    forget(held);
}

void Leases::tell_the_end(Held& held) {
    if (std::exchange(held.web_waits, false)) m_news.ended({held.request, ipc::Status::from(held.why)});
    if (std::exchange(held.prompt_waits, false)) m_news.mandate_taken(held.request, held.why);
}

void Leases::forget(SharedHeld const& held) {
    m_held.remove(held);
    serve_waiting();
}

std::optional<SteadyTime> Leases::next_end() const {
    std::optional<SteadyTime> next;
    for (auto const& held : m_held) {
        if (ends_by_itself(*held) && (!next || held->end.at < *next)) next = held->end.at;
    }
    return next;
}

/// A lease at work is not silent, and its mandate is looked at before it signs.
bool Leases::ends_by_itself(Held const& held) {
    return held.stage == Stage::open && !held.lane->busy_with_a_lease();
}

void Leases::end_late_ones() {
    for (auto const& held : std::list<SharedHeld>(m_held)) {
        if (ends_by_itself(*held) && steady_clock::now() >= held->end.at) end(held, held->end.why);
    }
}

void Leases::give_up(Lane const& lane, Error const& why) {
    for (auto const& held : m_held) {
        if (held->lane.get() != &lane) continue;
        if (held->stage == Stage::opening && held->pin_work)
            m_news.pin_changed(held->request, {ipc::Status::from(why), {}});
        else if (held->stage == Stage::opening && held->why)
            m_news.unlocked(held->request, {ipc::Status::from(why), {}, false});
        held->why = why;
        tell_the_end(*held);
    }
}

} // namespace tamga::pkcs11
