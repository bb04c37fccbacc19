#include "cli/log.hpp"

#include "base/date.hpp"
#include "base/unique_fd.hpp"
#include "cli/log_words.hpp"
#include "cli/printable.hpp"
#include "protocol/json_file.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

namespace tamga::cli {

namespace {

/// journalctl, whose lines are JSON. Ends it when it goes.
class Journal {
public:
    explicit Journal(LogRequest const& request) {
        std::vector<std::string> words{"journalctl",
                                       "--user",
                                       "--user-unit=tamga.service",
                                       "--output=json",
                                       "--quiet",
                                       "--no-pager",
                                       "--lines=" + std::to_string(request.lines)};
        if (request.follow) words.emplace_back("--follow");
        std::vector<char*> arguments;
        for (auto& word : words)
            arguments.push_back(word.data());
        arguments.push_back(nullptr);
        int ends[2] = {-1, -1};
        if (::pipe2(ends, O_CLOEXEC) != 0) return;
        UniqueFd const writing{ends[1]};
        ::posix_spawn_file_actions_t files{};
        ::posix_spawn_file_actions_init(&files);
        ::posix_spawn_file_actions_adddup2(&files, writing.get(), STDOUT_FILENO);
        if (::posix_spawnp(&m_process, words[0].c_str(), &files, nullptr, arguments.data(), environ) != 0)
            m_process = 0;
        ::posix_spawn_file_actions_destroy(&files);
        m_lines.reset(::fdopen(ends[0], "r"));
    }
    Journal(Journal const&) = delete;
    Journal& operator=(Journal const&) = delete;
    ~Journal() {
        m_lines.reset(); // it ends when nobody reads any more
        int status = 0;
        while (m_process > 0 && ::waitpid(m_process, &status, 0) < 0 && errno == EINTR)
            continue;
    }

    /// The next line; false where there is none any more.
    bool next(std::string& line) {
        char* text = nullptr;
        std::size_t room = 0;
        auto const size = m_process > 0 && m_lines ? ::getline(&text, &room, m_lines.get()) : -1;
        std::unique_ptr<char, decltype(&std::free)> const owner{text, &std::free};
        if (size < 0) return false;
        line.assign(text, static_cast<std::size_t>(size));
        return true;
    }

private:
    struct Close {
        void operator()(std::FILE* file) const noexcept { std::fclose(file); }
    };
    ::pid_t m_process = 0;
    std::unique_ptr<std::FILE, Close> m_lines;
};

/// Microseconds since 1970, as systemd has it.
std::string moment(std::string const& microseconds) {
    return local_time(std::strtoll(microseconds.c_str(), nullptr, 10) / 1'000'000);
}

/// The level says who must act (base/log.hpp).
std::string_view mark(std::string_view priority) {
    if (priority <= "3") return "[ !! ]";
    return priority == "4" ? "[ ?? ]" : "[    ]";
}

void print(LogRequest const& request, Tree const& entry, std::ostream& out) {
    auto const message = std::string{entry.text("MESSAGE")};
    auto const line = parse_log_line(message);
    if (!line) return; // what a library wrote, which is in journalctl
    auto const words = request.raw ? message : words_for(request.language, *line, message);
    out << moment(std::string{entry.text("__REALTIME_TIMESTAMP")}) << ' ' << mark(entry.text("PRIORITY")) << ' '
        << printable(words) << std::endl;
}

} // namespace

int run_log(LogRequest const& request, std::ostream& out, std::ostream& complaints) {
    Journal journal{request};
    auto found = false;
    for (std::string line; journal.next(line);) {
        auto const entry = protocol::read_json(line);
        if (!entry) continue;
        found = true;
        print(request, *entry, out);
    }
    if (found) return 0;
    complaints << text(request.language,
                       "systemd's journal has no line of Tamga. Where it was started by hand, its lines "
                       "are where that was.")
               << '\n';
    return 1;
}

} // namespace tamga::cli
