#include "cli/explain.hpp"

#include "base/explain.hpp"
#include "cli/doctor/finding.hpp"
#include "cli/printable.hpp"
#include "protocol/tamga/tamga.hpp"

#include <algorithm>

namespace tamga::cli {

namespace {

constexpr int exit_usage = 2;

std::optional<Errc> error_of(std::string const& typed) {
    for (std::size_t i = 0; i < errc_count; ++i) {
        auto const code = static_cast<Errc>(i);
        auto const number = std::to_string(protocol::v1::code_of(code)); // "-33023", of which people read the digits
        if (typed == wire_name(code) || typed == number || typed == number.substr(1)) return code;
    }
    return std::nullopt;
}

std::optional<Cause> cause_of(std::string const& typed) {
    auto const found = std::ranges::find(causes(), std::string_view{typed}, &CauseRow::id);
    return found == causes().end() ? cause_of_code(typed) : std::optional{found->cause};
}

/// Whoever decodes it does not know which path or program it was.
void explain_cause(Language language, Cause cause, std::ostream& out) {
    Finding const finding{cause, "...", "...", {}, "..."};
    out << phone_code(cause) << "  " << row_of(cause).id << '\n' << sentence_of(language, finding) << '\n';
    if (auto const step = step_of(language, finding); !step.empty()) out << "-> " << step << '\n';
}

} // namespace

int explain_code(Language language, std::string const& typed, std::ostream& out, std::ostream& complaints) {
    if (auto const cause = cause_of(typed)) {
        explain_cause(language, *cause, out);
        return 0;
    }
    if (auto const error = error_of(typed)) {
        out << wire_name(*error) << "  " << protocol::v1::code_of(*error) << '\n' << explain(language, *error) << '\n';
        return 0;
    }
    complaints << text(language, "There is no code %1. Was a digit misheard?", {printable(typed)}) << '\n';
    return exit_usage;
}

} // namespace tamga::cli
