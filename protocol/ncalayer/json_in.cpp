#include "protocol/ncalayer/json_in.hpp"

#include "protocol/strict_json.hpp"

#include <algorithm>
#include <optional>

namespace tamga::protocol::ncalayer {

namespace {

namespace json = boost::json;

constexpr std::size_t max_depth = 64;

std::optional<json::value> parse_strict(std::string_view text) {
    auto value = parse_strict_json(text, max_depth);
    if (!value) return std::nullopt;
    return std::move(*value);
}

/// One pass over org.json's relaxed form (JSONTokener.nextValue), writing strict JSON.
class Rewriter {
public:
    explicit Rewriter(std::string_view in) : m_in{in} { m_out.reserve(in.size() + 16); }

    Result<std::string> run() && {
        if (!value(0)) return Error{Errc::bad_request, "not JSON at octet " + std::to_string(m_at)};
        skip_blanks();
        if (m_at != m_in.size()) return Error{Errc::bad_request, "text behind the JSON value"};
        return std::move(m_out);
    }

private:
    [[nodiscard]] char peek() const noexcept { return m_at < m_in.size() ? m_in[m_at] : '\0'; }
    void skip_blanks() noexcept {
        while (m_at < m_in.size() && static_cast<unsigned char>(m_in[m_at]) <= ' ')
            ++m_at;
    }
    bool skip(char c) noexcept {
        if (m_at == m_in.size() || m_in[m_at] != c) return false;
        ++m_at;
        return true;
    }
    bool skip_separator() noexcept { return skip(',') || skip(';'); }

    bool value(std::size_t depth) {
        skip_blanks();
        if (peek() == '{') return depth < max_depth && container('{', '}', depth);
        if (peek() == '[') return depth < max_depth && container('[', ']', depth);
        if (peek() == '"' || peek() == '\'') return quoted();
        return unquoted(Position::value);
    }

    bool container(char open, char close, std::size_t depth) {
        ++m_at;
        m_out += open;
        for (bool first = true;; first = false) {
            skip_blanks();
            if (skip(close)) break;
            if (!first) m_out += ',';
            if (open == '{' && !member_name()) return false;
            if (!value(depth + 1)) return false;
            skip_blanks();
            if (!skip_separator() && peek() != close) return false;
        }
        m_out += close;
        return true;
    }

    bool member_name() {
        auto const named = peek() == '"' || peek() == '\'' ? quoted() : unquoted(Position::name);
        skip_blanks();
        m_out += ':';
        if (!named) return false;
        if (!skip('=')) return skip(':');
        skip('>');
        return true;
    }

    bool quoted() {
        auto const quote = m_in[m_at++];
        m_out += '"';
        while (m_at < m_in.size()) {
            auto const c = m_in[m_at++];
            if (c == quote) {
                m_out += '"';
                return true;
            }
            if (c == '\\') {
                if (m_at == m_in.size()) return false;
                if (peek() != '\'') m_out += '\\'; // \' is no escape of strict JSON
                m_out += m_in[m_at++];
            } else if (c == '"') {
                m_out += "\\\"";
            } else if (c == '\t') {
                m_out += "\\t";
            } else {
                m_out += c;
            }
        }
        return false;
    }

    enum class Position { name, value };

    /// true, false and null in any case, numbers, and everything else as a string, up to the next delimiter.
    bool unquoted(Position position) {
        auto const start = m_at;
        auto const end_of_word = [](char c) {
            return static_cast<unsigned char>(c) < ' ' ||
                   std::string_view{",:]}/\\\"[{;=#"}.find(c) != std::string_view::npos;
        };
        while (m_at < m_in.size() && !end_of_word(m_in[m_at]))
            ++m_at;
        auto word = std::string{m_in.substr(start, m_at - start)};
        word.erase(word.find_last_not_of(' ') + 1);
        if (word.empty()) return false;
        auto lower = word;
        std::transform(lower.begin(), lower.end(), lower.begin(),
                       [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
        auto const literal = lower == "true" || lower == "false" || lower == "null";
        if (position == Position::name || !(literal || is_number(word)))
            m_out += '"' + word + '"';
        else
            m_out += literal ? lower : word;
        return true;
    }

    static bool is_number(std::string const& word) {
        auto const value = parse_strict(word);
        return value && value->is_number();
    }

    std::string_view m_in;
    std::size_t m_at = 0;
    std::string m_out;
};

} // namespace

Result<std::string> strict_json(std::string_view relaxed) {
    return Rewriter{relaxed}.run();
}

Result<boost::json::value> parse_json(std::string text) {
    if (auto value = parse_strict(text)) return std::move(*value);
    auto rewritten = strict_json(text);
    std::string{}.swap(text);
    if (!rewritten) return rewritten.error();
    if (auto value = parse_strict(*rewritten)) return std::move(*value);
    return Error{Errc::bad_request, "not JSON"};
}

} // namespace tamga::protocol::ncalayer
