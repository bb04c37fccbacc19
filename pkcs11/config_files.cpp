#include "pkcs11/config_files.hpp"

#include <cstdlib>

namespace tamga::pkcs11 {

namespace {

Result<std::filesystem::path> person_folder() {
    if (char const* configured = std::getenv("XDG_CONFIG_HOME"); configured != nullptr && *configured == '/') {
        return std::filesystem::path{configured} / "tamga";
    }
    if (char const* home = std::getenv("HOME"); home != nullptr && *home == '/') {
        return std::filesystem::path{home} / ".config/tamga";
    }
    return Error{Errc::config_invalid, "neither XDG_CONFIG_HOME nor HOME is set"};
}

} // namespace

Result<ConfigFiles> config_files() {
    auto const person = person_folder();
    if (!person) return person.error();
    std::filesystem::path const computer{"/etc/tamga"};
    ConfigFiles files;
    files.computer_modules = computer / "modules.toml";
    files.person_modules = *person / "modules.toml";
    files.shipped_families = TAMGA_SHIPPED_FAMILIES;
    files.computer_families = computer / "families.toml";
    files.person_families = *person / "families.toml";
    // In p11-kit, too, the administrator's folder goes before the packages' (pkcs11.conf(5)).
    files.p11_kit = {"/etc/pkcs11/modules", "/usr/share/p11-kit/modules"};
    files.p11_kit_libraries = TAMGA_P11_KIT_LIBRARIES;
    return files;
}

} // namespace tamga::pkcs11
