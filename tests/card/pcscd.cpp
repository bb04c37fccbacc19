#include "tests/card/pcscd.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <fstream>
#include <string>
#include <thread>
#include <utility>

namespace tamga::card {

namespace {

using namespace std::chrono_literals;

::sockaddr_un socket_name(std::filesystem::path const& folder) {
    ::sockaddr_un name{};
    name.sun_family = AF_UNIX;
    (folder / "pcscd.comm").string().copy(name.sun_path, sizeof name.sun_path - 1);
    return name;
}

/// `held`: its socket, handed over as sd_listen_fds(3) says, or -1.
[[noreturn]] void become_pcscd(std::filesystem::path const& folder, int held) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL); // whatever becomes of us, it does not stay behind
    auto const log = ::open((folder / "pcscd.log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    ::dup2(log, STDOUT_FILENO);
    ::dup2(log, STDERR_FILENO);
    // No driver for what may be plugged into this computer: the tests must not touch a token of a person.
    ::setenv("PCSCLITE_HP_DROPDIR", (folder / "no-drivers").c_str(), 1);
    auto const configuration = folder / "reader.conf";
    constexpr int first_handed_over = 3;
    char const* last = nullptr;
    if (held >= 0) {
        if (held == first_handed_over)
            ::fcntl(held, F_SETFD, 0);
        else
            ::dup2(held, first_handed_over);
        ::setenv("LISTEN_FDS", "1", 1);
        ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
        last = "--auto-exit";
    }
    ::execl("/usr/sbin/pcscd", "pcscd", "--foreground", "--info", "--config", configuration.c_str(), last, nullptr);
    ::_exit(127);
}

} // namespace

Pcscd::Pcscd(std::filesystem::path folder) : m_folder{std::move(folder)} {
    std::filesystem::create_directories(m_folder / "no-drivers");
    std::ofstream{m_folder / "reader.conf"} << "FRIENDLYNAME \"Virtual reader\"\n"
                                            << "DEVICENAME /dev/null:" << first_port << '\n'
                                            << "LIBPATH /usr/lib/pcsc/drivers/serial/libifdvpcd.so\n"
                                            << "CHANNELID " << first_port << '\n';
}

Pcscd::~Pcscd() {
    end(SIGKILL);
}

Result<void> Pcscd::start() {
    if (m_pid != 0) return ok();
    m_pid = ::fork();
    if (m_pid == 0) become_pcscd(m_folder, -1);
    auto const deadline = std::chrono::steady_clock::now() + 5s;
    while (!answers()) {
        if (std::chrono::steady_clock::now() > deadline) return Error{Errc::system, "pcscd does not answer"};
        std::this_thread::sleep_for(10ms);
    }
    return ok();
}

void Pcscd::end(int signal) {
    if (m_pid == 0) return;
    ::kill(m_pid, signal);
    ::waitpid(std::exchange(m_pid, 0), nullptr, 0);
}

Result<void> Pcscd::hold_socket() {
    end(SIGTERM);
    m_held = UniqueFd{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    auto const name = socket_name(m_folder);
    ::unlink(name.sun_path);
    if (::bind(m_held.get(), reinterpret_cast<::sockaddr const*>(&name), sizeof name) != 0 ||
        ::chmod(name.sun_path, 0666) != 0 || ::listen(m_held.get(), SOMAXCONN) != 0) {
        return system_error(name.sun_path, errno);
    }
    return ok();
}

void Pcscd::start_for_client() {
    m_pid = ::fork();
    if (m_pid == 0) become_pcscd(m_folder, m_held.get());
}

bool Pcscd::answers() const {
    UniqueFd const probe{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    auto const name = socket_name(m_folder);
    return ::connect(probe.get(), reinterpret_cast<::sockaddr const*>(&name), sizeof name) == 0;
}

} // namespace tamga::card
