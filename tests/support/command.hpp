// Other people's tools as judges: run in a directory of their own, with what they said.
#pragma once

#include "base/bytes.hpp"

#include <filesystem>
#include <string>

namespace tamga::test {

struct Outcome {
    int status = -1; ///< exit status; 127 where the tool is missing
    std::string output;
};

/// A directory under the system's temporary one, removed at the end.
class Workshop {
public:
    Workshop();
    Workshop(Workshop const&) = delete;
    Workshop& operator=(Workshop const&) = delete;
    ~Workshop();

    void put(std::string const& name, View octets) const;
    [[nodiscard]] Bytes get(std::string const& name) const;

    /// Runs a shell command in the directory; `output` is stdout and stderr.
    [[nodiscard]] Outcome run(std::string const& command) const;

private:
    std::filesystem::path m_directory;
};

} // namespace tamga::test
