// One line an event, key=value, on standard error (the journal when started by systemd).
// A level says who must act: error - a person must fix something; warning - will have to soon; info - one line a
// request; debug - for who works on this program. Never PINs, contents, certificates or names of people.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace tamga::log {

/// A value of a field. Text is quoted, escaped and cut at 200 octets, so that a page can neither forge nor flood lines.
/// UTF-8 stays as it is; quotes, backslashes and line feeds become \", \\ and \n, what is invisible or would turn the
/// line around (controls, bidirectional marks) \x1b or \u{202E}, an octet that is no UTF-8 \xff.
class Value {
public:
    Value(std::string_view text) : m_text{quoted(text)} {}
    Value(char const* text) : m_text{quoted(text)} {}
    Value(std::string const& text) : m_text{quoted(text)} {}
    Value(std::int64_t number) : m_text{std::to_string(number)} {}
    Value(std::uint64_t number) : m_text{std::to_string(number)} {}
    Value(int number) : m_text{std::to_string(number)} {}
    Value(unsigned number) : m_text{std::to_string(number)} {}

    [[nodiscard]] std::string const& text() const noexcept { return m_text; }

private:
    static std::string quoted(std::string_view text);
    std::string m_text;
};

struct Field {
    std::string_view key;
    Value value;
};

/// Names the program in every line ("tamga-web"), and lets debug lines through where the environment has TAMGA_DEBUG=1.
/// Call once, first thing in main.
void open(std::string_view program);

/// Each writes one line with one write(2); what cannot be written is dropped.
void error(std::string_view event, std::initializer_list<Field> fields = {});
void warning(std::string_view event, std::initializer_list<Field> fields = {});
void info(std::string_view event, std::initializer_list<Field> fields = {});
void debug(std::string_view event, std::initializer_list<Field> fields = {});

} // namespace tamga::log
