#include "prompt/surroundings.hpp"

#include <systemd/sd-bus.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

namespace tamga::prompt {

namespace {

struct BusCloser {
    void operator()(::sd_bus* bus) const noexcept { ::sd_bus_close_unref(bus); }
};
struct MessageRelease {
    void operator()(::sd_bus_message* message) const noexcept { ::sd_bus_message_unref(message); }
};
using Bus = std::unique_ptr<::sd_bus, BusCloser>;
using Message = std::unique_ptr<::sd_bus_message, MessageRelease>;

constexpr std::uint64_t patience_us = 200'000;

Bus bus_from(int (*open)(::sd_bus**)) {
    ::sd_bus* bus = nullptr;
    if (open(&bus) < 0) return nullptr;
    ::sd_bus_set_method_call_timeout(bus, patience_us);
    return Bus{bus};
}

struct Property {
    char const* service;
    char const* path;
    char const* interface;
    char const* name;
    char const* type;
};

Message read_property(Bus const& bus, Property const& property) {
    ::sd_bus_message* reply = nullptr;
    if (!bus || ::sd_bus_get_property(bus.get(), property.service, property.path, property.interface, property.name,
                                      nullptr, &reply, property.type) < 0) {
        return nullptr;
    }
    return Message{reply};
}

/// Variables that say where the display is and how a window should look there; nothing else is taken over.
bool concerns_display(std::string_view name) {
    std::array<std::string_view, 10> constexpr names{
        "DISPLAY",         "WAYLAND_DISPLAY",      "XAUTHORITY",      "XDG_CURRENT_DESKTOP", "XDG_SESSION_TYPE",
        "QT_QPA_PLATFORM", "QT_QPA_PLATFORMTHEME", "QT_SCALE_FACTOR", "XCURSOR_SIZE",        "QT_IM_MODULE"};
    return std::find(names.begin(), names.end(), name) != names.end();
}

} // namespace

void take_display_environment() {
    auto const bus = bus_from(::sd_bus_open_user);
    auto const reply = read_property(bus, {"org.freedesktop.systemd1", "/org/freedesktop/systemd1",
                                           "org.freedesktop.systemd1.Manager", "Environment", "as"});
    if (!reply || ::sd_bus_message_enter_container(reply.get(), 'a', "s") < 0) return;
    char const* entry = nullptr;
    while (::sd_bus_message_read(reply.get(), "s", &entry) > 0) {
        std::string_view const variable{entry};
        auto const name = variable.substr(0, variable.find('='));
        if (name.size() == variable.size() || !concerns_display(name)) continue;
        ::setenv(std::string{name}.c_str(), entry + name.size() + 1, 1);
    }
}

bool session_is_locked() {
    auto const bus = bus_from(::sd_bus_open_system);
    auto const display = read_property(bus, {"org.freedesktop.login1", "/org/freedesktop/login1/user/self",
                                             "org.freedesktop.login1.User", "Display", "(so)"});
    char const* session = nullptr;
    char const* path = nullptr;
    if (!display || ::sd_bus_message_read(display.get(), "(so)", &session, &path) <= 0) return false;
    auto const hint =
        read_property(bus, {"org.freedesktop.login1", path, "org.freedesktop.login1.Session", "LockedHint", "b"});
    int locked = 0;
    return hint && ::sd_bus_message_read(hint.get(), "b", &locked) > 0 && locked != 0;
}

} // namespace tamga::prompt
