#include "cli/doctor/repair.hpp"

#include "cli/trust.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <sstream>

namespace tamga::cli {

namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr auto patience = 20s;

Result<void> told_systemd(Surroundings const& here, std::vector<std::string> words) {
    words.insert(words.begin(), {"systemctl", "--user"});
    auto const ran = here.run(words, patience);
    if (ran.succeeded()) return ok();
    return Error{Errc::system, words[2] + ": " + ran.how()};
}

Result<void> start_service(Surroundings const& here) {
    // What failed too often is not started before it is forgotten; where nothing failed, that is no error.
    static_cast<void>(told_systemd(here, {"reset-failed", "tamga.service", "tamga.socket"}));
    if (auto const started = told_systemd(here, {"start", "tamga.socket"}); started) return started;
    return told_systemd(here, {"start", "tamga.service"});
}

Result<void> install_trust(Surroundings const& here) {
    TrustSettings settings;
    settings.language = here.language;
    settings.home = here.home;
    settings.tls_folder = here.tls_folder;
    settings.certutil = here.certutil;
    settings.now = here.now;
    std::ostringstream words;
    if (run_trust(TrustAction::install, settings, words) == 0) return ok();
    return Error{Errc::system, words.str()};
}

/// Ours alone, and no links: what they point at is none of our business.
void close(fs::path const& path) {
    struct ::stat status {};
    if (::lstat(path.c_str(), &status) != 0 || status.st_uid != ::geteuid() || S_ISLNK(status.st_mode)) return;
    ::chmod(path.c_str(), status.st_mode & 07700U);
}

Result<void> close_files(Surroundings const& here) {
    for (auto const& folder : {here.state_folder, here.tls_folder, here.socket.parent_path()}) {
        std::error_code failed;
        if (folder.empty()) continue;
        close(folder);
        for (auto it = fs::directory_iterator{folder, failed}; !failed && it != fs::directory_iterator{};
             it.increment(failed))
            close(it->path());
    }
    return ok();
}

} // namespace

std::vector<Fix> repairs_for(Findings const& findings) {
    std::vector<Fix> repairs;
    for (auto const fix : {Fix::close_files, Fix::install_trust, Fix::start_service, Fix::restart_service}) {
        for (auto const& finding : findings) {
            if (row_of(finding.cause).fix != fix) continue;
            repairs.push_back(fix);
            break;
        }
    }
    return repairs;
}

std::string question_about(Language language, Fix fix) {
    switch (fix) {
    case Fix::none: return {};
    case Fix::start_service: return std::string{text(language, "Start the service of Tamga?")};
    case Fix::restart_service: return std::string{text(language, "Start the service of Tamga again?")};
    case Fix::install_trust:
        return std::string{text(language, "Let the browsers of this user trust the certificate of Tamga?")};
    case Fix::close_files: return std::string{text(language, "Close Tamga's files to other users?")};
    }
    return {};
}

Result<void> repair(Surroundings const& here, Fix fix) {
    switch (fix) {
    case Fix::none: return ok();
    case Fix::start_service: return start_service(here);
    case Fix::restart_service: return told_systemd(here, {"restart", "tamga.service"});
    case Fix::install_trust: return install_trust(here);
    case Fix::close_files: return close_files(here);
    }
    return ok();
}

} // namespace tamga::cli
