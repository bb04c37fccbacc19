#include "pkcs11/standing_mandate.hpp"

#include "signing/to_be_signed.hpp"

#include <algorithm>
#include <cstdlib>
#include <ctime>

namespace tamga::pkcs11 {

namespace {

constexpr std::int64_t clock_tolerance_s = 300;
/// The two clocks are read one after the other.
constexpr std::chrono::milliseconds reading_time{500};

std::chrono::nanoseconds read_clock(::clockid_t clock) {
    ::timespec time{};
    ::clock_gettime(clock, &time);
    return std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec};
}

std::chrono::seconds less(std::uint32_t wanted_s, std::uint32_t limit_s) {
    return std::chrono::seconds{std::min(wanted_s, limit_s)};
}

Error violated(char const* why) {
    return {Errc::mandate_violated, std::string{"remembered: "} + why};
}

} // namespace

Moment Moment::now() {
    // CLOCK_MONOTONIC, which steady_clock is, stands still in suspend; CLOCK_BOOTTIME does not.
    return {std::chrono::steady_clock::now(), read_clock(CLOCK_BOOTTIME) - read_clock(CLOCK_MONOTONIC)};
}

StandingMandate::StandingMandate(ipc::Remember const& wanted, ipc::TokenInfo const& limits,
                                 signing::Certificate certificate, Moment now)
    : m_origin{wanted.origin},
      m_certificate{std::move(certificate)},
      m_deadline{now.steady + less(wanted.lifetime_s, limits.remember_s)},
      m_unused{less(wanted.unused_s, limits.remember_unused_s)},
      m_last_use{now.steady},
      m_asleep{now.asleep} {}

Result<StandingMandate> StandingMandate::give(ipc::Remember const& wanted, ipc::TokenInfo const& limits,
                                              signing::Certificate certificate, Moment now) {
    if (limits.remember_s == 0 || limits.remember_unused_s == 0) return Errc::unsupported;
    if (wanted.lifetime_s == 0 || wanted.unused_s == 0) return Errc::unsupported;
    if (wanted.certificate != certificate.fingerprint()) return violated("another certificate");
    if (wanted.origin.empty()) return violated("no site");
    return StandingMandate{wanted, limits, std::move(certificate), now};
}

bool StandingMandate::holds(Moment now) const noexcept {
    return now.steady < end() && now.asleep - m_asleep < reading_time;
}

Result<Bytes> StandingMandate::redeem(View octets, Moment now, std::int64_t unix_now) {
    if (!holds(now)) return violated("it has ended");
    auto const statement = signing::read_sign_in_statement(octets);
    if (!statement) return violated("no statement of a sign-in");
    if (statement->request.origin != m_origin) return violated("another site");
    if (statement->certificate != m_certificate.fingerprint()) return violated("another certificate");
    if (std::abs(statement->signing_time - unix_now) > clock_tolerance_s) return violated("its time is not now");
    m_last_use = now.steady;
    return signing::digest(m_certificate.algorithm().digest, octets);
}

} // namespace tamga::pkcs11
