// A place of vpcd (vsmartcard) with a card that can be put in and pulled out. vpcd listens on a TCP port for each
// place; a connection is a card in it. A message is its length in two octets and its octets; one of a single octet is
// about power, or asks for the ATR; any other is a command APDU, answered by a message.
#pragma once

#include "base/unique_fd.hpp"
#include "tests/card/card.hpp"

namespace tamga::card {

class Reader {
public:
    using Clock = std::chrono::steady_clock;

    Reader(std::uint16_t port, Bytes atr, std::uint32_t serial) : m_port{port}, m_atr{std::move(atr)}, m_card{serial} {}

    void insert() noexcept { m_inserted = true; }
    void pull_out() noexcept;
    [[nodiscard]] bool is_inserted() const noexcept { return m_inserted; }
    [[nodiscard]] bool is_connected() const noexcept { return static_cast<bool>(m_connection); }
    [[nodiscard]] Card& card() noexcept { return m_card; }

    /// To be polled for reading; -1 while there is nothing to hear.
    [[nodiscard]] int fd() const noexcept { return m_answer ? -1 : m_connection.get(); }
    /// When `work` is to be called although nothing was heard.
    [[nodiscard]] std::optional<Clock::time_point> due() const;

    /// Connects where a card is in and vpcd listens; sends an answer whose time has come. Does not wait.
    void work();
    /// Takes one message that is there.
    void hear();

private:
    struct Later {
        Card::Answer answer;
        Clock::time_point at;
    };

    void connect();
    void send(View octets);
    [[nodiscard]] bool receive(std::span<unsigned char> octets);

    std::uint16_t m_port;
    Bytes m_atr;
    Card m_card;
    bool m_inserted = true;
    UniqueFd m_connection;
    std::optional<Later> m_answer;
};

} // namespace tamga::card
