#include "tests/support/throwaway_token.hpp"

#include <algorithm>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace tamga::test {

signing::Certificate make_key(Scratch const& folder, std::string const& name, KeyKind kind) {
    CertificateSpec spec;
    spec.key = kind;
    auto const made = make_certificate(spec);
    auto const certificate = signing::Certificate::parse(made.certificate);
    if (!certificate) throw std::runtime_error{certificate.error().detail};
    folder.write(name + "-key.pem", made.private_key_pem());
    folder.write(name + ".pem", certificate->pem());
    folder.write(name + ".der", std::string{as_text(made.certificate)});
    folder.write("ca.pem", ca_certificate_pem());
    return *certificate;
}

void configure_module(Scratch const& folder, std::string const& path, std::string const& environment,
                      std::string const& more) {
    folder.write("config/tamga/modules.toml", "[[module]]\nname = \"test\"\npath = \"" + path +
                                                  "\"\nstorage = \"AKKaztokenStore\"\nenvironment = { " + environment +
                                                  " }\n" + more);
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

FakeToken::FakeToken(Scratch const& folder, std::vector<std::string> lines, std::string const& module)
    : m_folder{folder} {
    m_lines = "log " + (folder / "calls").string() + "\n";
    for (auto const& line : lines)
        m_lines += line + "\n";
    knobs("");
    configure_module(folder, TAMGA_FAKE_MODULE, "TAMGA_FAKE_PKCS11 = \"" + (folder / "knobs").string() + "\"", module);
}

void FakeToken::knobs(std::string const& lines) const {
    m_folder.write("knobs", m_lines + lines);
}

std::vector<std::string> FakeToken::log() const {
    std::istringstream log{m_folder.read("calls")};
    std::vector<std::string> lines;
    for (std::string line; std::getline(log, line);)
        lines.push_back(std::move(line));
    return lines;
}

std::size_t FakeToken::calls(std::string const& function) const {
    auto const lines = log();
    return static_cast<std::size_t>(std::count(lines.begin(), lines.end(), function));
}

std::size_t FakeToken::calls_soon(std::string const& function, std::size_t wanted) const {
    for (int i = 0; i < 1000 && calls(function) != wanted; ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds{5});
    return calls(function);
}

std::string fake_token_line(std::string const& label, unsigned tries) {
    std::string backwards = user_pin;
    std::reverse(backwards.begin(), backwards.end());
    return "token " + label + " " + backwards + " " + std::to_string(tries);
}

} // namespace tamga::test
