#include "cli/tokens.hpp"

#include "cli/daemon_talk.hpp"
#include "cli/doctor/doctor.hpp"
#include "cli/printable.hpp"

#include <algorithm>

namespace tamga::cli {

std::string token_line(Language language, Tree const& token) {
    auto line = printable(token.text("name"));
    if (line.empty()) line = printable(token.text("storage"));
    if (auto const label = printable(token.text("label")); !label.empty()) line += ", " + label;
    if (auto const serial = printable(token.text("serial")); !serial.empty())
        line += ", " + text(language, "serial number %1", {serial});
    auto const* const locked = token.find("pin_locked");
    if (locked != nullptr && *locked == Tree{true}) line += ", " + std::string{text(language, "the PIN is locked")};
    if (token.find("attempts_left") != nullptr)
        line += ", " + text(language, "attempts left: %1", {std::to_string(token.number("attempts_left"))});
    return line;
}

namespace {

void print_all(Language language, Findings const& findings, std::ostream& out) {
    for (auto const& finding : findings)
        print_finding(language, finding, out);
}

class Report {
public:
    Report(TokensRequest const& request, std::ostream& out, std::ostream& complaints)
        : m_request{request}, m_out{out}, m_complaints{complaints} {}

    /// Everything that is there. @return whether it could be looked for.
    bool all(Tree const& result) {
        m_seen = result.list("tokens");
        auto const findings = m_seen.empty() ? m_request.why_none() : Findings{};
        if (m_request.form == ReportForm::json)
            json(findings);
        else
            words(findings);
        print_all(m_request.language, findings, m_complaints);
        return std::ranges::all_of(findings,
                                   [](Finding const& finding) { return finding.cause == Cause::readers_none; });
    }

    /// What is another now.
    void changed(Tree const& result) {
        auto const now = result.list("tokens");
        auto const before = std::exchange(m_seen, now);
        if (m_request.form == ReportForm::json) return json({});
        each_beside(before, now, message_id("Pulled out: %1"));
        each_beside(now, before, message_id("Plugged in: %1"));
        m_out.flush();
    }

private:
    void words(Findings const& findings) {
        if (m_seen.empty() && findings.empty()) {
            m_out << text(m_request.language, "No token is plugged in.") << ' '
                  << text(m_request.language, "If one is, the command tamga doctor says why it is not seen.") << '\n';
        } else if (m_seen.empty()) {
            m_out << text(m_request.language, "No token can be seen.") << '\n';
        }
        for (auto const& token : m_seen)
            m_out << token_line(m_request.language, token) << '\n';
        m_out.flush();
    }

    void json(Findings const& findings) {
        Tree::List told;
        for (auto const& finding : findings)
            told.push_back(tree_of(m_request.language, finding));
        m_out << printable_json(Tree{}.add("tokens", Tree{m_seen}).add("findings", Tree{std::move(told)})) << std::endl;
    }
    void each_beside(Tree::List const& some, Tree::List const& others, char const* words) {
        for (auto const& token : some) {
            if (std::ranges::find(others, token) == others.end())
                m_out << text(m_request.language, words, {token_line(m_request.language, token)}) << '\n';
        }
    }

    TokensRequest const& m_request;
    std::ostream& m_out;
    std::ostream& m_complaints;
    Tree::List m_seen;
};

} // namespace

int run_tokens(TokensRequest const& request, std::ostream& out, std::ostream& complaints) {
    auto client = connect(request.socket, request.language, complaints);
    if (!client) return exit_not_running;
    Report report{request, out, complaints};
    int code = 0;
    auto const* const method = request.watch ? "tokens.subscribe" : "tokens.list";
    auto const tokens = call(*client, request.language, method, Tree{}, complaints, code);
    if (!tokens) { // of every driver at once only where all fail: which one it is, the daemon does not say
        print_all(request.language, request.why_none(), complaints);
        return code;
    }
    auto const looked = report.all(*tokens);
    if (!request.watch) return looked ? 0 : exit_failed;
    client->on_notification([&](std::string_view said, Tree const& params) {
        if (said == "tokens.changed") report.changed(params);
    });
    while (true) {
        if (auto const heard = client->listen(); !heard) return complain(request.language, heard.error(), complaints);
    }
}

} // namespace tamga::cli
