// tamga-fake-logind FOLDER: a bus of its own at FOLDER/bus, and a systemd-logind on it that obeys its standard input:
// one person with one session. Both end with the standard input.
//   lock      says Lock, as `loginctl lock-session` makes it do
//   hint      the desktop says that its screen is locked (LockedHint)
//   sleep     the computer is about to sleep (PrepareForSleep)
//   leave     somebody else takes the seat (Active)
//   end       the session ends (SessionRemoved)
//   present   the person is back
// Prints "ready", then each command once it was said.
#include <systemd/sd-bus.h>

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <string>

namespace {

constexpr char const* manager_path = "/org/freedesktop/login1";
constexpr char const* manager_name = "org.freedesktop.login1.Manager";
constexpr char const* user_path = "/org/freedesktop/login1/user/self";
constexpr char const* session_path = "/org/freedesktop/login1/session/_31";
constexpr char const* session_name = "org.freedesktop.login1.Session";

struct Session {
    int locked = 0;
    int active = 1;
};

int display(::sd_bus*, char const*, char const*, char const*, ::sd_bus_message* reply, void*, ::sd_bus_error*) {
    return ::sd_bus_message_append(reply, "(so)", "1", session_path);
}

constexpr ::sd_bus_vtable user_vtable[] = {SD_BUS_VTABLE_START(0), SD_BUS_PROPERTY("Display", "(so)", display, 0, 0),
                                           SD_BUS_VTABLE_END};
constexpr ::sd_bus_vtable session_vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_PROPERTY("LockedHint", "b", nullptr, offsetof(Session, locked), SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_PROPERTY("Active", "b", nullptr, offsetof(Session, active), SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_VTABLE_END};

void check(int code, char const* what) {
    if (code < 0) throw std::runtime_error{what};
}

void obey(::sd_bus* bus, Session& session, std::string const& command) {
    if (command == "lock")
        check(::sd_bus_emit_signal(bus, session_path, session_name, "Lock", ""), "Lock");
    else if (command == "sleep")
        check(::sd_bus_emit_signal(bus, manager_path, manager_name, "PrepareForSleep", "b", 1), "PrepareForSleep");
    else if (command == "end")
        check(::sd_bus_emit_signal(bus, manager_path, manager_name, "SessionRemoved", "so", "1", session_path), "end");
    else {
        session.locked = command == "hint" ? 1 : 0;
        session.active = command == "leave" ? 0 : 1;
        check(::sd_bus_emit_properties_changed(bus, session_path, session_name, "LockedHint", "Active", nullptr),
              "PropertiesChanged");
    }
    // The bus passes on what came before it answers: whoever listens can read it from here on.
    check(::sd_bus_call_method(bus, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "GetId",
                               nullptr, nullptr, ""),
          "passed on");
    std::cout << command << std::endl;
}

/// dbus-daemon, which ends with us and says on its standard output when it listens.
void start_bus(std::string const& folder) {
    auto const config = folder + "/bus.conf";
    std::ofstream{config} << "<!DOCTYPE busconfig PUBLIC \"-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN\" "
                             "\"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd\">\n<busconfig><listen>"
                             "unix:path="
                          << folder
                          << "/bus</listen><auth>EXTERNAL</auth><policy context=\"default\">"
                             "<allow send_destination=\"*\" eavesdrop=\"true\"/><allow eavesdrop=\"true\"/>"
                             "<allow own=\"*\"/></policy></busconfig>\n";
    std::array<int, 2> ends{};
    check(::pipe(ends.data()), "pipe");
    auto const us = ::getpid();
    if (::fork() == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() != us) ::_exit(EXIT_FAILURE);
        ::dup2(ends[1], STDOUT_FILENO);
        auto const option = "--config-file=" + config;
        ::execlp("dbus-daemon", "dbus-daemon", "--nofork", "--print-address=1", option.c_str(), nullptr);
        ::_exit(EXIT_FAILURE);
    }
    ::close(ends[1]);
    char first = 0;
    if (::read(ends[0], &first, 1) != 1) throw std::runtime_error{"dbus-daemon"};
}

int serve(std::string const& folder) {
    start_bus(folder);
    ::setenv("DBUS_SYSTEM_BUS_ADDRESS", ("unix:path=" + folder + "/bus").c_str(), 1);
    ::sd_bus* bus = nullptr;
    Session session;
    check(::sd_bus_open_system(&bus), "bus");
    check(::sd_bus_add_object_vtable(bus, nullptr, user_path, "org.freedesktop.login1.User", user_vtable, nullptr),
          "user");
    check(::sd_bus_add_object_vtable(bus, nullptr, session_path, session_name, session_vtable, &session), "session");
    check(::sd_bus_request_name(bus, "org.freedesktop.login1", 0), "name");
    std::cout << "ready" << std::endl;
    std::string typed;
    while (true) {
        while (::sd_bus_process(bus, nullptr) > 0)
            continue;
        std::array<::pollfd, 2> ends{{{::sd_bus_get_fd(bus), POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}}};
        ::poll(ends.data(), ends.size(), -1);
        if (ends[1].revents == 0) continue;
        std::array<char, 256> part{};
        auto const got = ::read(STDIN_FILENO, part.data(), part.size());
        if (got <= 0) return EXIT_SUCCESS;
        typed.append(part.data(), static_cast<std::size_t>(got));
        for (auto end = typed.find('\n'); end != std::string::npos; end = typed.find('\n')) {
            obey(bus, session, typed.substr(0, end));
            typed.erase(0, end + 1);
        }
    }
}

} // namespace

int main(int count, char** arguments) {
    try {
        if (count != 2) throw std::runtime_error{"usage: tamga-fake-logind FOLDER"};
        return serve(arguments[1]);
    } catch (std::exception const& error) {
        std::cerr << error.what() << '\n';
        return EXIT_FAILURE;
    }
}
