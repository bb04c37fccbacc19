#include "tests/card/reader.hpp"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace tamga::card {

namespace {

constexpr std::chrono::milliseconds between_attempts{20};
constexpr unsigned char asks_for_atr = 4;

/// vpcd writes the length and the octets apart from each other: acknowledged late, each command would take 40 ms.
void acknowledge_at_once(int connection) {
    int const on = 1;
    ::setsockopt(connection, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
}

} // namespace

void Reader::pull_out() noexcept {
    m_inserted = false;
    m_connection.reset();
    m_answer.reset();
}

std::optional<Reader::Clock::time_point> Reader::due() const {
    if (m_answer) return m_answer->at;
    if (m_inserted && !m_connection) return Clock::now() + between_attempts;
    return std::nullopt;
}

void Reader::connect() {
    UniqueFd connection{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    ::sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_port = ::htons(m_port);
    name.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
    if (::connect(connection.get(), reinterpret_cast<::sockaddr*>(&name), sizeof name) != 0) return;
    int const on = 1;
    ::setsockopt(connection.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    acknowledge_at_once(connection.get());
    m_connection = std::move(connection);
    m_card.reset();
}

void Reader::work() {
    if (m_inserted && !m_connection) connect();
    if (!m_answer || Clock::now() < m_answer->at) return;
    auto const answer = std::exchange(m_answer, std::nullopt)->answer;
    if (answer.leaves)
        pull_out();
    else
        send(answer.octets);
}

void Reader::hear() {
    std::array<unsigned char, 2> length{};
    Bytes message;
    if (receive(length)) message.resize(big_endian(length));
    if (message.empty() || !receive(message)) {
        m_connection.reset(); // pcscd is gone; `work` will look for the next one
        return;
    }
    acknowledge_at_once(m_connection.get());
    if (message.size() > 1) {
        auto answer = m_card.transmit(message);
        auto const at = Clock::now() + answer.time;
        m_answer = Later{std::move(answer), at};
    } else if (message[0] == asks_for_atr) {
        send(m_atr);
    } else {
        m_card.reset();
    }
}

void Reader::send(View octets) {
    Bytes message;
    append_big_endian(message, static_cast<std::uint16_t>(octets.size()));
    message.insert(message.end(), octets.begin(), octets.end());
    // A few hundred octets fit the buffer of a loopback connection: all of them are taken, or the other end is gone.
    if (::send(m_connection.get(), message.data(), message.size(), MSG_NOSIGNAL) < 0) m_connection.reset();
}

bool Reader::receive(std::span<unsigned char> octets) {
    auto const size = ::recv(m_connection.get(), octets.data(), octets.size(), MSG_WAITALL);
    acknowledge_at_once(m_connection.get());
    return size == static_cast<ssize_t>(octets.size());
}

} // namespace tamga::card
