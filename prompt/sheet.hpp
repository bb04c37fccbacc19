// What a screen is given to show and what it gives back. A screen is any class with the members of `Screen`: the Qt
// window, and a script in tests.
#pragma once

#include "base/channel.hpp"
#include "base/messages.hpp"
#include "prompt/documents.hpp"
#include "prompt/files.hpp"
#include "signing/certificate.hpp"

#include <concepts>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace tamga::prompt {

/// Who asks, and for what.
struct Sheet {
    ipc::PromptRequest request;
    Documents documents;
    /// A new tamga-preview, for one picture; what it was asked before is called off. Empty: there is nobody to ask.
    std::function<Result<ipc::Channel>()> start_preview{};
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
    std::string warning; ///< what is not known of a key that can be chosen all the same
    PinEntry pin = PinEntry::none;
};

struct Question {
    std::vector<Choice> choices;       ///< empty where the site alone is asked about
    std::optional<std::size_t> chosen; ///< shown as selected; nothing: the person must point at one
    std::string error;                 ///< what went wrong with the last answer
    bool more_may_come = false;        ///< not every token has answered yet
    bool follows_tokens = false;       ///< what is plugged in or pulled out meanwhile changes the choices
    bool goes_on = false;              ///< the question before, with other choices: what was typed stays
    bool takes_files = false;          ///< a key file may be chosen instead
    std::string operations;            ///< what is to be done on the token's keys, in words; mostly empty
    std::string word_to_type;          ///< before that may be agreed to; mostly empty
    bool new_pin = false;              ///< a new PIN is wanted, typed twice
};

/// Which file?
struct FileQuestion {
    FileUse use{};
    std::vector<std::filesystem::path> recent;
    std::string error;        ///< what is wrong with the file chosen last
    bool can_go_back = false; ///< cancelling leads back to a question
    bool goes_on = false;     ///< the question before: the folder that is shown stays
};

/// A yes or no of its own, with "no" as the default.
struct Confirmation {
    std::string words;
    std::string yes; ///< the button
};

/// `news`: nobody answered, but the descriptor watched for news is readable. `file`: a key file is wanted instead.
/// `forget_files`: the list of recent ones is to be cleared.
enum class Act : std::uint8_t { accept, cancel, refuse_site, gone, news, file, forget_files };

struct Answer {
    Act act = Act::cancel;
    std::size_t choice = 0;
    Pin pin;
    bool remember = false; ///< the login for this site, where that was offered
    Pin new_pin{};         ///< where it was asked for: the screen has compared the two
    std::string typed{};   ///< in the place of Question::word_to_type
};

struct FileAnswer {
    Act act = Act::cancel;
    std::filesystem::path path; ///< of Act::accept
};

/// Nothing to decide now: the token works. A total of 0 means that there is no count to show.
struct Waiting {
    std::string words;
    std::uint32_t done = 0;
    std::uint32_t total = 0;
    std::uint32_t signed_documents = 0; ///< of a batch, in its order
};

enum class Woken : std::uint8_t { cancelled, first, second };

/// Each call blocks the caller while the screen stays alive. `web` is watched meanwhile: nothing may come on it while
/// the person decides, so whatever makes it readable (its end, above all) ends the call with Act::gone.
template <class S>
concept Screen = requires(S& screen, Sheet const& sheet, Question const& question, FileQuestion const& files,
                          Confirmation const& confirmation, Waiting const& waiting, int fd) {
    screen.show(sheet);
    /// The second descriptor (may be -1) ends the call with Act::news; the answer's choice is what is selected then.
    { screen.ask(question, fd, fd) } -> std::same_as<Answer>;
    /// The second descriptor as with ask.
    { screen.choose_file(files, fd, fd) } -> std::same_as<FileAnswer>;
    { screen.confirm(confirmation, fd) } -> std::same_as<Act>;
    /// Until one of two descriptors is readable (the second may be -1), or the person cancels.
    { screen.wait(waiting, fd, fd) } -> std::same_as<Woken>;
    /// A failure. Until the person has read it, or `fd` (may be -1) is readable.
    screen.tell(std::string{}, fd);
    /// Something to know after all went well. Until the person has read it.
    screen.advise(std::string{});
};

/// Whether a token is wanted, and no key on it.
[[nodiscard]] inline bool is_about_token(ipc::Purpose purpose) {
    return purpose == ipc::Purpose::key_work || purpose == ipc::Purpose::change_pin ||
           purpose == ipc::Purpose::unblock_pin;
}

/// Whether it stands for a key file: what its owner types is a password, and no attempt is counted.
[[nodiscard]] inline bool is_key_file(ipc::TokenInfo const& token) {
    return token.storage == ipc::key_file_storage;
}

/// Whether its lock is known from an earlier answer of the token, and not from what it shows now: it may have been
/// unlocked with another program since.
[[nodiscard]] inline bool is_lock_remembered(ipc::TokenInfo const& token) {
    return token.pin_locked && !token.attempts_left;
}

/// Whether the next wrong PIN locks the token, as far as the token tells.
[[nodiscard]] inline bool is_last_attempt(ipc::TokenInfo const& token) {
    return token.pin_final_try || token.attempts_left == std::uint8_t{1};
}

/// Whether a PIN may be sent only after a second question: the next wrong one locks the token, or may well do so.
[[nodiscard]] inline bool is_risky_attempt(ipc::TokenInfo const& token) {
    constexpr std::uint32_t wrong_tries_that_worry = 2;
    return is_last_attempt(token) || is_lock_remembered(token) ||
           (!token.attempts_left && token.wrong_tries_seen >= wrong_tries_that_worry);
}

/// Whether the person may have this login remembered: for our own statement of a sign-in to a site that they know, and
/// where the token would.
[[nodiscard]] inline bool can_be_remembered(Sheet const& sheet, Choice const& choice) {
    auto const& request = sheet.request;
    return request.form == ipc::Form::authenticate && request.purpose == ipc::Purpose::sign_in &&
           !request.origin.empty() && !request.site_is_new && choice.certificate && choice.pin != PinEntry::none &&
           choice.token.remember_s != 0 && !is_key_file(choice.token);
}

} // namespace tamga::prompt
