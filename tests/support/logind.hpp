// A systemd-logind of the test's own (fake_logind.cpp), for what is to end when the screen is locked.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>

namespace tamga::test {

class Logind {
public:
    /// On a bus in `folder`. Waits until it answers; throws where it does not.
    explicit Logind(std::filesystem::path const& folder);
    Logind(Logind const&) = delete;
    Logind& operator=(Logind const&) = delete;
    ~Logind();

    /// "DBUS_SYSTEM_BUS_ADDRESS=...".
    [[nodiscard]] std::string const& variable() const noexcept { return m_variable; }
    /// lock, hint, sleep, leave, end, present. Returns when it was said.
    void say(std::string const& what);

private:
    std::string answer();

    ::pid_t m_pid = -1;
    int m_in = -1;
    int m_out = -1;
    std::string m_variable;
};

} // namespace tamga::test
