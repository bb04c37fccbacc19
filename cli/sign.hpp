// `tamga sign`: files signed with a key of this computer, in the daemon's window.
#pragma once

#include "base/text.hpp"
#include "cli/report_form.hpp"

#include <filesystem>
#include <ostream>
#include <string>
#include <vector>

namespace tamga::cli {

struct SignRequest {
    Language language{};
    std::filesystem::path socket;
    std::vector<std::filesystem::path> files;
    std::string format = "cms"; ///< "cms", "xml" or "raw"
    bool detached = false;
    bool timestamp = false;
    bool overwrite = false;
    std::filesystem::path output; ///< a file, or a folder for several; empty: beside each file
    std::string service;          ///< identifier in the catalogue; empty: these are documents
    std::string iin;
    std::string bin;
    std::string serial_number;
    ReportForm form{};
};

/// Says on `out` which files were written; progress and complaints go to `complaints`. @return the exit code
/// (docs/errors.md).
int run_sign(SignRequest const& request, std::ostream& out, std::ostream& complaints);

} // namespace tamga::cli
