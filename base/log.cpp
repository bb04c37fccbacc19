#include "base/log.hpp"

#include <unistd.h>

#include <cstdlib>

namespace tamga::log {

namespace {

std::string program = "tamga";
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
    [[maybe_unused]] auto const written = ::write(STDERR_FILENO, line.data(), line.size());
}

} // namespace

std::string Value::quoted(std::string_view text) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string out = "\"";
    for (char const c : text.substr(0, longest_value)) {
        auto const octet = static_cast<unsigned char>(c);
        if (octet < 0x20 || octet >= 0x7f || c == '"' || c == '\\') {
            out += {'\\', 'x', digits[octet >> 4], digits[octet & 15]};
        } else {
            out += c;
        }
    }
    if (text.size() > longest_value) out += "...";
    out += '"';
    return out;
}

void open(std::string_view name) {
    program = name;
    char const* const debug = std::getenv("TAMGA_DEBUG");
    debug_shown = debug != nullptr && std::string_view{debug} == "1";
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
