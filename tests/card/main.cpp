// virtual-readers FOLDER ATR...: a pcscd with a reader for each ATR (hexadecimal, or `kaztoken`, `rutoken`) and a card
// in it. Started by tests/card/readers, which gives it namespaces of its own. Ends with its standard input, and with it
// all.
//
// Says "ready"; then answers each line with "ok", with what was asked, or with "error" and a word:
//   insert N, remove N            the card of reader N (0, 1); pcscd notices within 0.4 s
//   signing_time N MS             how long a signature takes
//   leave_in_signature N COUNT    the card is pulled out in the middle of the COUNT-th signature from now
//   status N HEX COUNT [INS]      the next COUNT commands (of instruction INS, hexadecimal) get this status word
//   counts N                      commands, signatures and PINs so far, and whether the card is in
//   pcscd start | stop | kill     (stop: SIGTERM, as the system does it)
//   pcscd on_demand               it ends; from now on it is started when somebody connects, as systemd does it
#include "tests/card/pcscd.hpp"
#include "tests/card/reader.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <deque>
#include <iostream>
#include <sstream>

namespace tamga::card {
namespace {

/// Of the ATRs, the historical octets say who it is: "KAZTOKEN", and "Rutoken DS ".
Bytes atr_of(std::string const& word) {
    if (word == "kaztoken") return atr_of("3b88014b415a544f4b454e82");
    if (word == "rutoken") return atr_of("3b8b015275746f6b656e20445320c1");
    Bytes octets;
    for (std::size_t i = 0; i + 1 < word.size(); i += 2)
        octets.push_back(static_cast<unsigned char>(std::stoul(word.substr(i, 2), nullptr, 16)));
    return octets;
}

class Readers {
public:
    Readers(std::filesystem::path const& folder, std::span<char*> atrs) : m_pcscd{folder} {
        auto port = first_port;
        for (std::string const atr : atrs.first(std::min(atrs.size(), most_readers))) {
            m_readers.emplace_back(port, atr_of(atr), 0x0a0b0c00U + port);
            ++port;
        }
    }

    int run() {
        if (auto const started = m_pcscd.start(); !started) {
            std::cerr << started.error().detail << '\n';
            return 1;
        }
        wait_for_connections();
        std::cout << "ready" << std::endl;
        while (turn())
            continue;
        return 0;
    }

private:
    /// Sleeps until something is to be done and does it; false at the end of the standard input.
    bool turn() {
        std::vector<::pollfd> polled{{STDIN_FILENO, POLLIN, 0}, {m_pcscd.fd(), POLLIN, 0}};
        auto const others = polled.size();
        std::optional<Reader::Clock::time_point> next;
        for (auto const& reader : m_readers) {
            polled.push_back({reader.fd(), POLLIN, 0});
            if (auto const due = reader.due(); due && (!next || *due < *next)) next = due;
        }
        int timeout_ms = -1;
        if (next) {
            auto const left = std::chrono::ceil<std::chrono::milliseconds>(*next - Reader::Clock::now());
            timeout_ms = static_cast<int>(std::max<std::int64_t>(left.count(), 0));
        }
        ::poll(polled.data(), polled.size(), timeout_ms);
        for (std::size_t i = 0; i < m_readers.size(); ++i) {
            if (polled[i + others].revents != 0) m_readers[i].hear();
            m_readers[i].work();
        }
        if (polled[1].revents != 0) m_pcscd.start_for_client();
        return polled[0].revents == 0 || hear_commands();
    }

    bool hear_commands() {
        std::array<char, 256> buffer{};
        auto const size = ::read(STDIN_FILENO, buffer.data(), buffer.size());
        if (size <= 0) return false;
        m_input.append(buffer.data(), static_cast<std::size_t>(size));
        for (auto end = m_input.find('\n'); end != std::string::npos; end = m_input.find('\n')) {
            std::cout << obey(m_input.substr(0, end)) << std::endl;
            m_input.erase(0, end + 1);
        }
        return true;
    }

    std::string obey(std::string const& line) {
        std::istringstream words{line};
        std::string verb;
        words >> verb;
        if (verb == "pcscd") {
            std::string what;
            words >> what;
            return pcscd(what);
        }
        std::size_t number = m_readers.size();
        words >> number;
        if (number >= m_readers.size()) return "error reader";
        return obey(m_readers[number], verb, words);
    }

    std::string pcscd(std::string const& what) {
        if (what == "stop") m_pcscd.end(SIGTERM);
        if (what == "kill") m_pcscd.end(SIGKILL);
        if (what == "on_demand") {
            auto const held = m_pcscd.hold_socket();
            return held ? "ok" : "error " + held.error().detail;
        }
        if (what != "start") return "ok";
        if (auto const started = m_pcscd.start(); !started) return "error " + started.error().detail;
        wait_for_connections();
        return "ok";
    }

    static std::string obey(Reader& reader, std::string const& verb, std::istringstream& words) {
        auto& whims = reader.card().whims;
        unsigned number = 0;
        if (verb == "insert") {
            reader.insert();
        } else if (verb == "remove") {
            reader.pull_out();
        } else if (verb == "signing_time") {
            words >> number;
            whims.signing_time = std::chrono::milliseconds{number};
        } else if (verb == "leave_in_signature") {
            words >> whims.leave_in_signature;
        } else if (verb == "status") {
            whims.instruction = 0;
            words >> std::hex >> whims.status >> std::dec >> whims.statuses >> std::hex >> whims.instruction;
        } else if (verb == "counts") {
            auto const& counts = reader.card().counts;
            return "commands=" + std::to_string(counts.commands) + " signatures=" + std::to_string(counts.signatures) +
                   " pins=" + std::to_string(counts.pins) + " inserted=" + (reader.is_inserted() ? "yes" : "no");
        } else {
            return "error verb";
        }
        return "ok";
    }

    /// pcscd opens its socket before its readers. What they ask meanwhile is answered by the loop.
    void wait_for_connections() {
        auto const deadline = Reader::Clock::now() + std::chrono::seconds{5};
        auto const missing = [](Reader const& reader) { return reader.is_inserted() && !reader.is_connected(); };
        while (std::any_of(m_readers.begin(), m_readers.end(), missing) && Reader::Clock::now() < deadline) {
            for (auto& reader : m_readers)
                reader.work();
            ::poll(nullptr, 0, 10);
        }
    }

    Pcscd m_pcscd;
    std::deque<Reader> m_readers;
    std::string m_input;
};

} // namespace
} // namespace tamga::card

int main(int count, char** arguments) {
    if (count < 3) {
        std::cerr << "usage: virtual-readers FOLDER ATR...\n";
        return 2;
    }
    std::span<char*> const atrs{arguments + 2, static_cast<std::size_t>(count - 2)};
    return tamga::card::Readers{arguments[1], atrs}.run();
}
