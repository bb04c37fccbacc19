// What a screen is given to show and what it gives back. A screen is any class with the members of `Screen`: the Qt
// window, and a script in tests.
#pragma once

#include "base/messages.hpp"
#include "prompt/documents.hpp"
#include "signing/certificate.hpp"

#include <concepts>
#include <optional>
#include <string>
#include <vector>

namespace tamga::prompt {

/// Who asks, and for what.
struct Sheet {
    ipc::PromptRequest request;
    Documents documents;
};

enum class PinEntry : std::uint8_t { none, typed, on_reader };

/// Why something in the list cannot be chosen.
struct Obstacle {
    Errc code{};
    std::string words;
};

/// One thing the person may choose: a key, or a token whose keys can be read only after its PIN.
struct Choice {
    ipc::ModuleIndex module;
    ipc::SlotId slot;
    ipc::TokenInfo token;
    std::optional<signing::Certificate> certificate;
    std::optional<Obstacle> obstacle;
    PinEntry pin = PinEntry::none;
};

struct Question {
    std::vector<Choice> choices;       ///< empty where the site alone is asked about
    std::optional<std::size_t> chosen; ///< shown as selected; nothing: the person must point at one
    std::string error;                 ///< what went wrong with the last answer
};

enum class Act : std::uint8_t { accept, cancel, refuse_site, gone };

struct Answer {
    Act act = Act::cancel;
    std::size_t choice = 0;
    Pin pin;
};

/// Nothing to decide now: the token works. A total of 0 means that there is no count to show.
struct Waiting {
    std::string words;
    std::uint32_t done = 0;
    std::uint32_t total = 0;
};

enum class Woken : std::uint8_t { cancelled, first, second };

/// Each call blocks the caller while the screen stays alive. `web` is watched meanwhile: nothing may come on it while
/// the person decides, so whatever makes it readable (its end, above all) ends the call with Act::gone.
template <class S>
concept Screen = requires(S& screen, Sheet const& sheet, Question const& question, Waiting const& waiting, int fd) {
    screen.show(sheet);
    { screen.ask(question, fd) } -> std::same_as<Answer>;
    /// A yes or no of its own, with "no" as the default.
    { screen.confirm(std::string{}, fd) } -> std::same_as<Act>;
    /// Until one of two descriptors is readable (the second may be -1), or the person cancels.
    { screen.wait(waiting, fd, fd) } -> std::same_as<Woken>;
    /// Until the person has read it, or `fd` (may be -1) is readable.
    screen.tell(std::string{}, fd);
};

} // namespace tamga::prompt
