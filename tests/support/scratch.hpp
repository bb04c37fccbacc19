// A folder for one test. It lies in the build directory, because nothing under /tmp is trusted (base/trusted_file.hpp).
#pragma once

#include <filesystem>
#include <string>

namespace tamga::test {

class Scratch {
public:
    Scratch();
    Scratch(Scratch const&) = delete;
    Scratch& operator=(Scratch const&) = delete;
    ~Scratch();

    [[nodiscard]] std::filesystem::path const& path() const noexcept { return m_path; }
    [[nodiscard]] std::filesystem::path operator/(std::string const& name) const { return m_path / name; }
    void write(std::string const& name, std::string const& content) const;
    [[nodiscard]] std::string read(std::string const& name) const;
    /// Runs a shell command in the folder; throws std::runtime_error with its output where it fails.
    void run(std::string const& command) const;

private:
    std::filesystem::path m_path;
};

} // namespace tamga::test
