#include "tests/card/virtual_readers.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <stdexcept>

namespace tamga::test {

VirtualReaders::VirtualReaders(Scratch const& folder) : m_folder{folder} {
    folder.run("mkdir -p config/tamga && cp " TAMGA_FAMILIES " config/tamga");
    folder.run("XDG_CONFIG_HOME=$PWD/config " TAMGA_PROGRAMS_DIR "/tamga-token --opensc-conf > opensc.conf");
    ::setenv("PCSCLITE_CSOCK_NAME", (folder / "pcscd/pcscd.comm").c_str(), 1);
    ::setenv("OPENSC_CONF", (folder / "opensc.conf").c_str(), 1);

    int to[2] = {-1, -1};
    int from[2] = {-1, -1};
    if (::pipe2(to, O_CLOEXEC) != 0 || ::pipe2(from, O_CLOEXEC) != 0) throw std::runtime_error{"pipe2"};
    ::posix_spawn_file_actions_t files;
    ::posix_spawn_file_actions_init(&files);
    ::posix_spawn_file_actions_adddup2(&files, to[0], STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&files, from[1], STDOUT_FILENO);
    std::string arguments[] = {TAMGA_READERS, TAMGA_VIRTUAL_READERS, folder / "pcscd", "kaztoken", "rutoken"};
    std::array<char*, 6> pointers{};
    for (std::size_t i = 0; i < std::size(arguments); ++i)
        pointers[i] = arguments[i].data();
    auto const failed = ::posix_spawn(&m_pid, pointers[0], &files, nullptr, pointers.data(), environ);
    ::posix_spawn_file_actions_destroy(&files);
    ::close(to[0]);
    ::close(from[1]);
    m_in = ::fdopen(to[1], "w");
    m_out = ::fdopen(from[0], "r");
    if (failed != 0 || answer() != "ready") throw std::runtime_error{"virtual-readers does not start"};
    wait_for_cards();
}

void VirtualReaders::wait_for_cards() const {
    m_folder.run("for i in $(seq 100); do opensc-tool --list-readers | grep -c Yes | grep -q 2 && exit 0; sleep 0.05; "
                 "done; exit 1");
}

VirtualReaders::~VirtualReaders() {
    std::fclose(m_in);
    std::fclose(m_out);
    ::waitpid(m_pid, nullptr, 0);
}

std::string VirtualReaders::answer() {
    std::array<char, 256> line{};
    if (std::fgets(line.data(), line.size(), m_out) == nullptr) return "error end";
    std::string text{line.data()};
    text.pop_back();
    return text;
}

std::string VirtualReaders::say(std::string const& line) {
    std::fputs((line + '\n').c_str(), m_in);
    std::fflush(m_in);
    auto const said = answer();
    if (said.starts_with("error")) throw std::runtime_error{line + ": " + said};
    return said;
}

void VirtualReaders::format(unsigned reader) const {
    auto const number = std::to_string(reader);
    m_folder.run("TOKEN_LABEL='Card " + number + "' '" TAMGA_FORMAT_CARD "' " + number + " card" + number);
}

} // namespace tamga::test
