#include "tests/support/throwaway_token.hpp"

#include <algorithm>
#include <sstream>
#include <stdexcept>

namespace tamga::test {

signing::Certificate make_key(Scratch const& folder, std::string const& name, std::string const& algorithm) {
    folder.run("openssl genpkey -algorithm " + algorithm + " -out " + name + "-key.pem");
    folder.run("openssl req -x509 -new -utf8 -sha256 -days 2 -key " + name + "-key.pem -out " + name +
               ".pem -subj '/CN=ТЕСТОВ ТЕСТ/serialNumber=IIN123456789011/C=KZ/GN=ТЕСТОВИЧ' "
               "-addext keyUsage=critical,digitalSignature,nonRepudiation "
               "-addext extendedKeyUsage=1.3.6.1.5.5.7.3.4,1.2.398.3.3.4.1.1");
    folder.run("openssl x509 -in " + name + ".pem -outform DER -out " + name + ".der");
    auto const certificate = signing::Certificate::parse(as_view(folder.read(name + ".der")));
    if (!certificate) throw std::runtime_error{certificate.error().detail};
    return *certificate;
}

void configure_module(Scratch const& folder, std::string const& path, std::string const& environment) {
    folder.write("config/tamga/modules.toml", "[[module]]\nname = \"test\"\npath = \"" + path +
                                                  "\"\nstorage = \"AKKaztokenStore\"\nenvironment = { " + environment +
                                                  " }\n");
}

SoftToken::SoftToken(Scratch const& folder) : m_folder{folder} {
    std::filesystem::create_directories(folder / "tokens");
    folder.write("softhsm2.conf", "directories.tokendir = " + (folder / "tokens").string() +
                                      "\nobjectstore.backend = file\nlog.level = ERROR\n");
    configure_module(folder, module, "SOFTHSM2_CONF = \"" + (folder / "softhsm2.conf").string() + "\"");
    add_token("tamga");
}

void SoftToken::add_token(std::string const& label) const {
    m_folder.run("SOFTHSM2_CONF=softhsm2.conf softhsm2-util --init-token --free --label " + label +
                 " --so-pin 87654321 --pin " + user_pin);
}

void SoftToken::add_key(std::string const& name, std::string const& id, std::string const& label) const {
    m_folder.run("SOFTHSM2_CONF=softhsm2.conf softhsm2-util --import " + name + "-key.pem --token " + label +
                 " --label key --id " + id + " --pin " + user_pin);
}

void SoftToken::add_certificate(std::string const& name, std::string const& id, std::string const& label) const {
    m_folder.run("SOFTHSM2_CONF=softhsm2.conf pkcs11-tool --module " + std::string{module} + " --token-label " + label +
                 " --login --pin " + user_pin + " --write-object " + name + ".der --type cert --label x --id " + id);
}

FakeToken::FakeToken(Scratch const& folder, std::vector<std::string> lines) : m_folder{folder} {
    m_lines = "log " + (folder / "calls").string() + "\n";
    for (auto const& line : lines)
        m_lines += line + "\n";
    knobs("");
    configure_module(folder, TAMGA_FAKE_MODULE, "TAMGA_FAKE_PKCS11 = \"" + (folder / "knobs").string() + "\"");
}

void FakeToken::knobs(std::string const& lines) const {
    m_folder.write("knobs", m_lines + lines);
}

std::size_t FakeToken::calls(std::string const& function) const {
    std::istringstream log{m_folder.read("calls")};
    std::size_t count = 0;
    for (std::string line; std::getline(log, line);)
        if (line == function) ++count;
    return count;
}

std::string fake_token_line(std::string const& label, unsigned tries) {
    std::string backwards = user_pin;
    std::reverse(backwards.begin(), backwards.end());
    return "token " + label + " " + backwards + " " + std::to_string(tries);
}

} // namespace tamga::test
