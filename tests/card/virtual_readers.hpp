// Two readers with a card each, for a test in C++: tests/card/readers with what a test may ask of it
// (tests/card/main.cpp).
#pragma once

#include "tests/support/scratch.hpp"

#include <sys/types.h>

#include <cstdio>

namespace tamga::test {

/// The first card has Kaztoken's ATR, the second Rutoken's. Puts the shipped table of families into config/ of the
/// folder. Sets PCSCLITE_CSOCK_NAME, and OPENSC_CONF as the table wants it, for the programs that the test starts. What
/// fails throws.
class VirtualReaders {
public:
    static constexpr char const* opensc = "/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so";
    static constexpr char const* pin = "12345678";
    static constexpr char const* first = "Virtual reader 00 00";
    static constexpr char const* second = "Virtual reader 00 01";

    /// Blocks until pcscd runs and both cards are in.
    explicit VirtualReaders(Scratch const& folder);
    VirtualReaders(VirtualReaders const&) = delete;
    VirtualReaders& operator=(VirtualReaders const&) = delete;
    ~VirtualReaders();

    /// One line, and its answer.
    std::string say(std::string const& line);
    /// Blocks until pcscd sees both cards: it looks every 0.4 s.
    void wait_for_cards() const;
    /// Two keys and certificates on the card in this reader; ca.pem and the certificates in cardN/ of the folder.
    void format(unsigned reader) const;

private:
    std::string answer();

    Scratch const& m_folder;
    ::pid_t m_pid = -1;
    std::FILE* m_in = nullptr;
    std::FILE* m_out = nullptr;
};

} // namespace tamga::test
