#include "daemon/desk.hpp"

#include "base/log.hpp"
#include "protocol/ncalayer/ncalayer.hpp"

namespace tamga::daemon {

namespace {

/// As the log names what was asked.
std::string_view name_of(protocol::Action const& action) {
    if (std::holds_alternative<protocol::ListStorages>(action)) return "list_storages";
    if (std::holds_alternative<protocol::DescribeKey>(action)) return "describe_key";
    if (std::holds_alternative<protocol::ChooseFile>(action)) return "choose_file";
    if (std::holds_alternative<protocol::ApplyTimestamps>(action)) return "apply_timestamps";
    auto const* sign = std::get_if<protocol::Sign>(&action);
    if (sign == nullptr) return "answer";
    switch (sign->format) {
    case protocol::Format::cms: return "sign_cms";
    case protocol::Format::xml: return "sign_xml";
    case protocol::Format::raw: return "sign_raw";
    case protocol::Format::authenticate: return "authenticate";
    }
    return "sign";
}

/// For the log. What is wrong with an XML document cannot be said without quoting it: that is for the page alone.
std::string_view detail_of(Result<protocol::Outcome> const& outcome) {
    if (outcome || outcome.error().code == Errc::xml_malformed) return {};
    return outcome.error().detail;
}

/// The one line of a request, wherever it ended.
void log_request(Asker const& asker, std::string_view asked, std::optional<Errc> error, std::string_view detail,
                 Clock::time_point started) {
    auto const took = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - started);
    log::info("request", {{"origin", asker.origin},
                          {"asked", asked},
                          {"outcome", error ? wire_name(*error) : "ok"},
                          {"detail", detail},
                          {"ms", std::int64_t{took.count()}}});
}

std::size_t size_of(Result<protocol::Outcome> const& outcome) {
    if (!outcome) return 0;
    auto const* documents = std::get_if<protocol::SignedDocuments>(&*outcome);
    if (documents == nullptr) return 0;
    std::size_t size = 0;
    for (auto const& value : documents->values)
        size += value.size();
    return size;
}

} // namespace

std::optional<std::string> Desk::heartbeat_reply(std::string_view frame) {
    if (frame != protocol::ncalayer::heartbeat) return std::nullopt;
    return std::string{protocol::ncalayer::heartbeat};
}

Task<std::optional<std::string>> Desk::answer(Asker& asker, std::string frame) {
    auto const started = Clock::now();
    auto const size = frame.size();
    auto parse = [&frame] { return protocol::ncalayer::parse(std::move(frame)); };
    auto call = co_await m_compute.run_if_large(size, std::move(parse));
    if (std::holds_alternative<protocol::Silence>(call.action)) co_return std::nullopt;
    auto speaker = asker;
    if (call.language) speaker.language = *call.language;
    auto const asked = name_of(call.action);
    if (auto* answer = std::get_if<protocol::Answer>(&call.action)) {
        if (call.language) asker.language = *call.language; // changeLocale speaks for the connection
        log_request(asker, asked, answer->refused, {}, started);
        co_return std::move(answer->text);
    }

    auto outcome = co_await act(std::move(speaker), std::move(call.action));
    auto const error = outcome ? std::nullopt : std::optional{outcome.error().code};
    log_request(asker, asked, error, detail_of(outcome), started);
    auto render = [&] { return protocol::ncalayer::render(call.reply, std::move(outcome)); };
    auto text = co_await m_compute.run_if_large(size_of(outcome), std::move(render));
    co_return text;
}

Task<Result<protocol::Outcome>> Desk::act(Asker asker, protocol::Action action) {
    if (auto* sign = std::get_if<protocol::Sign>(&action)) {
        auto outcome = co_await m_flow.run(std::move(asker), std::move(*sign));
        co_return outcome;
    }
    if (std::holds_alternative<protocol::ChooseFile>(action)) {
        auto outcome = co_await m_flow.run(std::move(asker), protocol::ChooseFile{});
        co_return outcome;
    }
    if (auto* stamp = std::get_if<protocol::ApplyTimestamps>(&action)) {
        auto outcome = co_await m_flow.run(std::move(asker), std::move(*stamp));
        co_return outcome;
    }
    if (auto* describe = std::get_if<protocol::DescribeKey>(&action)) {
        auto outcome = co_await m_flow.run(std::move(asker), std::move(*describe));
        co_return outcome;
    }
    auto outcome = co_await m_flow.run(std::move(asker), protocol::ListStorages{});
    co_return outcome;
}

} // namespace tamga::daemon
