// The token processes as tamga-web knows them: which tokens are plugged in, and the leases that sign.
#pragma once

#include "daemon/async_channel.hpp"

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <vector>

namespace tamga::daemon {

/// Signatures of one chunk, what an operation on keys has to say, or how the lease ended.
using LeaseNews =
    std::variant<ipc::Signatures, ipc::KeyProgress, ipc::KeyCertificate, ipc::KeyOperationDone, ipc::LeaseEnded>;

/// One token process: its channel, the listings it was asked for and the leases it holds. Held by shared_ptr; `run`
/// ends when the process does.
class TokenProcess : public std::enable_shared_from_this<TokenProcess> {
public:
    /// @param changed  called when the process says that something was plugged in or pulled out; may be empty
    TokenProcess(asio::any_io_executor executor, ipc::ModuleIndex module, ipc::Channel channel,
                 std::function<void()> changed);

    Task<void> run();

    [[nodiscard]] bool is_gone() const noexcept { return m_gone; }

    /// It has ended, whoever holds its channel open: whoever waits for it is told token_crashed.
    void give_up();

    /// The tokens that are plugged in. Errors: token_crashed, token_timeout, or what
    /// the module answered.
    Task<Result<std::vector<ipc::TokenInfo>>> list();

    /// A statement of a sign-in under the login that was remembered by `request`. After a failure there is none any
    /// more. Errors: mandate_violated (it has ended, above all), token_crashed, token_timeout, or what the token
    /// answered.
    Task<Result<Bytes>> sign_remembered(ipc::RequestId request, Bytes octets);
    /// Ends it.
    void finish_remembered(ipc::RequestId request);

private:
    friend class Lease;
    using Listing = Mailbox<ipc::Packet>;

    void dispatch(ipc::Packet& packet);
    template <class News>
    void tell_lease(News news);

    asio::any_io_executor m_executor;
    ipc::ModuleIndex m_module;
    AsyncChannel m_channel;
    std::function<void()> m_changed;
    std::uint64_t m_last_query = 0;
    bool m_gone = false;
    bool m_gave_up = false;
    std::map<std::uint64_t, Listing*> m_listings;
    std::map<ipc::RequestId, Mailbox<LeaseNews>*> m_leases;
    std::map<std::uint64_t, Mailbox<ipc::RememberedSigned>*> m_statements; ///< under way, by their queries
};

/// tamga-web's end of one lease: from before the prompt is opened until the token has logged out. Destroyed early (page
/// gone, error), it tells the token to log out.
class Lease {
public:
    Lease(std::shared_ptr<TokenProcess> process, ipc::RequestId request);
    Lease(Lease const&) = delete;
    Lease& operator=(Lease const&) = delete;
    ~Lease();

    /// Octets to be signed, at most 64 KiB together; or one large item in a sealed memfd.
    Task<Result<void>> sign(std::uint32_t first, std::vector<Bytes> items);
    Task<Result<void>> sign_large(std::uint32_t index, UniqueFd memfd);
    /// The next signatures, in the order of the calls. Errors: what ended the lease (token_absent, mandate_violated,
    /// user_cancelled, token_crashed, token_timeout ...). `items`: how many are awaited.
    Task<Result<ipc::Signatures>> next(std::size_t items);
    /// Nothing more to sign: waits for C_Logout.
    Task<Result<void>> finish();

    /// What an operation on keys gave.
    struct Performed {
        ipc::KeyOperationDone done;      ///< of one that succeeded
        std::vector<Bytes> certificates; ///< DER; of ListPairs
    };
    /// Has operation `index` of the mandate done. `octets`: of a CertificationRequestInfo, else none. A token may take
    /// minutes; `stepped` hears how far it is. Errors: what the operation says (token_full, key_exists ...), or what
    /// ended the lease; what a failed one has left on the token stands in the log.
    Task<Result<Performed>> perform(std::uint32_t index, Bytes octets, std::function<void(ipc::KeyStep)> stepped);

private:
    std::shared_ptr<TokenProcess> m_process;
    ipc::RequestId m_request;
    Mailbox<LeaseNews> m_news;
    bool m_ended = false;
};

/// All token processes.
class Keys {
public:
    explicit Keys(asio::any_io_executor executor);

    /// Who hears, on the loop, that `list` may give something else now: a card came or went, a process ended or came
    /// up. It is told in no word what; listing there and then would not wait for the others' answers.
    void on_change(std::function<void()> changed) { m_changed = std::move(changed); }

    void token_up(ipc::ModuleIndex module, ipc::Channel channel);
    void token_gone(ipc::ModuleIndex module);
    /// The process of a request's key file; forgotten when it ends.
    void file_token_up(ipc::RequestId request, ipc::Channel channel);

    /// Waits for processes that ended within the last three seconds: whoever asks again after a crash finds it made
    /// good.
    Task<void> await_restarts();

    /// Every token, all processes asked at once. What is on them is between them and the prompt. A process that fails
    /// is left out; its error is returned only where no other process has a token.
    /// Errors: token_absent, token_crashed, token_failure, module_unloadable ...
    Task<Result<std::vector<ipc::TokenInfo>>> list();

    /// The processes that a prompt can be introduced to, one bit each. Error where there is none: token_crashed (being
    /// started again), token_absent (no module is configured).
    [[nodiscard]] Result<std::uint64_t> modules() const;
    /// How many processes of modules there are, and how many of them are up.
    struct Count {
        std::size_t up = 0;
        std::size_t all = 0;
    };
    [[nodiscard]] Count count() const noexcept;
    /// Whether one of the processes ended and is not up again.
    [[nodiscard]] bool one_is_down() const;
    /// Error: token_crashed, where that process is not there.
    [[nodiscard]] Result<std::shared_ptr<TokenProcess>> process(ipc::ModuleIndex module) const;
    /// The process of the module, or of the request's key file: the launcher's word of it may come after the prompt's,
    /// and is waited for. Error: token_crashed.
    Task<Result<std::shared_ptr<TokenProcess>>> process(ipc::RequestId request, ipc::ModuleIndex module);

private:
    void tell_changed() const {
        if (m_changed) m_changed();
    }

    asio::any_io_executor m_executor;
    std::function<void()> m_changed;
    std::map<ipc::ModuleIndex, std::shared_ptr<TokenProcess>> m_processes; ///< null: ended, being started again
    std::map<ipc::ModuleIndex, Clock::time_point> m_went;                  ///< when those ended
    std::map<ipc::RequestId, std::shared_ptr<TokenProcess>> m_files;       ///< by the requests they serve
    std::set<asio::steady_timer*> m_waiting;                               ///< for one of them
};

} // namespace tamga::daemon
