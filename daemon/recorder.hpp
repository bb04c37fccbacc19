// What keys are used for goes into the journal (journal/book.hpp), from a thread of its own: no request waits for the
// disk, and none fails because nothing can be written there.
#pragma once

#include "daemon/compute.hpp"
#include "journal/book.hpp"
#include "protocol/request.hpp"
#include "signing/certificate.hpp"

#include <functional>
#include <map>
#include <memory>

namespace tamga::daemon {

/// Loop thread. One for the life of the program. What cannot be written is said in the log, which has a line for each
/// signature in any case.
class Recorder {
public:
    /// @param path  of the file; empty: nothing is kept. Its folder is made where it is missing
    Recorder(asio::any_io_executor executor, std::filesystem::path path, journal::Limits limits);

    /// One request, from before the person is asked until it was answered. Written by `settle`, or by its destructor as
    /// withdrawn: the page was gone.
    class Use {
    public:
        Use(Use&& other) noexcept;
        Use& operator=(Use&&) = delete;
        ~Use();

        /// From now on it is to be written: the person is asked, or a key is used. `question` has what the gate made of
        /// the request.
        void begin(protocol::Sign const& request, ipc::PromptRequest const& question, std::size_t documents);
        void chosen(signing::Certificate const& certificate);
        /// A key signed the next document; `digest` is that of its content.
        void signed_one(View digest);
        void settle(Result<void> const& outcome);

    private:
        friend class Recorder;
        Use(Recorder& recorder, std::string site);

        Recorder* m_recorder;
        journal::Entry m_entry;
        std::optional<signing::Certificate> m_certificate;
        std::string m_algorithm; ///< of the digests
        bool m_begun = false;
    };
    /// @param site  origin, or "local"
    [[nodiscard]] Use use(std::string site) { return Use{*this, std::move(site)}; }

    /// A sign-in without a window, by the login that the person had remembered under `name`. All by one login are one
    /// entry, which is written at once and counted on at most once a second.
    void remembered(std::string const& name, std::string const& site, signing::Certificate const& certificate);
    /// That login has ended.
    void forget(std::string const& name);

    /// Remembers that this certificate is its owner's, so that its end can be told in time (journal/book.hpp).
    void note(signing::Certificate const& certificate);

    /// Writes what is not written yet and waits for it. Blocking: for the end of the program.
    void finish();

private:
    /// Of one remembered login.
    struct Run {
        std::shared_ptr<std::int64_t> id; ///< of its entry; touched on the thread alone. 0: not written
        std::int64_t until = 0;
        std::int64_t signatures = 0;
        bool written = true; ///< the numbers are
    };
    /// What the thread works with.
    struct Shelf {
        std::filesystem::path path;
        journal::Limits limits;
        std::optional<journal::Book> book{};

        Result<std::int64_t> write(std::function<Result<std::int64_t>(journal::Book&)> const& work);
    };

    void add(journal::Entry entry, std::shared_ptr<std::int64_t> id);
    void count_on(Run& run);
    void count_all_on();
    void count_soon();

    asio::any_io_executor m_executor;
    std::shared_ptr<Shelf> m_shelf; ///< touched on the thread alone
    std::map<std::string, Run> m_runs;
    asio::steady_timer m_soon;
    bool m_waiting = false;
    Compute m_writer;
};

} // namespace tamga::daemon
