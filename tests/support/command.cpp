#include "tests/support/command.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sys/wait.h>

namespace tamga::test {

Workshop::Workshop() {
    auto name = (std::filesystem::temp_directory_path() / "tamga-test-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    m_directory = name;
}

Workshop::~Workshop() {
    std::error_code ignored;
    std::filesystem::remove_all(m_directory, ignored);
}

void Workshop::put(std::string const& name, View octets) const {
    std::ofstream{m_directory / name, std::ios::binary} << as_text(octets);
}

Bytes Workshop::get(std::string const& name) const {
    std::ifstream file{m_directory / name, std::ios::binary};
    return {std::istreambuf_iterator<char>{file}, {}};
}

Outcome Workshop::run(std::string const& command) const {
    auto const line = "cd '" + m_directory.string() + "' && { " + command + "; } 2>&1";
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

} // namespace tamga::test
