#include "base/base64.hpp"
#include "signing/to_be_signed.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace tamga::signing {

namespace {

// As with the other forms: what a line says is read, the whole is written anew from it, and the two must be the same
// octets. There is one way to write each statement.

constexpr std::size_t longest_origin = 512;

Error not_the_form(char const* detail) {
    return {Errc::bad_request, std::string{"authenticate: "} + detail};
}

/// The value of the line `name` at the front of `rest`, which is taken off; nothing where another line is there.
std::optional<std::string_view> take_line(std::string_view& rest, std::string_view name) {
    if (!rest.starts_with(name)) return std::nullopt;
    auto const end = rest.find('\n');
    if (end == std::string_view::npos) return std::nullopt;
    auto const value = rest.substr(name.size(), end - name.size());
    rest.remove_prefix(end + 1);
    return value;
}

bool is_origin(std::string_view text) {
    auto const is_printable = [](char c) { return c > ' ' && c < '\x7f'; };
    return !text.empty() && text.size() <= longest_origin && std::ranges::all_of(text, is_printable);
}

std::optional<ipc::Fingerprint> fingerprint_of(std::string_view hex) {
    ipc::Fingerprint octets{};
    if (hex.size() != octets.size() * 2) return std::nullopt;
    for (std::size_t i = 0; i < octets.size(); ++i) {
        auto const* const digits = hex.data() + 2 * i;
        if (std::from_chars(digits, digits + 2, octets[i], 16).ptr != digits + 2) return std::nullopt;
    }
    return octets;
}

struct Lines {
    SignIn request;
    std::size_t request_size = 0; ///< octets of the lines that say it
    std::string_view rest;
};

Result<Lines> request_lines(std::string_view text) {
    Lines lines;
    lines.rest = text;
    auto const head = take_line(lines.rest, authenticate_prefix);
    auto const origin = take_line(lines.rest, "origin ");
    auto const challenge = take_line(lines.rest, "challenge ");
    if (!head || !origin || !challenge) return not_the_form("a line is missing");
    auto octets = from_base64(*challenge);
    if (!octets) return not_the_form("challenge");
    lines.request = {std::string{*origin}, std::move(*octets)};
    lines.request_size = text.size() - lines.rest.size();
    auto const same = sign_in_request(lines.request);
    if (!same) return same.error();
    if (as_text(*same) != text.substr(0, lines.request_size)) return not_the_form("not exactly ours");
    return lines;
}

} // namespace

Result<Bytes> sign_in_request(SignIn const& request) {
    if (!is_origin(request.origin)) return not_the_form("origin");
    auto const size = request.challenge.size();
    if (size < shortest_challenge || size > longest_challenge) return not_the_form("length of the challenge");
    std::string text{authenticate_prefix};
    text += "\norigin " + request.origin + "\nchallenge " + to_base64(request.challenge) + '\n';
    return to_bytes(as_view(text));
}

Result<SignIn> parse_sign_in_request(View octets) {
    auto lines = request_lines(as_text(octets));
    if (!lines) return lines.error();
    if (!lines->rest.empty()) return not_the_form("more than a request");
    return std::move(lines->request);
}

Bytes sign_in_statement(View request, ipc::Fingerprint const& certificate, std::int64_t signing_time) {
    std::string text{as_text(request)};
    text += "certificate " + to_hex(certificate) + "\ntime " + std::to_string(signing_time) + '\n';
    return to_bytes(as_view(text));
}

Result<SignInStatement> read_sign_in_statement(View octets) {
    auto lines = request_lines(as_text(octets));
    if (!lines) return lines.error();
    auto rest = lines->rest;
    auto const hex = take_line(rest, "certificate ");
    auto const digits = take_line(rest, "time ");
    auto const certificate = hex ? fingerprint_of(*hex) : std::nullopt;
    if (!certificate || !digits) return not_the_form("certificate or time");
    SignInStatement statement{std::move(lines->request), lines->request_size, *certificate};
    std::from_chars(digits->data(), digits->data() + digits->size(), statement.signing_time);

    auto const request = octets.first(statement.request_size);
    auto const same = sign_in_statement(request, statement.certificate, statement.signing_time);
    if (!std::ranges::equal(same, octets)) return not_the_form("not exactly ours");
    return statement;
}

Result<Commitment> parse_sign_in_statement(View octets, Algorithm const& algorithm) {
    auto const statement = read_sign_in_statement(octets);
    if (!statement) return statement.error();
    auto digest = signing::digest(algorithm.digest, octets.first(statement->request_size));
    if (!digest) return digest.error();
    return Commitment{std::move(*digest), statement->certificate, statement->signing_time};
}

} // namespace tamga::signing
