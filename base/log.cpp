#include "base/log.hpp"

#include "base/log_descriptor.hpp"
#include "base/unique_fd.hpp"
#include "base/utf8.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>

#ifdef __SANITIZE_ADDRESS__
extern "C" void __sanitizer_set_report_fd(void* fd); // <sanitizer/common_interface_defs.h>
#endif

namespace tamga::log {

namespace {

std::string program = "tamga";
int descriptor = STDERR_FILENO;
bool debug_shown = false;

constexpr std::size_t longest_value = 200;

void write_line(char priority, std::string_view event, std::initializer_list<Field> fields) {
    std::string line;
    // sd-daemon(3): a "<N>" prefix gives the journal the level of a line.
    static bool const in_journal = std::getenv("JOURNAL_STREAM") != nullptr;
    if (in_journal) line += {'<', priority, '>'};
    line += program;
    line += ": ";
    line += event;
    for (auto const& field : fields) {
        line += ' ';
        line += field.key;
        line += '=';
        line += field.value.text();
    }
    line += '\n';
    [[maybe_unused]] auto const written = ::write(descriptor, line.data(), line.size());
}

/// `text` is the character's octets. What could end the value, break the line or deceive who reads it is escaped.
void append_readable(std::string& out, std::string_view text, Character character) {
    std::array<char, 16> escape{};
    if (text == "\"" || text == "\\")
        (out += '\\') += text;
    else if (text == "\n")
        out += "\\n";
    else if (character.valid && !is_deceptive(character.code))
        out += text;
    else {
        std::snprintf(escape.data(), escape.size(), character.valid && character.code > 0x7f ? "\\u{%X}" : "\\x%02x",
                      static_cast<unsigned>(character.code));
        out += escape.data();
    }
}

} // namespace

std::string Value::quoted(std::string_view text) {
    std::string out = "\"";
    for (auto rest = text; !rest.empty();) {
        auto const character = first_character(rest);
        auto const at = text.size() - rest.size();
        if (at + character.size > longest_value) {
            out += "...";
            break;
        }
        append_readable(out, rest.substr(0, character.size), character);
        rest.remove_prefix(character.size);
    }
    out += '"';
    return out;
}

void open(std::string_view name) {
    program = name;
    char const* const debug = std::getenv("TAMGA_DEBUG");
    debug_shown = debug != nullptr && std::string_view{debug} == "1";
}

void keep_apart() {
    constexpr int above_those_with_a_meaning = 10;
    UniqueFd const nowhere{::open("/dev/null", O_WRONLY | O_CLOEXEC)};
    int const own = ::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, above_those_with_a_meaning);
    if (!nowhere || own < 0) return;
    descriptor = own;
    ::dup2(nowhere.get(), STDERR_FILENO);
#ifdef __SANITIZE_ADDRESS__
    __sanitizer_set_report_fd(reinterpret_cast<void*>(static_cast<std::intptr_t>(own)));
#endif
}

void error(std::string_view event, std::initializer_list<Field> fields) {
    write_line('3', event, fields);
}
void warning(std::string_view event, std::initializer_list<Field> fields) {
    write_line('4', event, fields);
}
void info(std::string_view event, std::initializer_list<Field> fields) {
    write_line('6', event, fields);
}
void debug(std::string_view event, std::initializer_list<Field> fields) {
    if (debug_shown) write_line('7', event, fields);
}

} // namespace tamga::log
