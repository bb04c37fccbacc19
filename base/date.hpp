// Times in words. Everywhere else a time is a number of seconds since 1970.
#pragma once

#include <cstdint>
#include <string>

namespace tamga {

/// What strftime(3) makes of it in the C locale. Thread-safe.
[[nodiscard]] std::string format_utc(std::int64_t seconds, char const* format);
/// The same in the time zone of this process.
[[nodiscard]] std::string format_local(std::int64_t seconds, char const* format);

/// "2026-11-23T21:50:00Z", RFC 3339 section 5.6: for other programs.
[[nodiscard]] std::string utc_time(std::int64_t seconds);
/// "2026-11-23": for people.
[[nodiscard]] std::string local_date(std::int64_t seconds);
/// "2026-11-23 21:50:00": for people.
[[nodiscard]] std::string local_time(std::int64_t seconds);

} // namespace tamga
