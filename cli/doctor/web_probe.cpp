#include "cli/doctor/web_probe.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

#include <ctime>
#include <memory>

namespace tamga::cli {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;

/// What all questions share.
struct Answers {
    std::vector<Result<WebAnswer>> given;
    std::size_t connected = 0; ///< of which an answer may still come
};

constexpr std::size_t most_octets = 128 * 1024;

/// What a question needs while it is under way, also after nobody waits for the answer any more.
struct Asking {
    WebQuestion question;
    policy::HttpUrl peer; ///< the proxy, or whom is asked for
    bool by_proxy = false;
    std::shared_ptr<Answers> answers;
    std::size_t place = 0;
    WebPatience patience{};
};

std::optional<std::int64_t> time_from(std::string const& date) {
    std::tm parts{};
    if (::strptime(date.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts) == nullptr) return std::nullopt;
    return ::timegm(&parts);
}

http::request<http::vector_body<unsigned char>> written(Asking const& asking) {
    auto const& question = asking.question;
    auto const posts = question.kind == WebQuestion::Kind::post;
    auto const target = asking.by_proxy ? "http://" + question.url.authority() + question.url.path : question.url.path;
    http::request<http::vector_body<unsigned char>> request{posts ? http::verb::post : http::verb::head, target, 11};
    request.set(http::field::host, question.url.authority());
    request.set(http::field::user_agent, "Tamga");
    request.set(http::field::connection, "close");
    if (posts) {
        request.set(http::field::content_type, question.content_type);
        request.body() = question.body;
        request.prepare_payload();
    }
    return request;
}

/// As long as an answer may come.
class Underway {
public:
    explicit Underway(Answers& answers) : m_answers{answers} { ++m_answers.connected; }
    Underway(Underway const&) = delete;
    Underway& operator=(Underway const&) = delete;
    ~Underway() { --m_answers.connected; }

private:
    Answers& m_answers;
};

asio::awaitable<WebAnswer> exchange(Asking const& asking) {
    auto const executor = co_await asio::this_coro::executor;
    tcp::resolver resolver{executor};
    auto const addresses = co_await resolver.async_resolve(asking.peer.host, asking.peer.port, asio::use_awaitable);
    beast::tcp_stream stream{executor};
    stream.expires_after(asking.patience.connection);
    co_await stream.async_connect(addresses, asio::use_awaitable);
    Underway const underway{*asking.answers};
    stream.expires_after(asking.patience.answer);
    auto const request = written(asking);
    co_await http::async_write(stream, request, asio::use_awaitable);
    http::response_parser<http::vector_body<unsigned char>> parser;
    parser.body_limit(most_octets);
    parser.skip(asking.question.kind == WebQuestion::Kind::head);
    beast::flat_buffer buffer;
    co_await http::async_read(stream, buffer, parser, asio::use_awaitable);
    auto const& response = parser.get();
    co_return WebAnswer{response.result_int(), time_from(std::string{response[http::field::date]}), response.body()};
}

asio::awaitable<void> ask(std::shared_ptr<Asking> asking) {
    try {
        auto answer = co_await exchange(*asking);
        asking->answers->given[asking->place] = std::move(answer);
    } catch (boost::system::system_error const& failure) { // Asio's way to say that a socket broke
        auto const late = failure.code() == beast::error::timeout;
        asking->answers->given[asking->place] =
            Error{late ? Errc::timeout : Errc::system, late ? "no answer in time" : failure.code().message()};
    }
}

} // namespace

std::vector<Result<WebAnswer>> ask_the_web(std::vector<WebQuestion> const& questions,
                                           std::optional<policy::HttpUrl> const& proxy, WebPatience patience) {
    auto const answers = std::make_shared<Answers>();
    answers->given.resize(questions.size(), Error{Errc::timeout, "no answer in time"});
    // Never ended: its thread that looks up names cannot be interrupted, and ending would wait for it.
    static auto* const context = new asio::io_context{1};
    context->restart();
    for (std::size_t i = 0; i < questions.size(); ++i) {
        auto asking = std::make_shared<Asking>(
            Asking{questions[i], proxy.value_or(questions[i].url), proxy.has_value(), answers, i, patience});
        asio::co_spawn(*context, ask(std::move(asking)), asio::detached);
    }
    context->run_for(patience.connection);
    auto const end = std::chrono::steady_clock::now() + patience.answer;
    while (answers->connected > 0 && context->run_one_until(end) > 0)
        continue;
    return answers->given;
}

} // namespace tamga::cli
