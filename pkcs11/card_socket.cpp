#include "pkcs11/card_socket.hpp"

#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <thread>

namespace tamga::pkcs11 {

namespace {

/// IN_ATTRIB: pcscd changes the mode of its socket when it listens on it, which is later than the socket's appearance.
constexpr std::uint32_t happenings = IN_CREATE | IN_MOVED_TO | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF;
constexpr std::chrono::seconds without_inotify{5};

} // namespace

std::filesystem::path card_socket_path() {
    auto const* const elsewhere = ::secure_getenv("PCSCLITE_CSOCK_NAME");
    return elsewhere != nullptr ? elsewhere : "/run/pcscd/pcscd.comm";
}

AppearingSocket::AppearingSocket(std::filesystem::path socket)
    : m_socket{std::move(socket)}, m_events{::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)} {
    watch_nearest_folder();
}

/// The socket's folder, or as long as that is not there the one in which it would appear.
void AppearingSocket::watch_nearest_folder() {
    if (m_watched >= 0) ::inotify_rm_watch(m_events.get(), m_watched);
    auto awaited = m_socket;
    do {
        m_awaited = awaited.filename();
        awaited = awaited.parent_path();
        m_watched = ::inotify_add_watch(m_events.get(), awaited.c_str(), happenings | IN_ONLYDIR);
    } while (m_watched < 0 && awaited.has_relative_path());
}

bool AppearingSocket::wait(std::chrono::milliseconds patience) {
    if (m_watched < 0) {
        std::this_thread::sleep_for(without_inotify);
        watch_nearest_folder();
        return true;
    }
    auto const deadline = std::chrono::steady_clock::now() + patience;
    while (true) {
        auto left = patience;
        if (patience.count() >= 0) {
            left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
            if (left.count() <= 0) return false;
        }
        ::pollfd events{m_events.get(), POLLIN, 0};
        ::poll(&events, 1, static_cast<int>(left.count()));
        if (read_events()) return true;
    }
}

/// Whether one of the events is about what is awaited.
bool AppearingSocket::read_events() {
    alignas(::inotify_event) std::array<char, 4096> buffer{};
    bool ours = false;
    bool folder_changed = false;
    for (ssize_t size = 0; (size = ::read(m_events.get(), buffer.data(), buffer.size())) > 0;) {
        for (auto const* place = buffer.data(); place < buffer.data() + size;) {
            auto const& event = *reinterpret_cast<::inotify_event const*>(place);
            place += sizeof event + event.len;
            if (event.wd != m_watched) continue; // of a watch that was taken back
            bool const of_folder = (event.mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED)) != 0;
            bool const of_awaited = event.len > 0 && m_awaited == event.name;
            ours = ours || of_folder || of_awaited;
            folder_changed = folder_changed || of_folder || (of_awaited && m_awaited != m_socket.filename());
        }
    }
    if (folder_changed) watch_nearest_folder();
    return ours;
}

} // namespace tamga::pkcs11
