#include "pkcs11/opensc_conf.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

namespace tamga::pkcs11 {

namespace {

/// "3b:88:01"
std::string colons(Bytes const& octets) {
    std::string text;
    for (auto const octet : octets) {
        if (!text.empty()) text += ':';
        text += to_hex(View{&octet, 1});
    }
    return text;
}

std::string card_atr(AtrPattern const& atr, OpenScDriver const& driver) {
    std::string block = "    card_atr " + colons(atr.value()) + " {\n        atrmask = \"" + colons(atr.mask()) +
                        "\";\n        driver = \"" + driver.driver + "\";\n";
    if (driver.type != 0) block += "        type = " + std::to_string(driver.type) + ";\n";
    return block + "    }\n";
}

} // namespace

std::string opensc_conf(Families const& families) {
    std::string conf = "app default {\n";
    for (auto const& row : families.rows()) {
        if (!row.opensc || row.opensc->driver.empty()) continue;
        for (auto const& atr : row.atrs)
            conf += card_atr(atr, *row.opensc);
    }
    return conf + "}\n";
}

Result<UniqueFd> opensc_conf_file(Families const& families, std::string& path) {
    auto const conf = opensc_conf(families);
    UniqueFd file{::memfd_create("opensc.conf", MFD_CLOEXEC | MFD_ALLOW_SEALING)};
    if (!file) return system_error("memfd_create", errno);
    auto const written = ::write(file.get(), conf.data(), conf.size());
    if (written != static_cast<ssize_t>(conf.size())) return system_error("opensc.conf", errno);
    if (::fcntl(file.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) != 0) {
        return system_error("opensc.conf", errno);
    }
    path = "/proc/self/fd/" + std::to_string(file.get());
    return file;
}

} // namespace tamga::pkcs11
