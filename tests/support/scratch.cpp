#include "tests/support/scratch.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <sys/wait.h>

namespace tamga::test {

std::filesystem::path data_folder() {
    return TAMGA_TEST_DATA;
}

Scratch::Scratch() {
    auto pattern = (std::filesystem::temp_directory_path() / "tamga-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error{"mkdtemp"};
    m_path = pattern;
}

Scratch::~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(m_path, ignored);
}

void Scratch::write(std::string const& name, std::string_view content) const {
    std::filesystem::create_directories((m_path / name).parent_path());
    std::ofstream{m_path / (name + ".new"), std::ios::binary} << content;
    std::filesystem::rename(m_path / (name + ".new"), m_path / name);
}

std::string Scratch::read(std::string const& name) const {
    std::ifstream file{m_path / name, std::ios::binary};
    return {std::istreambuf_iterator<char>{file}, {}};
}

Bytes Scratch::read_octets(std::string const& name) const {
    return to_bytes(as_view(read(name)));
}

Outcome Scratch::attempt(std::string const& command) const {
    auto const line = "cd '" + m_path.string() + "' && { " + command + "; } 2>&1 </dev/null";
    auto* pipe = ::popen(line.c_str(), "r");
    if (pipe == nullptr) return {};
    Outcome outcome;
    std::array<char, 4096> buffer{};
    while (auto const size = std::fread(buffer.data(), 1, buffer.size(), pipe))
        outcome.output.append(buffer.data(), size);
    auto const status = ::pclose(pipe);
    outcome.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return outcome;
}

void Scratch::run(std::string const& command) const {
    auto const outcome = attempt(command);
    if (outcome.status != 0) throw std::runtime_error{command + "\n" + outcome.output};
}

} // namespace tamga::test
