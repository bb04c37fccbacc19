#include "cli/doctor/surroundings.hpp"

#include "base/build_id.hpp"
#include "cli/local_client.hpp"
#include "policy/state_file.hpp"
#include "trust/local_ca.hpp"

#include <unistd.h>

#include <algorithm>

namespace tamga::cli {

namespace {

namespace fs = std::filesystem;

/// Beside this program where they lie there, as in a build; else where they are installed.
fs::path programs_folder() {
    std::error_code failed;
    auto const beside = fs::read_symlink("/proc/self/exe", failed).parent_path();
    return fs::exists(beside / "tamga-token", failed) ? beside : fs::path{TAMGA_LIBEXEC_DIR};
}

} // namespace

std::string_view Surroundings::variable(std::string_view name) const {
    auto const found = environment.find(name);
    return found == environment.end() ? std::string_view{} : std::string_view{found->second};
}

Ran Surroundings::run(std::vector<std::string> command, std::chrono::milliseconds patience) const {
    std::vector<std::string> variables;
    for (auto const& [name, value] : environment)
        variables.push_back(name + '=' + value);
    return run_program(std::move(command), std::move(variables), patience);
}

Surroundings Surroundings::here(Language language) {
    Surroundings here;
    here.language = language;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        std::string_view const variable{*entry};
        auto const equals = variable.find('=');
        if (equals == std::string_view::npos) continue;
        here.environment.emplace(variable.substr(0, equals), variable.substr(equals + 1));
    }
    here.home = here.variable("HOME");
    here.programs = programs_folder();
    here.socket = LocalClient::default_path();
    if (auto const folder = trust::tls_folder()) here.tls_folder = *folder;
    here.state_folder = policy::state_folder();
    here.authorities = signing::TrustFolders::here();
    here.now = std::chrono::system_clock::now();
    here.built = std::chrono::system_clock::from_time_t(TAMGA_BUILT);
    here.version = build_id;
    here.configuration = policy::load_web_config(policy::config_files());
    return here;
}

} // namespace tamga::cli
