// What the commands that ask the daemon have in common: how they begin, and how they say that it did not work.
#pragma once

#include "base/text.hpp"
#include "cli/local_client.hpp"

#include <ostream>

namespace tamga::cli {

// Exit codes; docs/errors.md has the table.
inline constexpr int exit_failed = 1;
inline constexpr int exit_cancelled = 4;
inline constexpr int exit_not_running = 5;

/// Whether a window can be shown to whoever called this command.
[[nodiscard]] bool has_display();

/// A connection that speaks the person's language. Where there is none, `complaints` says why.
[[nodiscard]] std::optional<LocalClient> connect(std::filesystem::path const& socket, Language language,
                                                 std::ostream& complaints);

/// Says it. @return the exit code.
int complain(Language language, Refused const& refused, std::ostream& complaints);
int complain(Language language, Error const& error, std::ostream& complaints);

/// One call; nothing where it failed, which was said and is in `exit_code`.
[[nodiscard]] std::optional<Tree> call(LocalClient& client, Language language, std::string_view method,
                                       Tree const& params, std::ostream& complaints, int& exit_code);

} // namespace tamga::cli
