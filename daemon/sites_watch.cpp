#include "daemon/sites_watch.hpp"

#include "base/log.hpp"

#include <boost/asio/read.hpp>

#include <sys/inotify.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace tamga::daemon {

namespace {

/// Whether one of the events is about a file of that name, or about the folder itself.
bool concerns(std::span<char const> events, std::string const& name) {
    while (events.size() >= sizeof(::inotify_event)) {
        ::inotify_event event{};
        std::memcpy(&event, events.data(), sizeof event);
        auto const whole = sizeof event + event.len;
        if (whole > events.size()) return true;
        std::string_view const about{events.data() + sizeof event, event.len};
        if (event.len == 0 || about.substr(0, about.find('\0')) == name) return true;
        events = events.subspan(whole);
    }
    return false;
}

} // namespace

SitesWatch::SitesWatch(asio::any_io_executor executor, Sites& sites, std::filesystem::path file)
    : m_sites{sites}, m_file{std::move(file)}, m_events{std::move(executor)} {
    if (m_file.empty()) return;
    int const events = ::inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (events >= 0) m_events.assign(events);
    auto const wanted = static_cast<std::uint32_t>(IN_CLOSE_WRITE | IN_MOVE | IN_DELETE);
    if (events < 0 || ::inotify_add_watch(events, m_file.parent_path().c_str(), wanted) < 0) {
        log::warning("sites", {{"detail", "the folder of the answers cannot be watched"}, {"errno", errno}});
    }
}

Task<void> SitesWatch::run() {
    std::array<char, 4096> events{};
    while (m_events.is_open()) {
        auto const read = co_await m_events.async_read_some(asio::buffer(events), as_result);
        if (std::get<0>(read)) co_return;
        if (concerns({events.data(), std::get<1>(read)}, m_file.filename().string())) m_sites.tell_changed();
    }
}

} // namespace tamga::daemon
