// Hears at once when answers about sites change, whoever wrote them: the window, `tamga sites`, an editor.
#pragma once

#include "daemon/sites.hpp"
#include "daemon/task.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>

#include <filesystem>

namespace tamga::daemon {

/// Loop thread. Watches the folder of the file (inotify): nothing is asked, no timer runs. Where the folder cannot be
/// watched the log says so, and an answer counts at the next request, as it does in any case.
class SitesWatch {
public:
    SitesWatch(asio::any_io_executor executor, Sites& sites, std::filesystem::path file);

    /// For the life of the program.
    Task<void> run();

private:
    Sites& m_sites;
    std::filesystem::path m_file;
    asio::posix::stream_descriptor m_events;
};

} // namespace tamga::daemon
