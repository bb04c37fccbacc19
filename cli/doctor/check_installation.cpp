#include "base/trusted_file.hpp"
#include "base/unique_fd.hpp"
#include "cli/doctor/checks.hpp"
#include "cli/printable.hpp"
#include "policy/consent.hpp"
#include "policy/service_book.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>

namespace tamga::cli {

namespace {

namespace fs = std::filesystem;

std::string command_of(FileFault const& fault) {
    return fault.command.empty() ? "chmod go-w FILE" : fault.command;
}

Finding configuration_fault(std::string const& word, std::string const& detail) {
    if (word != wire_name(Errc::file_untrusted)) return {Cause::configuration_invalid, detail};
    auto const fault = FileFault::from(detail);
    return {Cause::configuration_untrusted, fault.path, command_of(fault), fault.why};
}

// ---- what is remembered ----

/// Folders and files of ours; nothing where it does not exist.
std::optional<Finding> look_at(fs::path const& path) {
    struct ::stat status {};
    if (path.empty() || ::lstat(path.c_str(), &status) != 0) return std::nullopt;
    if (status.st_uid != ::geteuid()) return Finding{Cause::state_foreign, path.string()};
    if ((status.st_mode & 077U) != 0) return Finding{Cause::state_open, path.string()};
    return std::nullopt;
}

void look_into(fs::path const& folder, Findings& findings) {
    std::error_code failed;
    if (auto const fault = look_at(folder)) findings.push_back(*fault);
    for (auto it = fs::directory_iterator{folder, failed}; !failed && it != fs::directory_iterator{};
         it.increment(failed)) {
        if (auto const fault = look_at(it->path())) findings.push_back(*fault);
    }
}

// ---- the screen ----

bool answers(std::string const& path) {
    ::sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof address.sun_path) return false;
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    UniqueFd const fd{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    return ::connect(fd.get(), reinterpret_cast<::sockaddr const*>(&address), sizeof address) == 0 || errno == EAGAIN;
}

/// Of ":0" and ":0.0"; a display of another computer is not looked at.
bool x_answers(std::string_view display) {
    if (!display.starts_with(':')) return true;
    auto const number = display.substr(1, display.find('.') - 1);
    return answers("/tmp/.X11-unix/X" + std::string{number});
}

bool wayland_answers(Surroundings const& here, std::string_view display) {
    if (display.starts_with('/')) return answers(std::string{display});
    return answers(std::string{here.variable("XDG_RUNTIME_DIR")} + '/' + std::string{display});
}

} // namespace

Findings check_package(Surroundings const& here, DaemonFacts const& daemon) {
    Findings findings;
    // The window is a package of its own: check_window.
    for (auto const* program : {"tamgad", "tamga-web", "tamga-token"}) {
        // A build has several tamgad, each in a folder beside its programs.
        auto const built = std::string_view{program} == "tamgad" && here.programs != fs::path{TAMGA_LIBEXEC_DIR};
        auto const path = here.programs / program;
        if (!built && ::access(path.c_str(), X_OK) != 0) findings.push_back({Cause::package_incomplete, path.string()});
    }
    if (!daemon.build.empty() && daemon.build != here.version)
        findings.push_back({Cause::package_mixed, daemon.build, here.version});
    if (findings.empty()) findings.push_back({Cause::package_good, here.version});
    return findings;
}

Findings check_configuration(Surroundings const& here, TokenFacts const& tokens) {
    Findings findings;
    if (!here.configuration) {
        auto const& error = here.configuration.error();
        findings.push_back(configuration_fault(std::string{wire_name(error.code)}, error.detail));
    }
    if (auto const* fault = tokens.computer["fault"].as_table())
        findings.push_back(configuration_fault(text_in(*fault, "code"), text_in(*fault, "detail")));
    auto const* const left_out = tokens.computer["left_out"].as_array();
    for (std::size_t i = 0; left_out != nullptr && i < left_out->size(); ++i)
        findings.push_back({Cause::configuration_left_out, left_out->get(i)->value_or(std::string{})});
    if (findings.empty()) findings.push_back({Cause::configuration_good});
    return findings;
}

Findings check_state(Surroundings const& here) {
    Findings findings;
    for (auto const& folder : {here.state_folder, here.tls_folder, here.socket.parent_path()})
        look_into(folder, findings);
    policy::WebConfig const otherwise;
    auto const days = here.configuration ? here.configuration->grant_days : otherwise.grant_days;
    auto book = policy::ConsentBook::look_at(policy::ConsentBook::default_path(), std::chrono::days{days});
    static_cast<void>(book.all());
    if (book.refused()) findings.push_back({Cause::state_sites_damaged, book.refused()->detail});
    if (findings.empty()) findings.push_back({Cause::state_good});
    return findings;
}

Findings check_catalogue(Surroundings const& here) {
    auto const user = !here.configuration || here.configuration->user_catalogues ? policy::UserCatalogues::counted
                                                                                 : policy::UserCatalogues::left_out;
    policy::ServiceBook book{policy::ServiceFolders::here(), user, policy::Remembering::looked_at};
    book.refresh(here.seconds());
    Findings findings;
    for (auto const& refused : book.refused())
        findings.push_back({Cause::catalogue_refused, refused.file.string(), refused.refused.detail});
    if (findings.empty()) findings.push_back({Cause::catalogue_good, std::to_string(book.in_effect().size())});
    return findings;
}

Findings check_window(Surroundings const& here) {
    Findings findings;
    if (::access((here.programs / "tamga-prompt").c_str(), X_OK) != 0) findings.push_back({Cause::window_missing});
    auto const wayland = here.variable("WAYLAND_DISPLAY");
    auto const x = here.variable("DISPLAY");
    if (wayland.empty() && x.empty()) {
        findings.push_back({Cause::window_no_display});
    } else if (!(!wayland.empty() && wayland_answers(here, wayland)) && !(!x.empty() && x_answers(x))) {
        findings.push_back({Cause::window_display_silent, std::string{wayland.empty() ? x : wayland}});
    }
    if (findings.empty()) findings.push_back({Cause::window_good});
    return findings;
}

} // namespace tamga::cli
