#include "prompt/pinentry.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <optional>
#include <span>
#include <utility>

namespace tamga::prompt {

namespace {

/// pinentry 1.2.1 ends without a word at a line of more than this, its line feed left out.
constexpr std::size_t longest_line = 1000;
/// What a dialogue may say when it is escaped; the longest command goes before it.
constexpr std::size_t longest_words = 960;

/// gpg-error.h, in the lower 16 bits of what follows ERR.
constexpr unsigned long error_mask = 0xffff;
constexpr unsigned long error_cancelled = 99;
constexpr unsigned long error_not_confirmed = 114;

Error unavailable(std::string why) {
    return {Errc::prompt_unavailable, "pinentry: " + std::move(why)};
}

std::string escaped(std::string_view words) {
    std::string out;
    for (char const c : words) {
        if (c == '%')
            out += "%25";
        else if (c == '\n')
            out += "%0A";
        else if (c == '\r')
            out += "%0D";
        else
            out += c;
    }
    return out;
}

bool continues(char c) {
    return (static_cast<unsigned char>(c) & 0xc0U) == 0x80U;
}

/// At most `limit` octets when escaped, whole characters.
std::string cut_escaped(std::string_view words, std::size_t limit) {
    auto out = escaped(words);
    while (out.size() > limit) {
        do
            words.remove_suffix(1);
        while (!words.empty() && continues(words[words.size()]));
        out = escaped(words) + "\u2026";
    }
    return out;
}

/// pinentry marks a mnemonic with "_", and doubles one that is meant.
std::string button(std::string_view label) {
    std::string out;
    for (char const c : label) {
        if (c == '_') out += '_';
        out += c == '&' ? '_' : c;
    }
    return out;
}

/// Columns of one character. Wide: what East Asian Width (UAX 11) calls W and F, by its blocks; nothing counts as none,
/// so that a line is rather too short.
std::size_t columns_of(std::uint32_t code) {
    constexpr std::array<std::pair<std::uint32_t, std::uint32_t>, 7> wide{{{0x1100, 0x115f},
                                                                           {0x2e80, 0xa4cf},
                                                                           {0xac00, 0xd7a3},
                                                                           {0xf900, 0xfaff},
                                                                           {0xfe30, 0xfe6f},
                                                                           {0xff00, 0xffe6},
                                                                           {0x1f300, 0x3fffd}}};
    auto const holds = [code](auto const& range) { return code >= range.first && code <= range.second; };
    return std::ranges::any_of(wide, holds) ? 2 : 1;
}

std::uint32_t code_at(std::string_view text, std::size_t size) {
    auto const first = static_cast<unsigned char>(text.front());
    auto code = static_cast<std::uint32_t>(size == 1 ? first : first & (0xffU >> (size + 1)));
    for (auto const c : text.substr(1, size - 1))
        code = code << 6U | (static_cast<unsigned char>(c) & 0x3fU);
    return code;
}

/// How many octets of a line fit, to its last space if it has one.
std::size_t break_of(std::string_view line, std::size_t columns) {
    std::size_t end = 0;
    std::size_t space = 0;
    for (std::size_t used = 0; end < line.size();) {
        std::size_t size = 1;
        while (end + size < line.size() && size < 4 && continues(line[end + size]))
            ++size;
        used += columns_of(code_at(line.substr(end), size));
        if (used > columns) return space != 0 ? space : end;
        if (line[end] == ' ') space = end;
        end += size;
    }
    return end;
}

struct SpawnPlan {
    ::posix_spawn_file_actions_t files{};
    ::posix_spawnattr_t attributes{};
    SpawnPlan() {
        ::posix_spawn_file_actions_init(&files);
        ::posix_spawnattr_init(&attributes);
    }
    SpawnPlan(SpawnPlan const&) = delete;
    SpawnPlan& operator=(SpawnPlan const&) = delete;
    ~SpawnPlan() {
        ::posix_spawn_file_actions_destroy(&files);
        ::posix_spawnattr_destroy(&attributes);
    }
};

std::optional<std::pair<UniqueFd, UniqueFd>> pipe_pair() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return std::nullopt;
    return std::pair{UniqueFd{ends[0]}, UniqueFd{ends[1]}};
}

/// A dialogue is answered by who has seen it.
void forget_typed_ahead(Surface const& surface) {
    if (surface.terminal.empty()) return;
    UniqueFd const terminal{::open(surface.terminal.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC)};
    if (terminal) (void)::tcflush(terminal.get(), TCIFLUSH);
}

} // namespace

/// What pinentry says, in memory that is not swapped and wiped at the end: a PIN may be in it.
class Pinentry::Line {
public:
    Line() { (void)::mlock(m_octets.data(), m_octets.size()); }
    Line(Line const&) = delete;
    Line& operator=(Line const&) = delete;
    ~Line() {
        wipe(all());
        (void)::munlock(m_octets.data(), m_octets.size());
    }

    void begin() {
        wipe(all());
        m_size = 0;
    }
    /// False where there is no more room.
    bool add(unsigned char octet) {
        if (m_size == m_octets.size()) return false;
        m_octets[m_size++] = octet;
        return true;
    }
    [[nodiscard]] std::string_view text() const { return {reinterpret_cast<char const*>(m_octets.data()), m_size}; }
    /// What follows "D ", without its escapes, in place.
    std::span<unsigned char> data() {
        std::size_t to = 2;
        for (std::size_t from = 2; from < m_size; ++from, ++to) {
            m_octets[to] = m_octets[from];
            if (m_octets[from] != '%' || from + 2 >= m_size) continue;
            m_octets[to] = static_cast<unsigned char>(16 * digit(m_octets[from + 1]) + digit(m_octets[from + 2]));
            from += 2;
        }
        return {m_octets.data() + 2, to - 2};
    }

private:
    static unsigned digit(unsigned char c) {
        if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
        return (static_cast<unsigned>(c | 0x20U) - 'a' + 10U) & 0xfU;
    }
    std::span<unsigned char> all() { return {m_octets.data(), m_octets.size()}; }

    std::array<unsigned char, longest_line + 2> m_octets{};
    std::size_t m_size = 0;
};

Result<Pinentry> Pinentry::start(std::filesystem::path const& program, Surface const& surface) {
    auto in = pipe_pair();
    auto out = pipe_pair();
    if (!in || !out) return unavailable("no pipe");
    SpawnPlan plan;
    ::posix_spawn_file_actions_adddup2(&plan.files, in->first.get(), STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&plan.files, out->second.get(), STDOUT_FILENO);
    ::posix_spawn_file_actions_addclosefrom_np(&plan.files, STDERR_FILENO + 1);
    std::string name = program.filename().string();
    std::array<char*, 2> arguments{name.data(), nullptr};
    ::pid_t pid = -1;
    if (auto const failure =
            ::posix_spawn(&pid, program.c_str(), &plan.files, &plan.attributes, arguments.data(), environ);
        failure != 0)
        return unavailable(program.string() + ": " + std::strerror(failure));
    Pinentry pinentry{pid, std::move(in->second), std::move(out->first)};
    if (auto greeted = pinentry.greet(surface); !greeted) return greeted.error();
    forget_typed_ahead(surface);
    return pinentry;
}

Pinentry::Pinentry(Pinentry&& other) noexcept
    : m_pid{std::exchange(other.m_pid, -1)}, m_to{std::move(other.m_to)}, m_from{std::move(other.m_from)} {}

Pinentry::~Pinentry() {
    if (m_pid <= 0) return;
    ::kill(m_pid, SIGTERM); // at which it gives the terminal back as it was
    constexpr ::timespec tick{0, 10'000'000};
    for (int ticks = 0; ticks < 100; ++ticks) {
        if (::waitpid(m_pid, nullptr, WNOHANG) != 0) return;
        ::nanosleep(&tick, nullptr);
    }
    ::kill(m_pid, SIGKILL);
    ::waitpid(m_pid, nullptr, 0);
}

Result<void> Pinentry::greet(Surface const& surface) {
    auto const greeting = read_reply(-1, nullptr);
    if (!greeting) return greeting.error();
    // Its own default is the C locale, in which a terminal shows no letter of ours.
    std::vector<std::string> options{"OPTION lc-ctype=C.UTF-8", "OPTION lc-messages=C.UTF-8", "OPTION grab"};
    if (!surface.terminal.empty()) {
        options.push_back("OPTION ttyname=" + surface.terminal.string());
        options.push_back("OPTION ttytype=" + surface.terminal_type);
    }
    for (auto const& option : options) {
        if (auto written = write(option); !written) return written.error();
        if (auto taken = read_reply(-1, nullptr); !taken) return taken.error();
    }
    return ok();
}

Result<void> Pinentry::describe(Dialogue const& dialogue) {
    for (auto const& [command, words] :
         {std::pair{"SETTITLE", std::string{"Tamga"}}, std::pair{"SETDESC", dialogue.words},
          std::pair{"SETERROR", dialogue.error}, std::pair{"SETPROMPT", dialogue.prompt},
          std::pair{"SETOK", button(dialogue.ok)}, std::pair{"SETNOTOK", button(dialogue.other)},
          std::pair{"SETCANCEL", button(dialogue.cancel)}}) {
        if (words.empty()) continue;
        if (auto done = set(command, words); !done) return done.error();
    }
    return ok();
}

Result<void> Pinentry::set(std::string_view command, std::string_view words) {
    if (auto written = write(std::string{command} + ' ' + cut_escaped(words, longest_words)); !written)
        return written.error();
    auto const taken = read_reply(-1, nullptr);
    return taken ? ok() : Result<void>{taken.error()};
}

Result<Pinentry::Reply> Pinentry::confirm(Dialogue const& dialogue, int web) {
    if (auto described = describe(dialogue); !described) return described.error();
    return ask("CONFIRM", web, nullptr);
}

Result<Pinentry::Reply> Pinentry::tell(Dialogue const& dialogue, int web) {
    if (auto described = describe(dialogue); !described) return described.error();
    return ask("MESSAGE", web, nullptr);
}

Result<Pinentry::Reply> Pinentry::ask_pin(Dialogue const& dialogue, int web, Pin& pin) {
    if (auto described = describe(dialogue); !described) return described.error();
    return ask("GETPIN", web, &pin);
}

Result<Pinentry::Reply> Pinentry::ask(std::string_view command, int web, Pin* pin) {
    if (auto written = write(command); !written) return written.error();
    return read_reply(web, pin);
}

Result<void> Pinentry::write(std::string_view line) {
    std::string octets{line};
    octets += '\n';
    for (std::string_view rest{octets}; !rest.empty();) {
        auto const count = ::write(m_to.get(), rest.data(), rest.size());
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return unavailable("it is gone");
        rest.remove_prefix(static_cast<std::size_t>(count));
    }
    return ok();
}

/// Until OK or ERR. What it says of its state (S) and comments (#) are passed over.
Result<Pinentry::Reply> Pinentry::read_reply(int web, Pin* pin) {
    Line line;
    while (true) {
        std::array<::pollfd, 2> ends{{{m_from.get(), POLLIN, 0}, {web, POLLIN, 0}}};
        if (::poll(ends.data(), ends.size(), -1) < 0 && errno != EINTR) return unavailable("poll");
        if (ends[1].revents != 0) return Reply::gone;
        if (ends[0].revents == 0) continue;
        unsigned char octet = 0;
        if (::read(m_from.get(), &octet, 1) != 1) return unavailable("it ended");
        if (octet != '\n') {
            if (!line.add(octet)) return unavailable("a line that is too long");
            continue;
        }
        auto const text = line.text();
        if (text == "OK" || text.starts_with("OK ")) return Reply::ok;
        if (text.starts_with("ERR ")) {
            auto const code = std::strtoul(std::string{text.substr(4)}.c_str(), nullptr, 10) & error_mask;
            if (code == error_not_confirmed) return Reply::other;
            if (code == error_cancelled) return Reply::cancelled;
            return unavailable(std::string{text});
        }
        if (text.starts_with("D ") && pin != nullptr && text.size() > 2) {
            auto taken = Pin::take(line.data());
            if (!taken) return taken.error();
            *pin = std::move(*taken);
        }
        line.begin();
    }
}

// ---- what fits a dialogue ----

std::vector<std::string> wrapped(std::string_view words, std::size_t columns) {
    std::string spaced;
    for (char const c : words)
        spaced += c == '\t' ? "    " : std::string(1, c);
    std::vector<std::string> lines;
    for (std::string_view rest{spaced};;) {
        auto const feed = std::min(rest.find('\n'), rest.size());
        auto line = rest.substr(0, feed);
        do {
            auto const end = break_of(line, columns);
            lines.emplace_back(line.substr(0, end));
            line.remove_prefix(end);
            if (line.starts_with(' ')) line.remove_prefix(1);
        } while (!line.empty());
        if (feed == rest.size()) return lines;
        rest.remove_prefix(feed + 1);
    }
}

std::vector<std::string> paged(std::vector<std::string> const& lines) {
    std::vector<std::string> pages;
    std::size_t count = 0;
    for (auto const& line : lines) {
        auto const longer = pages.empty() ? std::string{} : pages.back() + '\n' + line;
        if (pages.empty() || count == Pinentry::most_lines || escaped(longer).size() > longest_words) {
            pages.push_back(line);
            count = 1;
            continue;
        }
        pages.back() = longer;
        ++count;
    }
    return pages;
}

} // namespace tamga::prompt
