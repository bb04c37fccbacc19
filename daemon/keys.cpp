#include "daemon/keys.hpp"

#include "base/log.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <algorithm>
#include <tuple>

namespace tamga::daemon {

namespace {

// A tamga-token ends itself where its module passes a deadline (docs/threads.md). These are for one that does not.
constexpr std::chrono::seconds list_limit{15};
constexpr std::chrono::seconds signature_limit{65};
constexpr std::chrono::minutes key_work_limit{11}; ///< between two words of an operation on keys

/// So long a request waits for a process that just ended and is being started again.
constexpr std::chrono::seconds restart_time{3};
constexpr std::size_t most_found = 512; ///< tokens of one module; more is a module gone wrong

template <class Map>
struct Registration {
    Map& map;
    typename Map::key_type key;
    Registration(Map& where, typename Map::key_type name, typename Map::mapped_type entry) : map{where}, key{name} {
        map[key] = entry;
    }
    Registration(Registration const&) = delete;
    Registration& operator=(Registration const&) = delete;
    ~Registration() { map.erase(key); }
};

/// In a set for as long as it lives.
template <class T>
struct Listed {
    std::set<T>& set;
    T entry;
    Listed(std::set<T>& where, T what) : set{where}, entry{what} { set.insert(entry); }
    Listed(Listed const&) = delete;
    Listed& operator=(Listed const&) = delete;
    ~Listed() { set.erase(entry); }
};

std::string_view name_of(ipc::Remains remains) {
    switch (remains) {
    case ipc::Remains::nothing: return "nothing";
    case ipc::Remains::cleaned_up: return "cleaned_up";
    case ipc::Remains::may_be_left: return "may_be_left";
    }
    return "";
}

} // namespace

TokenProcess::TokenProcess(asio::any_io_executor executor, ipc::ModuleIndex module, ipc::Channel channel,
                           std::function<void()> changed)
    : m_executor{executor}, m_module{module}, m_channel{executor, std::move(channel)}, m_changed{std::move(changed)} {}

Task<void> TokenProcess::run() {
    auto const self = shared_from_this();
    auto said = co_await m_channel.send(ipc::Hello::from(ipc::Role::web));
    auto packet = co_await m_channel.receive();
    if (said && packet && ipc::check_hello(*packet, ipc::Role::token)) {
        while (true) {
            packet = co_await m_channel.receive();
            if (!packet) break;
            dispatch(*packet);
        }
    }
    give_up();
}

template <class News>
void TokenProcess::tell_lease(News news) {
    auto const lease = m_leases.find(news.request);
    if (lease != m_leases.end()) lease->second->put(std::move(news));
}

void TokenProcess::dispatch(ipc::Packet& packet) {
    if (auto signatures = packet.as<ipc::Signatures>()) return tell_lease(std::move(*signatures));
    if (auto progress = packet.as<ipc::KeyProgress>()) return tell_lease(std::move(*progress));
    if (auto certificate = packet.as<ipc::KeyCertificate>()) return tell_lease(std::move(*certificate));
    if (auto operation = packet.as<ipc::KeyOperationDone>()) return tell_lease(std::move(*operation));
    if (auto ended = packet.as<ipc::LeaseEnded>()) {
        // Said when the module does not come back: the process ends right after it.
        if (!ended->status.ok && ended->status.code == Errc::token_timeout) m_gone = true;
        return tell_lease(std::move(*ended));
    }
    if (auto made = packet.as<ipc::RememberedSigned>()) {
        auto const statement = m_statements.find(made->query);
        if (statement != m_statements.end()) statement->second->put(std::move(*made));
        return;
    }
    if (packet.as<ipc::TokensChanged>()) {
        if (m_changed) m_changed();
        return;
    }
    std::uint64_t query = 0;
    if (auto token = packet.as<ipc::TokenFound>())
        query = token->query;
    else if (auto done = packet.as<ipc::ListingDone>())
        query = done->query;
    if (auto const listing = m_listings.find(query); listing != m_listings.end())
        listing->second->put(std::move(packet));
}

void TokenProcess::give_up() {
    if (std::exchange(m_gave_up, true)) return;
    m_gone = true;
    for (auto const& [query, listing] : m_listings)
        listing->put(ipc::Packet{});
    for (auto const& [request, lease] : m_leases) {
        lease->put(ipc::LeaseEnded{request, ipc::Status::from(Error{Errc::token_crashed})});
    }
    for (auto const& [query, statement] : m_statements)
        statement->put(ipc::RememberedSigned{query, ipc::Status::from(Error{Errc::token_crashed}), {}});
}

Task<Result<Bytes>> TokenProcess::sign_remembered(ipc::RequestId request, Bytes octets) {
    auto const self = shared_from_this();
    if (m_gone) co_return Errc::token_crashed;
    Mailbox<ipc::RememberedSigned> answer{m_executor};
    auto const query = ++m_last_query;
    Registration const registration{m_statements, query, &answer};
    ipc::SignRemembered const question{request, query, std::move(octets)};
    if (auto sent = co_await m_channel.send(question); !sent) co_return Errc::token_crashed;
    auto made = co_await answer.next(Clock::now() + signature_limit);
    if (!made) co_return Errc::token_timeout;
    if (auto const result = made->status.result(); !result) co_return result.error();
    co_return std::move(made->value);
}

void TokenProcess::finish_remembered(ipc::RequestId request) {
    if (m_gone) return;
    if (auto sent = m_channel.try_send(ipc::FinishLease{request}); !sent) {
        log::warning("lease", {{"request", request.value()}, {"finish", wire_name(sent.error().code)}});
    }
}

Task<Result<std::vector<ipc::TokenInfo>>> TokenProcess::list() {
    auto const self = shared_from_this();
    if (m_gone) co_return Errc::token_crashed;
    Listing answers{m_executor};
    auto const query = ++m_last_query;
    Registration const registration{m_listings, query, &answers};
    auto const deadline = Clock::now() + list_limit;
    ipc::ListKeys const question{query, ipc::Depth::tokens};
    if (auto sent = co_await m_channel.send(question); !sent) co_return Errc::token_crashed;

    std::vector<ipc::TokenInfo> tokens;
    while (tokens.size() <= most_found) {
        auto packet = co_await answers.next(deadline);
        if (!packet) co_return Errc::token_timeout;
        if (auto token = packet->as<ipc::TokenFound>()) {
            tokens.push_back(std::move(token->info));
        } else if (auto done = packet->as<ipc::ListingDone>()) {
            // One token that does not answer hides no other.
            if (auto result = done->status.result(); !result && tokens.empty()) co_return result.error();
            co_return tokens;
        } else {
            co_return Errc::token_crashed;
        }
    }
    co_return Error{Errc::token_failure, "the module lists no end of tokens"};
}

Lease::Lease(std::shared_ptr<TokenProcess> process, ipc::RequestId request)
    : m_process{std::move(process)}, m_request{request}, m_news{m_process->m_executor} {
    m_process->m_leases[m_request] = &m_news;
}

Lease::~Lease() {
    m_process->m_leases.erase(m_request);
    if (m_ended || m_process->m_gone) return;
    if (auto sent = m_process->m_channel.try_send(ipc::FinishLease{m_request}); !sent) {
        log::warning("lease", {{"request", m_request.value()}, {"finish", wire_name(sent.error().code)}});
    }
}

Task<Result<void>> Lease::sign(std::uint32_t first, std::vector<Bytes> items) {
    ipc::SignItems const message{m_request, first, std::move(items)};
    auto sent = co_await m_process->m_channel.send(message);
    co_return sent ? sent : Result<void>{Errc::token_crashed};
}

Task<Result<void>> Lease::sign_large(std::uint32_t index, UniqueFd memfd) {
    ipc::SignLarge const message{m_request, index};
    auto sent = co_await m_process->m_channel.send(message, memfd.get());
    co_return sent ? sent : Result<void>{Errc::token_crashed};
}

Task<Result<ipc::Signatures>> Lease::next(std::size_t items) {
    if (m_ended) co_return Error{Errc::token_failure, "the lease has ended"};
    auto news = co_await m_news.next(Clock::now() + signature_limit * static_cast<int>(items));
    if (!news) co_return Errc::token_timeout;
    if (auto* signatures = std::get_if<ipc::Signatures>(&*news)) co_return std::move(*signatures);
    m_ended = true;
    auto const* const ended = std::get_if<ipc::LeaseEnded>(&*news);
    if (ended == nullptr) co_return Error{Errc::token_failure, "an answer to work on keys"};
    auto const why = ended->status.result();
    co_return why ? Error{Errc::token_failure, "the lease ended early"} : why.error();
}

Task<Result<void>> Lease::finish() {
    ipc::FinishLease const message{m_request};
    if (auto sent = co_await m_process->m_channel.send(message); !sent) co_return Errc::token_crashed;
    auto const deadline = Clock::now() + signature_limit;
    while (!m_ended) {
        auto news = co_await m_news.next(deadline);
        if (!news) co_return Errc::token_timeout;
        if (auto const* ended = std::get_if<ipc::LeaseEnded>(&*news)) {
            m_ended = true;
            co_return ended->status.result();
        }
    }
    co_return ok();
}

Task<Result<Lease::Performed>> Lease::perform(std::uint32_t index, Bytes octets,
                                              std::function<void(ipc::KeyStep)> stepped) {
    if (m_ended) co_return Error{Errc::token_failure, "the lease has ended"};
    ipc::PerformKeyOperation const message{m_request, index, std::move(octets)};
    if (auto sent = co_await m_process->m_channel.send(message); !sent) co_return Errc::token_crashed;
    Performed performed;
    while (true) {
        auto news = co_await m_news.next(Clock::now() + key_work_limit);
        if (!news) co_return Errc::token_timeout;
        if (auto const* progress = std::get_if<ipc::KeyProgress>(&*news)) {
            if (stepped) stepped(progress->step);
        } else if (auto* certificate = std::get_if<ipc::KeyCertificate>(&*news)) {
            if (performed.certificates.size() == most_found) co_return Error{Errc::token_failure, "certificates"};
            performed.certificates.push_back(std::move(certificate->der));
        } else if (auto* done = std::get_if<ipc::KeyOperationDone>(&*news)) {
            if (done->index != index) co_return Error{Errc::token_failure, "another operation was done"};
            if (auto const result = done->status.result(); !result) {
                m_ended = true; // it says so itself, behind this
                log::warning("key_work", {{"operation", std::uint64_t{index}},
                                          {"error", wire_name(result.error().code)},
                                          {"detail", result.error().detail},
                                          {"remains", name_of(done->remains)}});
                co_return result.error();
            }
            performed.done = std::move(*done);
            co_return performed;
        } else if (auto const* ended = std::get_if<ipc::LeaseEnded>(&*news)) {
            m_ended = true;
            auto const why = ended->status.result();
            co_return why ? Error{Errc::token_failure, "the lease ended early"} : why.error();
        } else {
            co_return Error{Errc::token_failure, "signatures that nobody asked for"};
        }
    }
}

Keys::Keys(asio::any_io_executor executor) : m_executor{std::move(executor)} {}

void Keys::token_up(ipc::ModuleIndex module, ipc::Channel channel) {
    auto changed = [this] { tell_changed(); };
    auto process = std::make_shared<TokenProcess>(m_executor, module, std::move(channel), std::move(changed));
    m_processes[module] = process;
    m_went.erase(module);
    for (auto* const waiting : m_waiting)
        waiting->cancel();
    asio::co_spawn(m_executor, process->run(), asio::detached);
    tell_changed();
}

void Keys::file_token_up(ipc::RequestId request, ipc::Channel channel) {
    if (!channel) return;
    auto process = std::make_shared<TokenProcess>(m_executor, ipc::key_file_module, std::move(channel), nullptr);
    m_files[request] = process;
    for (auto* const waiting : m_waiting)
        waiting->cancel();
    auto serve = [](Keys& keys, ipc::RequestId served, std::shared_ptr<TokenProcess> file) -> Task<void> {
        co_await file->run();
        if (auto const place = keys.m_files.find(served); place != keys.m_files.end() && place->second == file) {
            keys.m_files.erase(place);
        }
    };
    asio::co_spawn(m_executor, serve(*this, request, std::move(process)), asio::detached);
}

void Keys::token_gone(ipc::ModuleIndex module) {
    // Its channel may be held open by what the module started.
    if (auto const process = std::exchange(m_processes[module], nullptr)) process->give_up();
    m_went[module] = Clock::now();
    tell_changed();
}

Task<void> Keys::await_restarts() {
    while (true) {
        // The end of its channel may be here before the launcher has told us.
        for (auto const& [module, process] : m_processes) {
            if (process != nullptr && process->is_gone()) m_went.try_emplace(module, Clock::now());
        }
        auto until = Clock::time_point::min();
        for (auto const& [module, when] : m_went)
            until = std::max(until, when + restart_time);
        if (until <= Clock::now()) co_return;
        asio::steady_timer timer{m_executor, until};
        Listed const listed{m_waiting, &timer};
        auto const woken = co_await timer.async_wait(as_result);
        static_cast<void>(woken); // by the clock, or by a process that is up again
    }
}

Task<Result<std::shared_ptr<TokenProcess>>> Keys::process(ipc::RequestId request, ipc::ModuleIndex module) {
    if (module != ipc::key_file_module) co_return process(module);
    auto const until = Clock::now() + restart_time;
    while (Clock::now() < until && !m_files.contains(request)) {
        asio::steady_timer timer{m_executor, until};
        Listed const listed{m_waiting, &timer};
        auto const woken = co_await timer.async_wait(as_result);
        static_cast<void>(woken);
    }
    auto const found = m_files.find(request);
    if (found == m_files.end()) co_return Error{Errc::token_crashed, "the process of the file is not running"};
    co_return found->second;
}

Task<Result<std::vector<ipc::TokenInfo>>> Keys::list() {
    struct Answer {
        ipc::ModuleIndex module;
        Result<std::vector<ipc::TokenInfo>> tokens;
    };
    using Answers = Mailbox<Answer>;
    auto const answers = std::make_shared<Answers>(m_executor);
    auto ask = [](ipc::ModuleIndex module, std::shared_ptr<TokenProcess> process,
                  std::shared_ptr<Answers> into) -> Task<void> {
        auto tokens = co_await process->list();
        into->put({module, std::move(tokens)});
    };
    std::vector<ipc::TokenInfo> found;
    Error failure{Errc::token_absent};
    std::size_t waiting = 0;
    for (auto const& [module, process] : m_processes) {
        if (process == nullptr) {
            failure = Error{Errc::token_crashed, "being started again"};
            continue;
        }
        asio::co_spawn(m_executor, ask(module, process, answers), asio::detached);
        ++waiting;
    }
    std::map<ipc::ModuleIndex, std::vector<ipc::TokenInfo>> in_order;
    for (; waiting > 0; --waiting) {
        auto answer = co_await answers->next();
        if (answer->tokens) {
            in_order[answer->module] = std::move(*answer->tokens);
            continue;
        }
        failure = answer->tokens.error();
        log::warning("list", {{"module", unsigned{answer->module.value()}},
                              {"error", wire_name(failure.code)},
                              {"detail", failure.detail}});
    }
    for (auto& [module, tokens] : in_order) {
        // Slots answer as they come: nobody is shown another order each time.
        std::ranges::sort(tokens, {}, [](ipc::TokenInfo const& token) { return std::tie(token.label, token.serial); });
        std::ranges::move(tokens, std::back_inserter(found));
    }
    if (found.empty()) co_return failure;
    co_return found;
}

Result<std::uint64_t> Keys::modules() const {
    std::uint64_t modules = 0;
    for (auto const& [module, process] : m_processes) {
        if (process != nullptr) modules |= std::uint64_t{1} << module.value();
    }
    if (modules != 0) return modules;
    if (one_is_down()) return Error{Errc::token_crashed, "being started again"};
    return Error{Errc::token_absent, "no module is configured"};
}

Keys::Count Keys::count() const noexcept {
    Count count{0, m_processes.size()};
    for (auto const& [module, process] : m_processes) {
        if (process != nullptr && !process->is_gone()) ++count.up;
    }
    return count;
}

bool Keys::one_is_down() const {
    return std::ranges::any_of(m_processes, [](auto const& entry) { return entry.second == nullptr; });
}

Result<std::shared_ptr<TokenProcess>> Keys::process(ipc::ModuleIndex module) const {
    auto const found = m_processes.find(module);
    if (found == m_processes.end() || found->second == nullptr)
        return Error{Errc::token_crashed, "its process is not running"};
    return found->second;
}

} // namespace tamga::daemon
