// tamga-token: one PKCS#11 module. Started by tamgad with a control channel as descriptor 3:
//   tamga-token --count        says how many modules there are, and ends
//   tamga-token N              serves module N until the control channel closes
//   tamga-token --file         loads no module; serves a key file for one request
//   tamga-token --watch        loads no module; tells the others which cards are in which readers, until then
// Started by a person:
//   tamga-token --modules      prints which modules there are, and why others were passed over
//   tamga-token --opensc-conf  prints the configuration that OpenSC's module is given
// Started by `tamga doctor`, under a watchdog of its own:
//   tamga-token --facts        prints what is known of readers and modules, as TOML; loads no module
//   tamga-token --settings     prints what modules.toml and families.toml say, each value with its file, as TOML
//   tamga-token --facts N      loads module N and prints what it shows without a PIN
#include "base/handshake.hpp"
#include "base/log.hpp"
#include "base/log_descriptor.hpp"
#include "keyfile/key_file.hpp"
#include "keyfile/wiping_memory.hpp"
#include "pkcs11/facts.hpp"
#include "pkcs11/file_token.hpp"
#include "pkcs11/module_search.hpp"
#include "pkcs11/opensc_conf.hpp"
#include "pkcs11/sandbox.hpp"
#include "pkcs11/service.hpp"
#include "pkcs11/watcher.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <iostream>

namespace tamga::pkcs11 {
namespace {

constexpr int control_fd = 3;
constexpr int exit_usage = 2;

int fail(Error const& error) {
    log::error("end", {{"code", wire_name(error.code)}, {"detail", error.detail}});
    return EXIT_FAILURE;
}

Result<Modules> modules_of_this_computer() {
    auto const files = config_files();
    return files ? find_modules(*files) : files.error();
}

/// A configuration with an error in it counts as one module, whose process says so to whoever asks it (serve): a page
/// is told config_invalid, not that no token is plugged in.
int count(ipc::Channel control) {
    auto const found = modules_of_this_computer();
    auto const number = found ? found->modules.size() : 1;
    auto said = ipc::say_hello(control, ipc::Role::token);
    if (said) said = control.send(ipc::ModuleCount{static_cast<std::uint8_t>(number)});
    if (!found) return fail(found.error());
    log_refusals(*found);
    return said ? EXIT_SUCCESS : fail(said.error());
}

/// OpenSC reads a configuration of ours, unless modules.toml names another. @return what must live as long as the
/// module.
Result<UniqueFd> configure_opensc(ModuleConfig& config) {
    auto const named = std::any_of(config.environment.begin(), config.environment.end(),
                                   [](auto const& variable) { return variable.first == "OPENSC_CONF"; });
    if (named || !is_opensc(config.families, config.path)) return UniqueFd{};
    std::string path;
    auto file = opensc_conf_file(config.families, path);
    if (file) config.environment.emplace_back("OPENSC_CONF", path);
    return file;
}

/// What process `number` is to load. Where the configuration cannot be read nothing is, those modules neither that
/// would be found without it: it may name another one in their place, and they would be given the PIN.
Result<ModuleConfig> config_of(std::size_t number) {
    auto found = modules_of_this_computer();
    if (!found) {
        ModuleConfig nothing;
        nothing.name = "none";
        nothing.fault = found.error();
        return nothing;
    }
    if (number >= found->modules.size()) return Error{Errc::config_invalid, "no module of that number"};
    auto& config = found->modules.at(number);
    config.families = std::move(found->families);
    if (auto const usable = usable_library(config.path); !usable) {
        log::warning("module_unusable", {{"name", config.name},
                                         {"path", config.path.string()},
                                         {"error", wire_name(usable.error().code)},
                                         {"detail", usable.error().detail}});
    }
    return std::move(config);
}

/// Everything a module needs around it before it is loaded. @return what must live as long as the module.
Result<UniqueFd> prepare(ModuleConfig& config) {
    auto opensc_configuration = configure_opensc(config);
    if (!opensc_configuration) return opensc_configuration.error();
    for (auto const& [name, value] : config.environment)
        ::setenv(name.c_str(), value.c_str(), 1);
    // An empty entry of a library's RUNPATH means the folder that the daemon was started in, whosever that is.
    if (::chdir("/") != 0) return system_error("/", errno);
    if (auto const entered = enter_token_sandbox(config.allow); !entered) return entered.error();
    return opensc_configuration;
}

int serve(std::size_t number, ipc::Channel control) {
    auto config = config_of(number);
    if (!config) return fail(config.error());
    auto const prepared = prepare(*config);
    if (!prepared) return fail(prepared.error());
    Service service{std::move(*config), Limits{}.divided_by(TAMGA_DEADLINE_DIVISOR), std::move(control)};
    auto const ended = service.run();
    return ended ? EXIT_SUCCESS : fail(ended.error());
}

int serve_file(ipc::Channel control) {
    ::prctl(PR_SET_NAME, "tamga-file"); // ps tells it from the processes with a module
    if (!keyfile::wipe_what_openssl_frees()) return fail(Error{Errc::internal, "OpenSSL was used before"});
    // What has to be loaded is loaded before the sandbox is entered; without gost-engine a GOST key says so itself.
    keyfile::OldCiphers const old_ciphers;
    if (auto const loaded = signing::gost::load(); !loaded) log::info("gost", {{"detail", loaded.error().detail}});
    if (auto const entered = enter_file_sandbox(); !entered) return fail(entered.error());
    auto const ended = FileToken{std::move(control)}.run();
    return ended ? EXIT_SUCCESS : fail(ended.error());
}

int print(std::string_view what) {
    auto const found = modules_of_this_computer();
    if (!found) return fail(found.error());
    std::cout << (what == "--modules" ? report(*found) : opensc_conf(found->families));
    return EXIT_SUCCESS;
}

/// Ends the process: a thread may be waiting for the card service, from where it does not come back.
[[noreturn]] void watch(ipc::Channel control) {
    ::prctl(PR_SET_NAME, "tamga-watcher"); // ps tells it from the processes with a module
    if (auto const entered = enter_token_sandbox(std::nullopt); !entered) std::_Exit(fail(entered.error()));
    auto const ended = Watcher{std::move(control)}.run();
    std::_Exit(ended ? EXIT_SUCCESS : fail(ended.error()));
}

/// What a module prints goes nowhere: descriptor 1 may be anything in the process that started us, and descriptor 2 is
/// the log, into which builds for their makers write PINs.
void silence_modules() {
    UniqueFd const nowhere{::open("/dev/null", O_WRONLY | O_CLOEXEC)};
    if (nowhere) ::dup2(nowhere.get(), STDOUT_FILENO);
    log::keep_apart();
}

std::optional<std::size_t> number_from(std::string_view digits) {
    std::size_t number = 0;
    auto const [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (digits.empty() || failure != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
    return number;
}

bool write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        auto const written = ::write(fd, text.data(), text.size());
        if (written < 0) return false;
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

int print_usage(std::ostream& out, int code) {
    out << "tamga-token: one PKCS#11 module; started by tamgad. For whoever looks for a fault:\n"
           "  tamga-token --modules      which modules there are, and why others were passed over\n"
           "  tamga-token --opensc-conf  the configuration that OpenSC's module is given\n"
           "  tamga-token --facts [N]    readers and modules, or what module N shows without a PIN; TOML\n"
           "  tamga-token --settings     modules.toml and families.toml, each value with its file; TOML\n"
           "By tamgad alone, with a channel as descriptor 3: --count, --file, --watch, N\n";
    return code;
}

int print_facts() {
    std::cout << facts_of_computer(modules_of_this_computer());
    return EXIT_SUCCESS;
}

int print_settings() {
    auto const files = config_files();
    if (!files) return fail(files.error());
    std::cout << settings_of(*files);
    return EXIT_SUCCESS;
}

/// For one module, in this process.
int print_facts(std::size_t number) {
    UniqueFd const out{::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)}; // a module may print to descriptor 1 itself
    silence_modules();
    auto config = config_of(number);
    if (!config) return fail(config.error());
    Readers readers;
    look_into_readers(readers);
    auto const prepared = prepare(*config);
    if (!prepared) return fail(prepared.error());
    return write_all(out.get(), facts_of_module(*config, readers)) ? EXIT_SUCCESS : EXIT_FAILURE;
}

} // namespace
} // namespace tamga::pkcs11

int main(int argument_count, char** arguments) {
    ::prctl(PR_SET_DUMPABLE, 0);
    using namespace tamga;
    log::open("tamga-token");
    // Whoever ends a session or presses Ctrl-C signals every process of it. This one ends when its control channel
    // closes, after the logout.
    for (int const signal : {SIGTERM, SIGINT, SIGHUP})
        std::signal(signal, SIG_IGN);

    std::string_view const argument = argument_count == 2 ? arguments[1] : "";
    if (argument == "--modules" || argument == "--opensc-conf") return pkcs11::print(argument);
    if (argument == "--facts") return pkcs11::print_facts();
    if (argument == "--settings") return pkcs11::print_settings();
    if (argument_count == 3 && std::string_view{arguments[1]} == "--facts") {
        if (auto const number = pkcs11::number_from(arguments[2])) return pkcs11::print_facts(*number);
    }
    if (argument == "--help") return pkcs11::print_usage(std::cout, EXIT_SUCCESS);
    auto const by_tamgad = argument == "--count" || argument == "--watch" || argument == "--file";
    auto const number = pkcs11::number_from(argument);
    if (!by_tamgad && !number) return pkcs11::print_usage(std::cerr, pkcs11::exit_usage);
    pkcs11::silence_modules();
    ipc::Channel control{UniqueFd{pkcs11::control_fd}};
    ::fcntl(pkcs11::control_fd, F_SETFD, FD_CLOEXEC);
    if (argument == "--count") return pkcs11::count(std::move(control));
    if (argument == "--watch") pkcs11::watch(std::move(control));
    if (argument == "--file") return pkcs11::serve_file(std::move(control));
    return pkcs11::serve(*number, std::move(control));
}
