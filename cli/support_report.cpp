#include "cli/support_report.hpp"

#include "base/date.hpp"
#include "cli/doctor/doctor.hpp"
#include "cli/printable.hpp"
#include "journal/book.hpp"
#include "journal/forms.hpp"
#include "policy/state_file.hpp"

#include <openssl/crypto.h>
#include <sys/utsname.h>

#include <algorithm>
#include <cctype>
#include <fstream>
#include <sstream>

namespace tamga::cli {

namespace {

using namespace std::chrono_literals;

constexpr auto patience = 10s;
constexpr std::size_t most_entries = 50;
constexpr std::string_view json_mark = "---- JSON ----";

// ---- without secrets ----

std::string replaced(std::string text, std::string_view what, std::string_view by) {
    if (what.size() < 2) return text; // "/" is no home
    for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
        text.replace(at, what.size(), by);
    return text;
}

/// key="value" becomes key="...".
std::string without_value_of(std::string text, std::string_view key) {
    for (auto at = text.find(key); at != std::string::npos; at = text.find(key, at)) {
        at += key.size();
        auto const end = text.find('"', at);
        text.replace(at, end == std::string::npos ? end : end - at, "...");
    }
    return text;
}

std::string without_addresses(std::string text, std::string_view scheme) {
    constexpr std::string_view by = "[site]";
    for (auto at = text.find(scheme); at != std::string::npos; at = text.find(scheme, at + by.size())) {
        auto const end = text.find_first_of(" \t\"',;)", at);
        text.replace(at, end == std::string::npos ? end : end - at, by);
    }
    return text;
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool is_hexadecimal(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
bool is_base64(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '+';
}

/// Runs of at least `least` such characters become `by`.
std::string without_runs(std::string_view text, bool (*belongs)(char), std::size_t least, std::string_view by) {
    std::string result;
    while (!text.empty()) {
        auto const size = static_cast<std::size_t>(std::ranges::find_if_not(text, belongs) - text.begin());
        result += size >= least ? by : text.substr(0, size);
        text.remove_prefix(size);
        if (text.empty()) break;
        result += text.front();
        text.remove_prefix(1);
    }
    return result;
}

bool about_a_token(Finding const& finding) {
    return row_of(finding.cause).hop() == "tokens" && finding.cause != Cause::tokens_not_shown;
}

// ---- what goes in ----

/// PRETTY_NAME of os-release(5).
std::string system_name() {
    std::ifstream file{"/etc/os-release"};
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with("PRETTY_NAME=")) return line.substr(line.find('=') + 1);
    }
    return "?";
}

Tree versions(Surroundings const& here) {
    ::utsname kernel{};
    ::uname(&kernel);
    Tree tree;
    tree.add("tamga", here.version).add("system", system_name());
    tree.add("kernel", std::string{kernel.release} + ' ' + kernel.machine);
    tree.add("openssl", ::OpenSSL_version(OPENSSL_VERSION));
    auto const packages = here.run({"dpkg-query", "--show", "--showformat=${Package} ${Version}\n", "tamga", "tamga-qt",
                                    "pcscd", "libccid", "opensc-pkcs11", "libnss3-tools", "libengine-gost-openssl",
                                    "chromium", "firefox-esr", "google-chrome-stable"},
                                   patience);
    std::istringstream lines{packages.output};
    for (std::string line; std::getline(lines, line);) {
        if (auto const gap = line.find(' '); gap != std::string::npos && gap + 1 < line.size())
            tree.add(line.substr(0, gap), line.substr(gap + 1));
    }
    return tree;
}

/// Requests that did not end with a signature: when, in which form and why, not for whom.
Tree::List refused_requests(Surroundings const& here) {
    Tree::List list;
    auto book = journal::Book::open_existing(here.state_folder / "journal.db");
    if (!book || !*book) return list;
    auto const entries = (*book)->find({});
    if (!entries) return list;
    for (auto it = entries->rbegin(); it != entries->rend() && list.size() < most_entries; ++it) {
        if (it->outcome == "signed") continue;
        Tree tree;
        tree.add("at", utc_time(it->at)).add("form", it->form).add("outcome", it->outcome);
        list.push_back(std::move(tree));
    }
    return list;
}

/// Warnings and errors of Tamga's programs, newest last.
Tree::List log_lines(Surroundings const& here) {
    Tree::List list;
    auto const ran = here.run({"journalctl", "--user", "--user-unit=tamga.service", "--priority=4", "--lines=100",
                               "--output=short-iso", "--no-hostname", "--no-pager", "--quiet"},
                              patience);
    std::istringstream lines{ran.output};
    for (std::string line; std::getline(lines, line);)
        list.emplace_back(redacted(printable(line), here.home.native()));
    return list;
}

struct Contents {
    Findings findings;
    Tree json;
};

Contents gather(Surroundings const& here) {
    Contents contents;
    contents.findings = redacted(examine(here));
    for (auto& finding : contents.findings) {
        for (auto* text : {&finding.first, &finding.second, &finding.detail})
            *text = redacted(*text, here.home.native());
    }
    contents.json.add("report", "tamga 1").add("at", utc_time(here.seconds()));
    contents.json.add("versions", versions(here)).add("doctor", tree_of(here, contents.findings));
    contents.json.add("requests", Tree{refused_requests(here)}).add("log", Tree{log_lines(here)});
    return contents;
}

// ---- how it looks ----

std::string line_of(Tree const& tree) {
    if (auto const* text = std::get_if<std::string>(&tree.value)) return *text;
    std::string line;
    auto const* const members = std::get_if<Tree::Members>(&tree.value);
    for (std::size_t i = 0; members != nullptr && i < members->size(); ++i)
        line += (line.empty() ? "" : "  ") + (*members)[i].first + '=' + line_of((*members)[i].second);
    return line;
}

void section(std::ostream& out, std::string_view heading, Tree::List const& lines) {
    out << '\n' << heading << '\n';
    for (auto const& line : lines)
        out << "  " << line_of(line) << '\n';
}

std::string written(Surroundings const& here, Contents const& contents) {
    auto const language = here.language;
    std::ostringstream out;
    out << text(language, "Report of Tamga, %1", {contents.json.text("at")}) << "\n\n";
    print_findings(language, contents.findings, out);
    Tree::List parts;
    if (auto const* known = contents.json.find("versions")) {
        for (auto const& [name, version] : std::get<Tree::Members>(known->value))
            parts.push_back(Tree{}.add(name, version));
    }
    section(out, text(language, "Versions"), parts);
    section(out, text(language, "Requests that ended without a signature"), contents.json.list("requests"));
    section(out, text(language, "Last warnings and errors"), contents.json.list("log"));
    out << '\n' << json_mark << '\n' << printable_json(contents.json) << '\n';
    return out.str();
}

std::filesystem::path default_file(Surroundings const& here) {
    auto const name = format_local(here.seconds(), "%Y%m%d-%H%M");
    std::error_code failed;
    return std::filesystem::current_path(failed) / ("tamga-report-" + name + ".txt");
}

} // namespace

std::string redacted(std::string_view text, std::string_view home) {
    auto result = replaced(std::string{text}, home, "~");
    for (auto const* key : {"origin=\"", "Origin=\"", "site=\"", "url=\""})
        result = without_value_of(std::move(result), key);
    for (auto const* scheme : {"https://", "http://"})
        result = without_addresses(std::move(result), scheme);
    constexpr std::size_t of_a_person = 9;       // IIN and BIN have 12 digits, serial numbers of tokens 8 to 16
    constexpr std::size_t of_a_certificate = 13; // also of a token; 8 digits name a certificate here, 12 a build
    constexpr std::size_t of_base64 = 40;
    result = without_runs(result, is_digit, of_a_person, "[number]");
    result = without_runs(result, is_hexadecimal, of_a_certificate, "[octets]");
    return without_runs(result, is_base64, of_base64, "[octets]");
}

Findings redacted(Findings findings) {
    auto number = 0;
    for (auto& finding : findings) {
        if (about_a_token(finding)) finding.first = "no. " + std::to_string(++number);
        if (finding.cause == Cause::browser_blocked_by_person) finding.second = "...";
        if (finding.cause == Cause::sign_failed) finding.first = "...";
    }
    return findings;
}

int run_report(Surroundings const& here, ReportRequest const& request, std::ostream& out, std::ostream& complaints) {
    auto const language = here.language;
    auto const report = written(here, gather(here));
    out << report << std::flush;
    auto const file = request.file.empty() ? default_file(here) : request.file;
    if (!request.agrees(text(language, "This is the whole report. Save it as %1?", {file.string()}))) {
        complaints << text(language, "The report was not saved.") << '\n';
        return 0;
    }
    if (auto const saved = policy::replace_file(file, report); !saved) {
        complaints << text(language, "%1 cannot be written.", {file.string()}) << '\n';
        return exit_bad;
    }
    complaints << text(language, "The report was saved: %1", {file.string()}) << '\n';
    return 0;
}

} // namespace tamga::cli
