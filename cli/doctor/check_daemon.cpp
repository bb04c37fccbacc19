#include "base/date.hpp"
#include "cli/doctor/checks.hpp"
#include "cli/doctor/tls_probe.hpp"
#include "net/sock_diag.hpp"
#include "signing/certificate.hpp"
#include "signing/trust_set.hpp"
#include "trust/local_ca.hpp"

#include <openssl/x509.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <ctime>
#include <fstream>
#include <iterator>
#include <sstream>

namespace tamga::cli {

namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr auto patience = 5s;

// ---- the service ----

/// What systemd says of a unit: "LoadState" and "ActiveState", and why it failed.
std::map<std::string, std::string> unit(Surroundings const& here, char const* name) {
    auto const ran =
        here.run({"systemctl", "--user", "show", "--property=LoadState,ActiveState,Result", name}, patience);
    std::map<std::string, std::string> properties;
    std::istringstream lines{ran.succeeded() ? ran.output : std::string{}};
    for (std::string line; std::getline(lines, line);) {
        if (auto const equals = line.find('='); equals != std::string::npos)
            properties[line.substr(0, equals)] = line.substr(equals + 1);
    }
    return properties;
}

// ---- the port ----

/// What a process calls itself, in lower case: program and arguments, of which Java's name the program.
std::string command_of(::pid_t process) {
    std::ifstream file{"/proc/" + std::to_string(process) + "/cmdline", std::ios::binary};
    std::string command{std::istreambuf_iterator<char>{file}, {}};
    std::ranges::transform(command, command.begin(), [](unsigned char c) { return c == 0 ? ' ' : std::tolower(c); });
    return command;
}

std::string program_of(::pid_t process) {
    std::error_code unreadable;
    return fs::read_symlink("/proc/" + std::to_string(process) + "/exe", unreadable).filename().string();
}

/// systemd holds the port until somebody connects, and while tamgad runs.
bool is_tamga(std::string const& program) {
    return program == "tamgad" || program == "tamga-web" || program == "systemd" ||
           program == "systemd-socket-activate";
}

Finding judge_holder(std::string const& port, std::uint32_t inode) {
    auto const holder = net::holder_of(inode);
    // A process of ours that hides from us is one that cannot be traced, as tamgad is.
    if (!holder) return {Cause::port_good, port};
    auto const program = program_of(*holder);
    auto const command = command_of(*holder);
    auto const named = program + " (" + std::to_string(*holder) + ')';
    if (command.find("ncalayer") != std::string::npos) return {Cause::port_ncalayer, port, named};
    if (command.find("kaztoken") != std::string::npos) return {Cause::port_kaztoken, port, named};
    if (program.empty() || is_tamga(program)) return {Cause::port_good, port};
    return {Cause::port_other, port, named};
}

// ---- TLS ----

/// Whether one of our authorities issued it.
bool is_ours(signing::Certificate const& served, std::vector<trust::Generation> const& generations) {
    return std::ranges::any_of(generations, [&](trust::Generation const& generation) {
        std::ifstream file{generation.chain, std::ios::binary};
        std::string const chain{std::istreambuf_iterator<char>{file}, {}};
        auto const read = signing::read_certificates(as_view(chain));
        return read && std::ranges::any_of(read->certificates, [&](signing::Certificate const& certificate) {
                   return certificate.fingerprint() == served.fingerprint();
               });
    });
}

/// Everything that is on disk, also what has ended.
std::vector<trust::Generation> generations(Surroundings const& here) {
    auto loaded = trust::load(here.tls_folder, trust::TimePoint{});
    return loaded ? std::move(*loaded) : std::vector<trust::Generation>{};
}

std::optional<Finding> judge_served(Surroundings const& here, std::vector<trust::Generation> const& known) {
    auto const port = std::to_string(here.port);
    auto const der = served_certificate(here.port);
    if (!der) return Finding{Cause::tls_silent, port, der.error().detail};
    auto const served = signing::Certificate::parse(*der);
    if (!served) return Finding{Cause::tls_foreign, port};
    if (here.seconds() > served->not_after() || here.seconds() < served->not_before())
        return Finding{Cause::tls_expired, local_date(served->not_before()) + " - " + local_date(served->not_after())};
    if (!is_ours(*served, known)) return Finding{Cause::tls_foreign, port};
    return std::nullopt;
}

} // namespace

Findings check_service(Surroundings const& here, DaemonFacts const& daemon) {
    if (daemon.presence == DaemonFacts::Presence::speaks) return {{Cause::service_good}};
    if (here.socket.empty()) return {{Cause::service_no_runtime_folder}};
    if (daemon.presence == DaemonFacts::Presence::silent) return {{Cause::service_silent}};
    auto service = unit(here, "tamga.service");
    if (service["LoadState"] != "loaded") return {{Cause::service_absent, {}, {}, here.socket.string()}};
    if (service["ActiveState"] == "failed") return {{Cause::service_failed, service["Result"]}};
    return {{Cause::service_stopped}};
}

Findings check_port(Surroundings const& here) {
    auto const port = std::to_string(here.port);
    auto diag = net::SockDiag::open();
    auto const owner = diag ? diag->listener_owner(here.port) : Result<std::optional<net::SocketOwner>>{diag.error()};
    if (!owner || !*owner) return {{Cause::port_nobody, port}};
    if ((*owner)->uid != ::geteuid()) return {{Cause::port_other_user, port, std::to_string((*owner)->uid)}};
    return {judge_holder(port, (*owner)->inode)};
}

Findings check_tls(Surroundings const& here, Findings const& port) {
    auto const known = generations(here);
    auto const valid = [&](trust::Generation const& generation) {
        return generation.valid_from <= here.now && here.now < generation.valid_to;
    };
    if (known.empty()) return {{Cause::tls_none}};
    auto const last = std::chrono::system_clock::to_time_t(known.back().valid_to);
    if (std::ranges::none_of(known, valid)) return {{Cause::tls_expired, local_date(last)}};
    auto const ours = !port.empty() && port.front().cause == Cause::port_good;
    if (auto const fault = ours ? judge_served(here, known) : std::nullopt) return {*fault};
    return {{Cause::tls_good, local_date(last)}};
}

} // namespace tamga::cli
