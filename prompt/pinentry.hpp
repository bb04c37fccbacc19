// A pinentry: the small program of GnuPG's that asks a person on a terminal or a display, spoken to in its Assuan
// protocol over two pipes. Source: "The Assuan Protocol" and pinentry's manual, section "Protocol".
#pragma once

#include "base/result.hpp"
#include "base/secret.hpp"
#include "base/unique_fd.hpp"

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace tamga::prompt {

/// Where a pinentry asks.
struct Surface {
    std::filesystem::path terminal; ///< /dev/pts/3; empty: the display of the environment
    std::string terminal_type;      ///< of terminfo: "xterm"
};

/// What one dialogue says. Mnemonics are marked with "&", as everywhere in our texts; an empty button has pinentry's
/// own words, or is not there (`other`). A button has at most 20 octets: pinentry-curses makes all as wide as the
/// longest, counts octets for columns, and fails where the row of them is wider than the terminal.
struct Dialogue {
    std::string words; ///< at most Pinentry::most_lines lines of Pinentry::most_columns; longer ones are cut
    std::string error;
    std::string prompt; ///< beside the field
    std::string ok;
    std::string other; ///< a third button
    std::string cancel;
};

/// One process. Ends with the object, whatever it shows then: closing its pipes alone would leave its window standing.
/// Not thread-safe. All calls block until the person answered, or something comes on `web` (or it ends there).
class Pinentry {
public:
    static constexpr std::size_t most_lines = 10;
    static constexpr std::size_t most_columns = 76;

    enum class Reply : std::uint8_t { ok, other, cancelled, gone };

    /// Error: prompt_unavailable, where the program cannot be started or has neither terminal nor display.
    static Result<Pinentry> start(std::filesystem::path const& program, Surface const& surface);
    Pinentry(Pinentry&& other) noexcept;
    Pinentry& operator=(Pinentry&&) = delete;
    Pinentry(Pinentry const&) = delete;
    Pinentry& operator=(Pinentry const&) = delete;
    ~Pinentry();

    /// Two or three buttons. Error of this and the next two: prompt_unavailable (it crashed, or says what nobody
    /// knows).
    Result<Reply> confirm(Dialogue const& dialogue, int web);
    /// One button.
    Result<Reply> tell(Dialogue const& dialogue, int web);
    /// `pin` is empty where nothing was typed. It is in no memory of ours but the Pin's when this returns.
    Result<Reply> ask_pin(Dialogue const& dialogue, int web, Pin& pin);

private:
    class Line;

    Pinentry(::pid_t pid, UniqueFd to, UniqueFd from) : m_pid{pid}, m_to{std::move(to)}, m_from{std::move(from)} {}

    Result<void> greet(Surface const& surface);
    Result<void> describe(Dialogue const& dialogue);
    Result<void> set(std::string_view command, std::string_view words);
    Result<Reply> ask(std::string_view command, int web, Pin* pin);
    Result<void> write(std::string_view line);
    Result<Reply> read_reply(int web, Pin* pin);

    ::pid_t m_pid = -1;
    UniqueFd m_to;
    UniqueFd m_from;
};

/// `words` in lines of at most `columns` of a terminal, broken at spaces where there are any. A tab becomes spaces:
/// what a terminal makes of one is not known here. Characters of no width stand alone nowhere; wide ones count twice.
[[nodiscard]] std::vector<std::string> wrapped(std::string_view words, std::size_t columns);
/// The lines in as many pieces as it takes for each to fit one dialogue.
[[nodiscard]] std::vector<std::string> paged(std::vector<std::string> const& lines);

} // namespace tamga::prompt
