#include "prompt/pinentry_screen.hpp"

#include "base/log.hpp"
#include "prompt/visible.hpp"
#include "prompt/words.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>

namespace tamga::prompt {

namespace {

/// A document longer than this is shown by its size and digest: nobody reads more in so small a window.
constexpr std::size_t longest_text = 2000;
/// What else may come is waited for so long: a choice by yes and no has no place for what comes later.
constexpr std::chrono::seconds patience_for_tokens{3};
/// Of a terminal: ten lines of words, the field, the buttons, and what is around them.
constexpr unsigned fewest_rows = 20;
constexpr unsigned fewest_columns = 60;
constexpr unsigned frame_columns = 8;

Error unavailable(std::string why) {
    return {Errc::prompt_unavailable, std::move(why)};
}

bool has_display() {
    auto const is_set = [](char const* name) {
        char const* value = std::getenv(name);
        return value != nullptr && *value != '\0';
    };
    return is_set("DISPLAY") || is_set("WAYLAND_DISPLAY");
}

/// Whose PIN is typed into a terminal must be the one who sits before it. @return how many columns a dialogue has
/// there: what does not fit one would be cut off or written over.
Result<std::size_t> check_terminal(std::string const& path) {
    UniqueFd const terminal{::open(path.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC | O_NOFOLLOW)};
    struct ::stat found {};
    if (!terminal || ::fstat(terminal.get(), &found) != 0 || !S_ISCHR(found.st_mode) || ::isatty(terminal.get()) == 0)
        return unavailable("no terminal: " + path);
    if (found.st_uid != ::geteuid()) return unavailable("another person's terminal: " + path);
    ::winsize size{};
    if (::ioctl(terminal.get(), TIOCGWINSZ, &size) != 0 || size.ws_row < fewest_rows || size.ws_col < fewest_columns)
        return unavailable("the terminal is smaller than 60 columns and 20 rows");
    return std::min<std::size_t>(Pinentry::most_columns, size.ws_col - frame_columns);
}

std::string without_mnemonic(std::string label) {
    std::erase(label, '&');
    return label;
}

Answer answer_of(Act act, std::size_t choice = 0) {
    Answer answer;
    answer.act = act;
    answer.choice = choice;
    return answer;
}

std::string joined(std::vector<std::string> const& lines) {
    std::string all;
    for (auto const& line : lines) {
        if (!all.empty()) all += '\n';
        all += line;
    }
    return all;
}

} // namespace

Result<PinentryScreen> PinentryScreen::open(Sheet const& sheet, std::filesystem::path program) {
    auto const& request = sheet.request;
    if (request.purpose == ipc::Purpose::choose_file) return unavailable("a file cannot be chosen in this form");
    if (is_about_token(request.purpose)) return unavailable("work on keys and PINs needs the window");
    if (sheet.documents.count() > most_documents) return unavailable("too many documents for this form");
    if (::access(program.c_str(), X_OK) != 0) return unavailable(program.string() + " is not installed");
    auto const& terminal = request.terminal;
    auto columns = Pinentry::most_columns;
    if (!terminal.path.empty()) {
        auto const width = check_terminal(terminal.path);
        if (!width) return width.error();
        columns = *width;
    } else if (!has_display()) {
        return unavailable("no display");
    }
    return PinentryScreen{std::move(program), {terminal.path, terminal.type}, request.language, columns};
}

Answer PinentryScreen::ask(Question const& question, int web, int news) {
    using Clock = std::chrono::steady_clock;
    if (!m_first_asked) m_first_asked = Clock::now();
    if (question.more_may_come && news >= 0) { // what is plugged in later is asked for with another command
        auto const left =
            std::chrono::ceil<std::chrono::milliseconds>(*m_first_asked + patience_for_tokens - Clock::now());
        std::array<::pollfd, 2> ends{{{web, POLLIN, 0}, {news, POLLIN, 0}}};
        if (::poll(ends.data(), ends.size(), static_cast<int>(std::max<long>(left.count(), 0))) > 0)
            return answer_of(ends[0].revents != 0 ? Act::gone : Act::news, question.choices.size());
    }
    bool const is_site = m_sheet->request.purpose == ipc::Purpose::site;
    if (!std::exchange(m_introduced, true)) {
        auto const yes = is_site ? accept_words(*m_sheet, nullptr) : std::string{text(m_language, "C&ontinue")};
        if (auto const reply = introduce(yes, web); reply != Reply::ok) return answer_of(act_of(reply));
    }
    if (is_site) return answer_of(Act::accept);
    auto act = Act::cancel;
    auto const chosen = choose(question, web, act);
    if (!chosen) return answer_of(act);
    auto const& choice = question.choices[*chosen];
    if (choice.pin == PinEntry::none) return answer_of(Act::accept, *chosen);
    return unlock(choice, *chosen, question.error, web);
}

PinentryScreen::Reply PinentryScreen::introduce(std::string const& yes, int web) {
    Dialogue last;
    last.ok = yes;
    return confirm_paged(introduction(), std::move(last), web);
}

void PinentryScreen::add(std::vector<std::string>& lines, std::string const& words, std::string const& mark) const {
    if (words.empty()) return;
    for (auto const& line : wrapped(words, m_columns - mark.size()))
        lines.push_back(mark + line);
}

/// A page after the other, each with the way out; the last is `last` with its words.
PinentryScreen::Reply PinentryScreen::confirm_paged(std::vector<std::string> const& lines, Dialogue last, int web) {
    auto pages = paged(lines);
    last.words = pages.empty() ? std::string{} : std::move(pages.back());
    last.cancel = text(m_language, "&Cancel");
    for (std::size_t i = 0; i + 1 < pages.size(); ++i) {
        Dialogue dialogue;
        dialogue.words = std::move(pages[i]);
        dialogue.ok = text(m_language, "C&ontinue");
        dialogue.cancel = last.cancel;
        if (auto const reply = confirm_in(dialogue, web); reply != Reply::ok) return reply;
    }
    return confirm_in(last, web);
}

std::vector<std::string> PinentryScreen::introduction() const {
    std::vector<std::string> lines;
    for (auto const& words : {asker_words(*m_sheet), look_alike_words(*m_sheet), purpose_words(*m_sheet),
                              service_words(*m_sheet), principal_words(*m_sheet), site_words(*m_sheet)})
        add(lines, words);
    auto const& documents = m_sheet->documents;
    bool unseen = false;
    for (std::size_t i = 0; i < documents.count(); ++i) {
        lines.emplace_back();
        if (documents.count() > 1 && !documents.title(i).empty())
            add(lines, std::to_string(i + 1) + ". " + visible_line(documents.title(i)));
        auto const content =
            documents.size(i) <= longest_text && documents.shown(i) == Shown::text ? documents.text(i) : std::nullopt;
        unseen = unseen || !content;
        // What is somebody else's is marked: no document can speak as Tamga does.
        add(lines, content ? *content : unseen_words(*m_sheet, i), content ? "| " : "");
    }
    if (unseen) {
        lines.emplace_back();
        add(lines, unseen_warning(*m_sheet));
    }
    return lines;
}

/// A yes or no for each key; the one whose PIN was wrong is asked for its PIN again at once.
std::optional<std::size_t> PinentryScreen::choose(Question const& question, int web, Act& act) {
    if (!question.error.empty() && question.chosen) return question.chosen;
    std::vector<std::size_t> candidates;
    std::string obstacles = question.error;
    for (std::size_t i = 0; i < question.choices.size(); ++i) {
        auto const& choice = question.choices[i];
        if (!choice.obstacle)
            candidates.push_back(i);
        else
            obstacles +=
                (obstacles.empty() ? "" : "\n") + choice_title(m_language, choice) + ": " + choice.obstacle->words;
    }
    if (candidates.empty()) tell(obstacles, web);
    for (std::size_t nth = 0; nth < candidates.size(); ++nth) {
        auto const& choice = question.choices[candidates[nth]];
        std::vector<std::string> lines;
        if (candidates.size() > 1)
            add(lines, text(m_language, "Key %1 of %2", {std::to_string(nth + 1), std::to_string(candidates.size())}));
        add(lines, choice_title(m_language, choice));
        for (auto const& detail : choice_details(m_language, choice))
            add(lines, detail);
        Dialogue dialogue;
        add(lines, std::string{text(m_language, "Use this key?")});
        dialogue.ok = text(m_language, "&Yes");
        if (nth + 1 < candidates.size()) dialogue.other = text(m_language, "&No");
        auto const reply = confirm_paged(lines, std::move(dialogue), web);
        if (reply == Reply::ok) return candidates[nth];
        act = act_of(reply);
        if (reply != Reply::other) break;
    }
    return std::nullopt;
}

Answer PinentryScreen::unlock(Choice const& choice, std::size_t index, std::string const& error, int web) {
    std::vector<std::string> lines;
    add(lines, asker_words(*m_sheet));
    add(lines, purpose_words(*m_sheet));
    add(lines, choice_title(m_language, choice));
    add(lines, pin_words(m_language, choice));
    Dialogue dialogue;
    dialogue.words = joined(lines);
    dialogue.error = error;
    dialogue.prompt = without_mnemonic(pin_label(m_language, choice));
    dialogue.ok = text(m_language, "C&ontinue");
    dialogue.cancel = text(m_language, "&Cancel");
    if (choice.pin == PinEntry::on_reader) return answer_of(act_of(confirm_in(dialogue, web)), index);
    auto answer = answer_of(Act::accept, index);
    while (answer.act == Act::accept && answer.pin.empty()) {
        auto pinentry = Pinentry::start(m_program, m_surface);
        auto const reply = pinentry ? pinentry->ask_pin(dialogue, web, answer.pin) : Result<Reply>{pinentry.error()};
        answer.act = reply ? act_of(*reply) : Act::cancel;
    }
    return answer;
}

FileAnswer PinentryScreen::choose_file(FileQuestion const&, int web, int) {
    tell(
        std::string{text(m_language, "A key file can be chosen in Tamga's window only. Plug in a token, or install the "
                                     "package tamga-qt and use a graphical session.")},
        web);
    return {Act::cancel, {}};
}

Act PinentryScreen::confirm(Confirmation const& confirmation, int web) {
    Dialogue dialogue;
    dialogue.words = joined(wrapped(confirmation.words, m_columns));
    dialogue.ok = text(m_language, "&Yes");
    dialogue.cancel = text(m_language, "&Cancel");
    return act_of(confirm_in(dialogue, web));
}

Woken PinentryScreen::wait(Waiting const&, int first, int second) {
    std::array<::pollfd, 2> ends{{{first, POLLIN, 0}, {second, POLLIN, 0}}};
    while (::poll(ends.data(), ends.size(), -1) < 0) {
    }
    return ends[0].revents != 0 ? Woken::first : Woken::second;
}

void PinentryScreen::tell(std::string const& words, int fd) {
    auto pinentry = Pinentry::start(m_program, m_surface);
    Dialogue dialogue;
    dialogue.words = joined(wrapped(words, m_columns));
    dialogue.ok = text(m_language, "C&lose");
    if (pinentry) (void)pinentry->tell(dialogue, fd);
}

/// A pinentry that fails is no consent.
PinentryScreen::Reply PinentryScreen::confirm_in(Dialogue const& dialogue, int web) {
    auto pinentry = Pinentry::start(m_program, m_surface);
    if (!pinentry) {
        log::warning("pinentry", {{"detail", pinentry.error().detail}});
        return Reply::cancelled;
    }
    auto const reply = pinentry->confirm(dialogue, web);
    if (!reply) log::warning("pinentry", {{"detail", reply.error().detail}});
    return reply ? *reply : Reply::cancelled;
}

} // namespace tamga::prompt
