#include "tests/support/scratch.hpp"

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <unistd.h>

namespace tamga::test {

Scratch::Scratch() {
    std::filesystem::create_directories(TAMGA_SCRATCH);
    std::string pattern = TAMGA_SCRATCH "/XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error{"mkdtemp"};
    m_path = pattern;
}

Scratch::~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(m_path, ignored);
}

void Scratch::write(std::string const& name, std::string const& content) const {
    std::filesystem::create_directories((m_path / name).parent_path());
    // Replaced in one step: another process may be reading it.
    std::ofstream{m_path / (name + ".new"), std::ios::binary} << content;
    std::filesystem::rename(m_path / (name + ".new"), m_path / name);
}

std::string Scratch::read(std::string const& name) const {
    std::ifstream file{m_path / name, std::ios::binary};
    return {std::istreambuf_iterator<char>{file}, {}};
}

void Scratch::run(std::string const& command) const {
    auto const line = "cd '" + m_path.string() + "' && { " + command + "; } >command.log 2>&1";
    if (std::system(line.c_str()) != 0) throw std::runtime_error{command + "\n" + read("command.log")};
}

} // namespace tamga::test
