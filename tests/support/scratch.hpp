// A folder for one test, and other people's programs as judges in it.
#pragma once

#include "base/bytes.hpp"

#include <filesystem>
#include <string>
#include <string_view>

namespace tamga::test {

/// tests/data: what others published or recorded.
[[nodiscard]] std::filesystem::path data_folder();

struct Outcome {
    int status = -1; ///< exit status; 127 where the program is missing
    std::string output;
};

/// Lies under the system's temporary folder, whose sticky bit makes it fit for trusted files too
/// (base/trusted_file.hpp); gone when the test is.
class Scratch {
public:
    Scratch();
    Scratch(Scratch const&) = delete;
    Scratch& operator=(Scratch const&) = delete;
    ~Scratch();

    [[nodiscard]] std::filesystem::path const& path() const noexcept { return m_path; }
    [[nodiscard]] std::filesystem::path operator/(std::string const& name) const { return m_path / name; }

    /// Replaces the file in one step, because another process may be reading it; makes folders on the way.
    void write(std::string const& name, std::string_view content) const;
    void write(std::string const& name, View octets) const { write(name, as_text(octets)); }
    /// Empty where there is no such file.
    [[nodiscard]] std::string read(std::string const& name) const;
    [[nodiscard]] Bytes read_octets(std::string const& name) const;

    /// Runs a shell command in the folder; `output` is its standard output and error.
    [[nodiscard]] Outcome attempt(std::string const& command) const;
    /// The same where failure is no part of the test: throws std::runtime_error with the output.
    void run(std::string const& command) const;

private:
    std::filesystem::path m_path;
};

} // namespace tamga::test
