#include "pkcs11/screen_watch.hpp"

#include <cstdint>
#include <utility>

namespace tamga::pkcs11 {

namespace {

constexpr std::uint64_t patience_us = 200'000;
constexpr char const* logind = "org.freedesktop.login1";
constexpr char const* manager = "org.freedesktop.login1.Manager";
constexpr char const* session_interface = "org.freedesktop.login1.Session";

struct MessageRelease {
    void operator()(::sd_bus_message* message) const noexcept { ::sd_bus_message_unref(message); }
};
using Message = std::unique_ptr<::sd_bus_message, MessageRelease>;

Error nobody_tells(char const* why) {
    return {Errc::unsupported, std::string{"screen lock: "} + why};
}

/// Nothing where it cannot be read.
int flag_of(::sd_bus* bus, std::string const& session, char const* name, int otherwise) {
    int value = 0;
    auto const got =
        ::sd_bus_get_property_trivial(bus, logind, session.c_str(), session_interface, name, nullptr, 'b', &value);
    return got < 0 ? otherwise : value;
}

} // namespace

Result<ScreenWatch> ScreenWatch::open() {
    ScreenWatch watch;
    watch.m_heard = std::make_unique<Heard>();
    ::sd_bus* bus = nullptr;
    if (::sd_bus_open_system(&bus) < 0) return nobody_tells("no system bus");
    watch.m_bus.reset(bus);
    ::sd_bus_set_method_call_timeout(bus, patience_us);
    if (auto found = watch.find_session(); !found) return found.error();
    // Heard from before it is looked at: nothing that happens in between is missed.
    if (auto listening = watch.listen(); !listening) return listening.error();
    if (!watch.is_present()) return nobody_tells("nobody is before it");
    return watch;
}

Result<void> ScreenWatch::find_session() {
    ::sd_bus_message* reply = nullptr;
    auto const got = ::sd_bus_get_property(m_bus.get(), logind, "/org/freedesktop/login1/user/self",
                                           "org.freedesktop.login1.User", "Display", nullptr, &reply, "(so)");
    Message const display{reply};
    char const* name = nullptr;
    char const* path = nullptr;
    if (got < 0 || ::sd_bus_message_read(reply, "(so)", &name, &path) <= 0) return nobody_tells("logind is silent");
    if (*name == '\0') return nobody_tells("no graphical session");
    m_heard->session = path;
    return ok();
}

Result<void> ScreenWatch::listen() {
    auto* const bus = m_bus.get();
    auto* const heard = m_heard.get();
    auto const* const path = heard->session.c_str();
    constexpr char const* any = "/org/freedesktop/login1";
    int const first = ::sd_bus_match_signal(bus, nullptr, logind, path, session_interface, "Lock", on_lock, heard);
    int const second = ::sd_bus_match_signal(bus, nullptr, logind, path, "org.freedesktop.DBus.Properties",
                                             "PropertiesChanged", on_change, heard);
    int const third = ::sd_bus_match_signal(bus, nullptr, logind, any, manager, "PrepareForSleep", on_sleep, heard);
    int const fourth = ::sd_bus_match_signal(bus, nullptr, logind, any, manager, "SessionRemoved", on_removal, heard);
    if (first < 0 || second < 0 || third < 0 || fourth < 0) return nobody_tells("no signals");
    return ok();
}

bool ScreenWatch::is_present() const {
    auto const& session = m_heard->session;
    return flag_of(m_bus.get(), session, "LockedHint", 1) == 0 && flag_of(m_bus.get(), session, "Active", 0) != 0;
}

int ScreenWatch::fd() const {
    return ::sd_bus_get_fd(m_bus.get());
}

Result<void> ScreenWatch::hear() {
    Error const gone{Errc::timeout, "the person went away"};
    int happened = 1;
    while (happened > 0)
        happened = ::sd_bus_process(m_bus.get(), nullptr);
    if (happened < 0) return Error{Errc::timeout, "nobody says any more when the screen is locked"};
    if (std::exchange(m_heard->look_again, false) && !is_present()) return gone;
    return m_heard->went_away ? Result<void>{gone} : ok();
}

int ScreenWatch::on_lock(::sd_bus_message*, void* heard, ::sd_bus_error*) {
    static_cast<Heard*>(heard)->went_away = true;
    return 0;
}

/// What changed is not read: the two that matter are asked for.
int ScreenWatch::on_change(::sd_bus_message*, void* heard, ::sd_bus_error*) {
    static_cast<Heard*>(heard)->look_again = true;
    return 0;
}

int ScreenWatch::on_sleep(::sd_bus_message* message, void* heard, ::sd_bus_error*) {
    int begins = 0;
    if (::sd_bus_message_read(message, "b", &begins) > 0 && begins == 0) return 0; // it woke up
    static_cast<Heard*>(heard)->went_away = true;
    return 0;
}

int ScreenWatch::on_removal(::sd_bus_message* message, void* heard, ::sd_bus_error*) {
    char const* name = nullptr;
    char const* path = nullptr;
    auto& seen = *static_cast<Heard*>(heard);
    if (::sd_bus_message_read(message, "so", &name, &path) > 0 && seen.session == path) seen.went_away = true;
    return 0;
}

} // namespace tamga::pkcs11
