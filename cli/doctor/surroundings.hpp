// Where `tamga doctor` looks: paths, environment and clock of this computer as one value, so that a check reads nothing
// else and a test can give it another computer.
#pragma once

#include "base/result.hpp"
#include "base/text.hpp"
#include "cli/doctor/run_program.hpp"
#include "policy/web_config.hpp"
#include "signing/trust_set.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>

namespace tamga::cli {

enum class Network : std::uint8_t { asked, left_alone };

struct Surroundings {
    Language language{};
    std::map<std::string, std::string, std::less<>> environment;
    std::filesystem::path home;       ///< empty where HOME is not set
    std::filesystem::path programs;   ///< the folder of tamgad, tamga-web ...
    std::filesystem::path socket;     ///< the local one; empty without XDG_RUNTIME_DIR
    std::filesystem::path tls_folder; ///< empty without a home
    std::filesystem::path state_folder;
    std::filesystem::path certutil = "/usr/bin/certutil";
    std::filesystem::path policies = "/etc"; ///< of browsers
    std::filesystem::path usb_devices = "/sys/bus/usb/devices";
    signing::TrustFolders authorities;
    std::uint16_t port = 13579;
    std::chrono::system_clock::time_point now;
    std::chrono::system_clock::time_point built; ///< when this Tamga was made
    std::string version;                         ///< its build id
    Network network = Network::asked;
    Result<policy::WebConfig> configuration; ///< tamga.toml

    [[nodiscard]] std::int64_t seconds() const { return std::chrono::system_clock::to_time_t(now); }
    /// A variable; empty where it is not set.
    [[nodiscard]] std::string_view variable(std::string_view name) const;
    /// Runs a program of the system, looked for in PATH, in this environment.
    [[nodiscard]] Ran run(std::vector<std::string> command, std::chrono::milliseconds patience) const;

    /// This computer, for this process. Reads tamga.toml. Blocking.
    [[nodiscard]] static Surroundings here(Language language);
};

} // namespace tamga::cli
