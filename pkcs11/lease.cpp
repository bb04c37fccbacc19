#include "pkcs11/lease.hpp"

#include <algorithm>

namespace tamga::pkcs11 {

using std::chrono::steady_clock;
using std::chrono::system_clock;

namespace {

/// What a right PIN does to the token's counters.
void forget_wrong_pins(ipc::TokenInfo& token) {
    token.pin_count_low = token.pin_final_try = token.pin_locked = false;
    token.attempts_left.reset();
    token.wrong_tries_seen = 0;
}

} // namespace

Lease::Lease(ipc::TokenInfo token, std::unique_ptr<Session> session, Session::Login login, std::vector<SigningKey> keys,
             std::optional<Pin> pin)
    : m_token{std::move(token)},
      m_session{std::move(session)},
      m_login{std::move(login)},
      m_keys{std::move(keys)},
      m_pin{std::move(pin)},
      m_last_use{steady_clock::now()} {}

Result<std::unique_ptr<Lease>> Lease::open(Module const& module, Wanted const& wanted, Pin pin, Watch& watch,
                                           std::stop_token const& stop) {
    watch.begin(Operation::list);
    auto session = Session::open(module, wanted.slot, wanted.access);
    if (!session) return session.error();
    // Read here, so that the try is counted for the token that is in the slot now.
    auto token = module.token_info(wanted.slot);
    if (!token) return token.error();
    if (wanted.shown) {
        if (auto still = wanted.shown->is_still(*token); !still) return still.error();
    }
    // A PIN that nobody waits for any more must not cost an attempt.
    if (stop.stop_requested()) return Error{Errc::user_cancelled, "the prompt is gone"};
    watch.begin(pin.empty() ? Operation::pin_pad : Operation::login);
    auto login = (*session)->login(pin, *token);
    if (!login) return (*session)->card().by_cause(login.error(), stop);
    forget_wrong_pins(*token);
    watch.begin(Operation::list);
    auto keys = signing_keys(**session, wanted.certificate);
    if (!keys) return keys.error();
    auto const* const family = module.families().find(token->family);
    bool const factory_pin = family != nullptr && Session::is_factory_pin(pin, *family);
    std::optional<Pin> kept;
    // A new key may want it too.
    bool const is_wanted_again = std::ranges::any_of(*keys, &SigningKey::always_authenticate);
    if (is_wanted_again || wanted.access == Access::write) kept = std::move(pin);
    std::unique_ptr<Lease> lease{
        new Lease{std::move(*token), std::move(*session), std::move(*login), std::move(*keys), std::move(kept)}};
    lease->m_has_factory_pin = factory_pin;
    lease->m_access = wanted.access;
    return lease;
}

Result<void> Lease::add_to_mandate(ipc::Mandate const& message) {
    m_last_use = steady_clock::now();
    if (m_access == Access::write) return Error{Errc::mandate_violated, "the login is for work on keys"};
    if (m_mandate) return m_mandate->add(message);
    auto const fits = [&](SigningKey const& key) { return key.certificate.fingerprint() == message.certificate; };
    auto const key = std::find_if(m_keys.begin(), m_keys.end(), fits);
    if (key == m_keys.end()) return Errc::key_not_found;
    auto mandate = Mandate::begin(message, key->certificate, m_last_use);
    if (!mandate) return mandate.error();
    m_mandate = std::move(*mandate);
    m_key = &*key;
    return ok();
}

Result<std::vector<Bytes>> Lease::sign(std::vector<View> const& items, Watch& watch, std::stop_token const& stop) {
    if (!has_mandate()) return Error{Errc::mandate_violated, "no mandate"};
    auto const now = steady_clock::now();
    auto const unix_now = system_clock::to_time_t(system_clock::now());
    std::vector<Bytes> values;
    for (auto const item : items) {
        auto digest = m_mandate->redeem(item, now, unix_now);
        if (!digest) return digest.error();
        values.push_back(std::move(*digest));
    }
    for (auto& value : values) {
        auto signature = sign_digest(value, watch, stop);
        if (!signature) return signature.error();
        value = std::move(*signature);
    }
    m_last_use = steady_clock::now(); // a batch on a slow card takes minutes
    return values;
}

Result<Bytes> Lease::sign_digest(View digest, Watch& watch, std::stop_token const& stop) {
    auto made = sign_now(digest, watch, stop);
    if (!made) return m_session->card().by_cause(made.error(), stop);
    return made;
}

Result<Bytes> Lease::sign_now(View digest, Watch& watch, std::stop_token const& stop) {
    if (stop.stop_requested()) return Error{Errc::user_cancelled, "the prompt is gone"};
    auto const mechanism = signature_mechanism(m_key->certificate.algorithm().key);
    auto const* again = m_key->always_authenticate ? &*m_pin : nullptr;
    watch.begin(again != nullptr && again->empty() ? Operation::pin_pad : Operation::sign);
    auto const made = m_login.sign(m_key->key, mechanism, digest, again);
    if (!made) return made.error();
    ++m_made;
    return m_order.put_right(m_key->certificate, mechanism.orders, digest, *made);
}

// ---- work on keys ----

Result<void> Lease::give_key_mandate(ipc::KeyMandate const& message) {
    m_last_use = steady_clock::now();
    if (m_access != Access::write || m_key_mandate) {
        return Error{Errc::mandate_violated, "no login for work on keys, or a second mandate"};
    }
    auto mandate = KeyMandate::begin(message, m_last_use);
    if (!mandate) return mandate.error();
    m_key_mandate = std::move(*mandate);
    return ok();
}

Result<KeyWorkDone> Lease::perform(ipc::PerformKeyOperation const& wanted, Watch& watch, std::stop_token const& stop,
                                   std::function<void(ipc::KeyStep)> tell) {
    if (!m_key_mandate) return Error{Errc::mandate_violated, "no mandate for work on keys"};
    auto const operation = m_key_mandate->redeem(wanted.index, wanted.octets, steady_clock::now());
    if (!operation) return operation.error();
    KeyWork work{{*m_session, m_login, m_pin ? &*m_pin : nullptr, watch, stop, std::move(tell)}};
    auto done = work.perform(*operation, wanted.octets);
    if (!done.status) done.status = m_session->card().by_cause(done.status.error(), stop);
    if (!done.signature.empty()) ++m_made;
    m_last_use = steady_clock::now(); // some take minutes
    return done;
}

Result<void> Lease::remember(ipc::Remember const& wanted) {
    if (!has_mandate() || m_mandate->form() != ipc::Form::authenticate) {
        return Error{Errc::mandate_violated, "nothing but a sign-in is remembered"};
    }
    // Its PIN would have to be remembered, not a login.
    if (m_key->always_authenticate) return Error{Errc::unsupported, "the key wants its PIN for each signature"};
    auto standing = StandingMandate::give(wanted, m_token, m_key->certificate, Moment::now());
    if (!standing) return standing.error();
    m_standing = std::move(*standing);
    return ok();
}

void Lease::keep_remembered() {
    m_mandate.reset();
    m_pin.reset();
}

Result<Bytes> Lease::sign_remembered(View octets, Watch& watch, std::stop_token const& stop) {
    if (!m_standing || m_mandate) return Error{Errc::mandate_violated, "nothing is remembered"};
    auto digest = m_standing->redeem(octets, Moment::now(), system_clock::to_time_t(system_clock::now()));
    if (!digest) return digest.error();
    return sign_digest(*digest, watch, stop);
}

Lease::End Lease::silence_from(SteadyTime last_use) {
    return {last_use + longest_silence, Error{Errc::timeout, "nothing to sign for too long"}};
}

Lease::End Lease::end() const {
    if (m_standing && !m_mandate) return {m_standing->end(), Error{Errc::timeout, "remembered for long enough"}};
    auto silence = silence_from(m_last_use);
    if (m_key_mandate && m_key_mandate->expiry() < silence.at) {
        return {m_key_mandate->expiry(), Error{Errc::mandate_violated, "mandate expired"}};
    }
    if (!m_mandate || m_mandate->expiry() > silence.at) return silence;
    return {m_mandate->expiry(), Error{Errc::mandate_violated, "mandate expired"}};
}

} // namespace tamga::pkcs11
