#include "cli/keys.hpp"

#include <systemd/sd-bus.h>

#include <memory>

namespace tamga::cli {

namespace {

struct BusCloser {
    void operator()(::sd_bus* bus) const noexcept { ::sd_bus_flush_close_unref(bus); }
};
constexpr std::uint64_t patience_us = 5'000'000;
constexpr int until_the_desktop_says = -1;
constexpr unsigned char critical = 2; ///< stays until it was seen

} // namespace

/// Desktop Notifications Specification 1.2, Notify.
Result<void> notify_desktop(std::string const& summary, std::string const& body) {
    ::sd_bus* opened = nullptr;
    if (int const failed = ::sd_bus_open_user(&opened); failed < 0) return system_error("the session's bus", -failed);
    std::unique_ptr<::sd_bus, BusCloser> const bus{opened};
    ::sd_bus_set_method_call_timeout(bus.get(), patience_us);
    ::sd_bus_error why = SD_BUS_ERROR_NULL;
    int const sent =
        ::sd_bus_call_method(bus.get(), "org.freedesktop.Notifications", "/org/freedesktop/Notifications",
                             "org.freedesktop.Notifications", "Notify", &why, nullptr, "susssasa{sv}i", "Tamga", 0U, "",
                             summary.c_str(), body.c_str(), 0, 1, "urgency", "y", critical, until_the_desktop_says);
    Error const error{Errc::system, why.message != nullptr ? why.message : "org.freedesktop.Notifications"};
    ::sd_bus_error_free(&why);
    return sent < 0 ? Result<void>{error} : ok();
}

} // namespace tamga::cli
