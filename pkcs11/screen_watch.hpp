// Whether the person is still before their screen, as systemd-logind tells it: what was unlocked for a while ends when
// the screen is locked, the computer goes to sleep or somebody else takes the seat.
#pragma once

#include "base/result.hpp"

#include <systemd/sd-bus.h>

#include <memory>
#include <string>

namespace tamga::pkcs11 {

/// Lives only as long as something is to end so: nobody speaks with the bus otherwise. No thread, no timer.
class ScreenWatch {
public:
    /// Finds this person's session and listens. Blocks 200 ms at most for each of three questions.
    /// Error: unsupported, where logind does not answer, there is no graphical session, or it is locked already.
    static Result<ScreenWatch> open();

    /// Readable when there is something to hear.
    [[nodiscard]] int fd() const;

    /// Takes what was said meanwhile. Does not block, unless the session changed: then as `open`.
    /// Error: timeout, where the person went away, or nobody would say so any more.
    Result<void> hear();

private:
    struct BusCloser {
        void operator()(::sd_bus* bus) const noexcept { ::sd_bus_close_unref(bus); }
    };
    /// What the callbacks write; it stays where it is.
    struct Heard {
        std::string session; ///< its object path
        bool went_away = false;
        bool look_again = false;
    };

    ScreenWatch() = default;
    Result<void> find_session();
    Result<void> listen();
    [[nodiscard]] bool is_present() const;
    static int on_lock(::sd_bus_message* message, void* heard, ::sd_bus_error* error);
    static int on_change(::sd_bus_message* message, void* heard, ::sd_bus_error* error);
    static int on_sleep(::sd_bus_message* message, void* heard, ::sd_bus_error* error);
    static int on_removal(::sd_bus_message* message, void* heard, ::sd_bus_error* error);

    std::unique_ptr<Heard> m_heard;
    std::unique_ptr<::sd_bus, BusCloser> m_bus; ///< goes first: it calls back
};

} // namespace tamga::pkcs11
