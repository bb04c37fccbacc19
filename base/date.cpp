#include "base/date.hpp"

#include <ctime>
#include <iomanip>
#include <locale>
#include <sstream>

namespace tamga {

namespace {

std::string formatted(std::tm const& parts, char const* format) {
    std::ostringstream text;
    text.imbue(std::locale::classic());
    text << std::put_time(&parts, format);
    return text.str();
}

} // namespace

std::string format_utc(std::int64_t seconds, char const* format) {
    std::time_t const time = seconds;
    std::tm parts{};
    ::gmtime_r(&time, &parts);
    return formatted(parts, format);
}

std::string format_local(std::int64_t seconds, char const* format) {
    std::time_t const time = seconds;
    std::tm parts{};
    ::localtime_r(&time, &parts);
    return formatted(parts, format);
}

std::string utc_time(std::int64_t seconds) {
    return format_utc(seconds, "%Y-%m-%dT%H:%M:%SZ");
}

std::string local_date(std::int64_t seconds) {
    return format_local(seconds, "%Y-%m-%d");
}

std::string local_time(std::int64_t seconds) {
    return format_local(seconds, "%Y-%m-%d %H:%M:%S");
}

} // namespace tamga
