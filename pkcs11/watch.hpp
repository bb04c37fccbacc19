// What a lane is doing and since when, so that the loop can tell a token that is slow from a module that hangs.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>

namespace tamga::pkcs11 {

using SteadyTime = std::chrono::steady_clock::time_point;

/// What a module may be in the middle of. `login` is every change of who is logged in, `list` whatever needs no login;
/// `write` makes, changes or removes objects.
enum class Operation : std::uint8_t { list, login, pin_pad, sign, write, change_pin, generate };

/// Whether what is broken off in the middle of it may be left half done.
[[nodiscard]] constexpr bool changes_a_token(Operation operation) noexcept {
    return operation == Operation::write || operation == Operation::change_pin || operation == Operation::generate;
}

/// How long a module may take. It cannot be called off in the middle; a process that passes its deadline ends.
struct Limits {
    std::chrono::milliseconds list{10'000};
    std::chrono::milliseconds login{15'000};
    std::chrono::milliseconds pin_pad{60'000}; ///< a person types on the reader's keypad
    std::chrono::milliseconds sign{30'000};    ///< one signature
    std::chrono::milliseconds write{60'000};
    std::chrono::milliseconds change_pin{180'000}; ///< a person may type three PINs on the reader's keypad
    std::chrono::milliseconds generate{600'000};   ///< a card looks for prime numbers for minutes

    [[nodiscard]] std::chrono::milliseconds of(Operation operation) const noexcept {
        switch (operation) {
        case Operation::list: return list;
        case Operation::login: return login;
        case Operation::pin_pad: return pin_pad;
        case Operation::sign: return sign;
        case Operation::write: return write;
        case Operation::change_pin: return change_pin;
        case Operation::generate: return generate;
        }
        return list;
    }
    [[nodiscard]] Limits divided_by(int divisor) const noexcept {
        return {list / divisor,  login / divisor,      pin_pad / divisor, sign / divisor,
                write / divisor, change_pin / divisor, generate / divisor};
    }
};

/// Written by the thread that works, read by the loop.
class Watch {
public:
    struct Running {
        Operation operation{};
        SteadyTime since;
    };

    /// Each signature of a batch is a beginning of its own.
    void begin(Operation operation) {
        std::scoped_lock const lock{m_mutex};
        m_running = {operation, std::chrono::steady_clock::now()};
    }
    void end() {
        std::scoped_lock const lock{m_mutex};
        m_running.reset();
    }
    [[nodiscard]] std::optional<Running> running() const {
        std::scoped_lock const lock{m_mutex};
        return m_running;
    }

private:
    mutable std::mutex m_mutex;
    std::optional<Running> m_running;
};

} // namespace tamga::pkcs11
