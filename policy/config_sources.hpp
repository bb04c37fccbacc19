// The configuration that is in effect, value by value, each with the file it came from: for whoever asks why.
#pragma once

#include "policy/web_config.hpp"

#include <string>
#include <vector>

namespace tamga::policy {

struct SourcedValue {
    std::string key;   ///< "origins.strict"; of a list one for each element
    std::string value; ///< as TOML has it, without quotes
    std::string file;  ///< empty: nobody said it, so it is what is built in
};

/// Every key of tamga.toml, in the order of docs/configuration.md. Says what load_web_config decides, by the same
/// rules. Blocking. Errors: those of load_web_config.
Result<std::vector<SourcedValue>> sourced_values(ConfigFiles const& files);

} // namespace tamga::policy
