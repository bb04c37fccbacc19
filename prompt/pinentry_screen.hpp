// The second form of the prompt: pinentry's dialogues, one after the other, on a terminal or a display without Qt.
// First who asks for what, then each key with a yes or no, then the PIN. It draws no documents and opens no files.
#pragma once

#include "prompt/pinentry.hpp"
#include "prompt/sheet.hpp"

#include <chrono>

namespace tamga::prompt {

class PinentryScreen {
public:
    /// Documents of one request; more are nothing that a person reads page by page.
    static constexpr std::size_t most_documents = 32;

    /// Error: prompt_unavailable, where this form cannot show such a request, the terminal named in it is not this
    /// person's, or there is neither terminal nor display.
    static Result<PinentryScreen> open(Sheet const& sheet, std::filesystem::path program = default_program());
    /// Debian's choice among those installed (update-alternatives).
    [[nodiscard]] static std::filesystem::path default_program() { return "/usr/bin/pinentry"; }

    // ---- the members of `Screen` ----
    void show(Sheet const& sheet) { m_sheet = &sheet; }
    Answer ask(Question const& question, int web, int news);
    FileAnswer choose_file(FileQuestion const& question, int web, int news);
    Act confirm(Confirmation const& confirmation, int web);
    /// Shows nothing: the terminal belongs to the command meanwhile, whose end is the person's way to cancel.
    Woken wait(Waiting const& waiting, int first, int second);
    void tell(std::string const& words, int fd);
    void advise(std::string const& words) { tell(words, -1); }

private:
    PinentryScreen(std::filesystem::path program, Surface surface, Language language, std::size_t columns)
        : m_program{std::move(program)}, m_surface{std::move(surface)}, m_language{language}, m_columns{columns} {}

    using Reply = Pinentry::Reply;
    /// The same after another: each is a process of its own.
    Reply confirm_in(Dialogue const& dialogue, int web);
    Reply confirm_paged(std::vector<std::string> const& lines, Dialogue last, int web);
    void add(std::vector<std::string>& lines, std::string const& words, std::string const& mark = {}) const;
    Reply introduce(std::string const& yes, int web);
    std::optional<std::size_t> choose(Question const& question, int web, Act& act);
    Answer unlock(Choice const& choice, std::size_t index, std::string const& error, int web);
    [[nodiscard]] std::vector<std::string> introduction() const;
    [[nodiscard]] static Act act_of(Reply reply) {
        return reply == Reply::ok ? Act::accept : reply == Reply::gone ? Act::gone : Act::cancel;
    }

    std::filesystem::path m_program;
    Surface m_surface;
    Language m_language;
    std::size_t m_columns;
    Sheet const* m_sheet = nullptr;
    bool m_introduced = false;
    std::optional<std::chrono::steady_clock::time_point> m_first_asked;
};

} // namespace tamga::prompt
