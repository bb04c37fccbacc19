// A screen without a person: answers by a script and writes down what it was shown, one JSON object a line.
//
// The script, one command a line, in any order: `key first`, `key subject=TEXT` (part of the line a person would read,
// or a token whose keys cannot be read yet), `key certificate=TEXT` (the same, and no such token), `key misfit` (tries
// what cannot be chosen); `new_pin TEXT` where a new PIN is wanted (the same each time); `type WORD` where a word is,
// in the place of the right one; `pin TEXT` (several: one after another, then cancel); `accept`, `cancel`,
// `refuse_site` (the last one counts); `decline_last_attempt` (says no to every confirmation); `await_tokens` (until
// the key wanted is plugged in); `cancel_while_looking` (for tokens, before anything was asked); `cancel_while_waiting`
// (for the token that was chosen); `cancel_at WORDS` (a wait of which they are the beginning); `wait_ms N` before each
// answer; `hang` (never answers); `file PATH` (several: one after another, then cancel) where a file is wanted;
// `from_file` wants a key file although there are tokens; `forget_files` clears the list of recent ones first;
// `remember` has the login remembered for the site, offered or not. What follows a line `site ORIGIN` holds for
// requests of that origin alone.
#pragma once

#include "prompt/words.hpp"

#include <poll.h>

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <sstream>
#include <utility>
#include <vector>

namespace tamga::prompt {

inline std::string json_text(std::string_view text) {
    std::string out{'"'};
    for (char const c : text) {
        if (c == '"' || c == '\\') out += '\\';
        if (c == '\n')
            out += "\\n";
        else if (static_cast<unsigned char>(c) >= 0x20)
            out += c;
    }
    return out + '"';
}

class ScriptedScreen {
public:
    using Log = std::function<void(std::string const& line)>;

    ScriptedScreen(std::istream& script, Log log) : m_log{std::move(log)} {
        for (std::string line; std::getline(script, line);)
            read_command(line);
    }

    void show(Sheet const& sheet) {
        m_language = sheet.request.language;
        m_origin = sheet.request.origin;
        for (auto const& line : std::exchange(m_for_sites[m_origin], {}))
            run_command(line);
        if (!m_log) return;
        auto const& request = sheet.request;
        auto const& documents = sheet.documents;
        std::ostringstream out;
        out << R"({"event":"show","origin":)" << json_text(request.origin) << R"(,"asker":)"
            << json_text(asker_words(sheet)) << R"(,"purpose":)" << json_text(purpose_words(sheet)) << R"(,"service":)"
            << json_text(service_words(sheet)) << R"(,"principal":)" << json_text(principal_words(sheet))
            << R"(,"count":)" << documents.count() << R"(,"documents":[)";
        for (std::size_t i = 0; i < documents.count(); ++i) {
            out << (i == 0 ? "" : ",") << R"({"size":)" << documents.size(i) << R"(,"digest":)"
                << json_text(to_hex(documents.shown_digest(i))) << R"(,"text":)"
                << json_text(documents.text(i).value_or(unseen_words(sheet, i))) << '}';
        }
        out << R"(],"site_is_new":)" << (request.site_is_new ? "true" : "false") << R"(,"resembles":)"
            << json_text(request.resembles) << '}';
        m_log(out.str());
    }

    Answer ask(Question const& question, int web, int news) {
        log_question(question);
        m_asked = true;
        if (!pause(web)) return {Act::gone, 0, {}};
        if (m_act != Act::accept) return {m_act, 0, {}};
        if (question.takes_files && std::exchange(m_from_file, false)) return {Act::file, 0, {}};
        auto const choice = pick(question);
        if (choice >= question.choices.size() && news >= 0 && (question.more_may_come || m_awaits_tokens))
            return {await_news(web, news), choice, {}};
        Answer answer{Act::accept, choice, {}, m_remembers, {}, m_typed_word.value_or(question.word_to_type)};
        if (choice >= question.choices.size() || question.choices[choice].pin != PinEntry::typed) {
            // Insisting on what cannot be chosen ends here too, and so does a list that stays empty.
            if (choice >= question.choices.size() && (!question.choices.empty() || m_insisted))
                answer.act = Act::cancel;
            if (choice < question.choices.size() && question.choices[choice].obstacle && m_insisted)
                answer.act = Act::cancel;
            m_insisted = true;
            return answer;
        }
        if (m_pins.empty()) return {Act::cancel, 0, {}};
        auto typed = std::move(m_pins.front());
        m_pins.pop_front();
        ++m_typed;
        if (m_log)
            m_log(R"({"event":"pin","origin":)" + json_text(m_origin) + R"(,"nth":)" + std::to_string(m_typed) + '}');
        auto pin = Pin::take({reinterpret_cast<unsigned char*>(typed.data()), typed.size()});
        if (pin) answer.pin = std::move(*pin);
        auto chosen_pin = m_new_pin;
        auto new_pin = Pin::take({reinterpret_cast<unsigned char*>(chosen_pin.data()), chosen_pin.size()});
        if (question.new_pin && new_pin) answer.new_pin = std::move(*new_pin);
        return answer;
    }

    FileAnswer choose_file(FileQuestion const& question, int web, int news) {
        std::string recent;
        for (auto const& path : question.recent)
            recent += path.string() + '\n';
        if (m_log) {
            m_log(R"({"event":"files","error":)" + json_text(question.error) + R"(,"recent":)" + json_text(recent) +
                  R"(,"safety":)" + json_text(question.use == FileUse::key ? safety_words(m_language) : std::string{}) +
                  '}');
        }
        m_asked = true;
        if (!pause(web)) return {Act::gone, {}};
        if (m_act != Act::accept) return {m_act, {}};
        if (std::exchange(m_forgets_files, false)) return {Act::forget_files, {}};
        if (news >= 0 && m_awaits_tokens) return {await_news(web, news), {}};
        if (m_files.empty()) return {Act::cancel, {}};
        auto path = std::move(m_files.front());
        m_files.pop_front();
        return {Act::accept, std::move(path)};
    }

    Act confirm(Confirmation const& confirmation, int web) {
        log_words("confirm", confirmation.words);
        if (!pause(web)) return Act::gone;
        return m_declines_last_attempt ? Act::cancel : Act::accept;
    }

    Woken wait(Waiting const& waiting, int first, int second) {
        log_words("wait", waiting.words + ' ' + std::to_string(waiting.done) + '/' + std::to_string(waiting.total));
        if (m_asked ? m_cancels_while_waiting : m_cancels_while_looking) return Woken::cancelled;
        if (!m_cancels_at.empty() && waiting.words.starts_with(m_cancels_at)) return Woken::cancelled;
        std::array<::pollfd, 2> ends{{{first, POLLIN, 0}, {second, POLLIN, 0}}};
        (void)::poll(ends.data(), ends.size(), -1);
        return ends[0].revents != 0 ? Woken::first : Woken::second;
    }

    void tell(std::string const& words, int) { log_words("tell", words); }

    void advise(std::string const& words) { log_words("advise", words); }

private:
    void read_command(std::string const& line) {
        constexpr std::string_view for_site = "site ";
        if (line.starts_with(for_site))
            m_site = line.substr(for_site.size());
        else if (m_site.empty())
            run_command(line);
        else
            m_for_sites[m_site].push_back(line);
    }

    void run_command(std::string const& line) {
        auto const space = std::min(line.find(' '), line.size());
        auto const command = line.substr(0, space);
        auto const argument = line.substr(std::min(space + 1, line.size()));
        if (command == "key")
            m_key = argument;
        else if (command == "pin")
            m_pins.push_back(argument);
        else if (command == "new_pin")
            m_new_pin = argument;
        else if (command == "type")
            m_typed_word = argument;
        else if (command == "file")
            m_files.emplace_back(argument);
        else if (command == "from_file")
            m_from_file = true;
        else if (command == "remember")
            m_remembers = true;
        else if (command == "forget_files")
            m_forgets_files = true;
        else if (command == "accept")
            m_act = Act::accept;
        else if (command == "cancel")
            m_act = Act::cancel;
        else if (command == "refuse_site")
            m_act = Act::refuse_site;
        else if (command == "decline_last_attempt")
            m_declines_last_attempt = true;
        else if (command == "cancel_while_waiting")
            m_cancels_while_waiting = true;
        else if (command == "await_tokens")
            m_awaits_tokens = true;
        else if (command == "cancel_while_looking")
            m_cancels_while_looking = true;
        else if (command == "cancel_at")
            m_cancels_at = argument;
        else if (command == "wait_ms")
            m_pause = std::chrono::milliseconds{std::stoi(argument)};
        else if (command == "hang")
            m_hangs = true;
    }

    /// False when the other end of `web` went away meanwhile.
    bool pause(int web) const {
        if (!m_hangs && m_pause.count() == 0) return true;
        ::pollfd end{web, POLLIN, 0};
        return ::poll(&end, 1, m_hangs ? -1 : static_cast<int>(m_pause.count())) == 0;
    }

    static Act await_news(int web, int news) {
        std::array<::pollfd, 2> ends{{{web, POLLIN, 0}, {news, POLLIN, 0}}};
        (void)::poll(ends.data(), ends.size(), -1);
        return ends[0].revents != 0 ? Act::gone : Act::news;
    }

    /// Beyond the list where nothing matches.
    [[nodiscard]] std::size_t pick(Question const& question) const {
        auto const& choices = question.choices;
        if (m_key.empty()) return question.chosen.value_or(choices.size());
        for (std::size_t i = 0; i < choices.size(); ++i) {
            bool const fits = !choices[i].obstacle;
            if (m_key == "misfit" ? !fits : fits && (m_key == "first" || matches(choices[i]))) return i;
        }
        return choices.size();
    }

    [[nodiscard]] bool matches(Choice const& choice) const {
        auto const wanted = m_key.substr(std::min(m_key.find('=') + 1, m_key.size()));
        if (!choice.certificate) return !m_key.starts_with("certificate=");
        return choice.certificate->subject_dn().find(wanted) != std::string::npos;
    }

    void log_question(Question const& question) const {
        if (!m_log) return;
        std::string line = R"({"event":"ask","keys":[)";
        for (auto const& choice : question.choices) {
            if (line.back() == '}') line += ',';
            line += R"({"name":)" + json_text(choice_title(m_language, choice)) + R"(,"fits":)" +
                    (choice.obstacle ? "false" : "true") + R"(,"reason":)" +
                    json_text(choice.obstacle ? choice.obstacle->words : "") + R"(,"warning":)" +
                    json_text(choice.warning) + '}';
        }
        line += R"(],"chosen":)" + (question.chosen ? std::to_string(*question.chosen) : "null");
        m_log(line + R"(,"operations":)" + json_text(question.operations) + R"(,"error":)" + json_text(question.error) +
              R"(,"pin":)" + json_text(hint_of(question)) + '}');
    }

    /// What is said of the PIN of the key that is chosen.
    [[nodiscard]] std::string hint_of(Question const& question) const {
        auto const place = pick(question);
        return place < question.choices.size() ? pin_words(m_language, question.choices[place]) : std::string{};
    }

    void log_words(char const* event, std::string const& words) const {
        if (m_log) m_log(R"({"event":)" + json_text(event) + R"(,"words":)" + json_text(words) + '}');
    }

    Log m_log;
    Language m_language{};
    std::string m_origin; ///< who asks
    std::string m_site;   ///< whom the lines being read are for; empty: everybody
    std::map<std::string, std::vector<std::string>> m_for_sites;
    std::string m_key;
    std::string m_cancels_at;
    std::deque<std::string> m_pins;
    std::string m_new_pin;
    std::optional<std::string> m_typed_word;
    std::deque<std::filesystem::path> m_files;
    bool m_from_file = false;
    bool m_forgets_files = false;
    bool m_remembers = false;
    unsigned m_typed = 0;
    Act m_act = Act::accept;
    bool m_declines_last_attempt = false;
    bool m_cancels_while_waiting = false;
    bool m_awaits_tokens = false;
    bool m_cancels_while_looking = false;
    bool m_asked = false;
    bool m_hangs = false;
    bool m_insisted = false;
    std::chrono::milliseconds m_pause{0};
};

} // namespace tamga::prompt
