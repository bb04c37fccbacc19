#include "cli/doctor/finding.hpp"

#include "cli/printable.hpp"

#include <algorithm>

namespace tamga::cli {

namespace {

std::string_view name_of_fix(Fix fix) noexcept {
    switch (fix) {
    case Fix::none: return "";
    case Fix::start_service: return "start_service";
    case Fix::restart_service: return "restart_service";
    case Fix::install_trust: return "install_trust";
    case Fix::close_files: return "close_files";
    }
    return "";
}

std::string words(Language language, char const* message, Finding const& finding) {
    if (*message == '\0') return {};
    return text(language, message, {printable(finding.first), printable(finding.second), printable(finding.third)});
}

} // namespace

std::string sentence_of(Language language, Finding const& finding) {
    return words(language, row_of(finding.cause).sentence, finding);
}

std::string step_of(Language language, Finding const& finding) {
    return words(language, row_of(finding.cause).step, finding);
}

Finding const* main_finding(Findings const& findings) {
    auto const order = [](Finding const& finding) {
        return std::pair{-static_cast<int>(row_of(finding.cause).state), finding.cause};
    };
    auto const first = std::ranges::min_element(findings, {}, order);
    if (first == findings.end() || row_of(first->cause).state == State::good) return nullptr;
    return &*first;
}

Tree tree_of(Language language, Finding const& finding) {
    auto const& row = row_of(finding.cause);
    Tree tree;
    tree.add("hop", row.hop()).add("cause", row.id).add("state", name_of(row.state));
    tree.add("code", phone_code(finding.cause)).add("says", sentence_of(language, finding));
    tree.add_unless_empty("step", step_of(language, finding));
    tree.add_unless_empty("detail", printable(finding.detail));
    tree.add_unless_empty("fix", std::string{name_of_fix(row.fix)});
    return tree;
}

} // namespace tamga::cli
