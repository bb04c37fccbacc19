#include "tests/support/logind.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <stdexcept>

namespace tamga::test {

Logind::Logind(std::filesystem::path const& folder)
    : m_variable{"DBUS_SYSTEM_BUS_ADDRESS=unix:path=" + (folder / "bus").string()} {
    std::array<int, 2> in{};
    std::array<int, 2> out{};
    if (::pipe(in.data()) != 0 || ::pipe(out.data()) != 0) throw std::runtime_error{"pipe"};
    m_pid = ::fork();
    if (m_pid == 0) {
        ::dup2(in[0], STDIN_FILENO);
        ::dup2(out[1], STDOUT_FILENO);
        for (int const end : {in[0], in[1], out[0], out[1]})
            ::close(end);
        ::execl(TAMGA_FAKE_LOGIND, "tamga-fake-logind", folder.c_str(), nullptr);
        ::_exit(EXIT_FAILURE);
    }
    ::close(in[0]);
    ::close(out[1]);
    m_in = in[1];
    m_out = out[0];
    if (answer() != "ready") throw std::runtime_error{"tamga-fake-logind does not start"};
}

Logind::~Logind() {
    ::close(m_in);
    ::waitpid(m_pid, nullptr, 0);
    ::close(m_out);
}

void Logind::say(std::string const& what) {
    auto const line = what + '\n';
    if (::write(m_in, line.data(), line.size()) < 0 || answer() != what) throw std::runtime_error{"logind: " + what};
}

std::string Logind::answer() {
    std::string line;
    char letter = 0;
    while (::read(m_out, &letter, 1) == 1 && letter != '\n')
        line += letter;
    return line;
}

} // namespace tamga::test
