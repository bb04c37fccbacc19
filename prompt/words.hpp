// The sentences of the prompt, for every screen the same.
#pragma once

#include "prompt/sheet.hpp"

namespace tamga::prompt {

/// "12 345 bytes", "1.5 MB" in the language's own way.
[[nodiscard]] std::string size_words(Language language, std::size_t octets);
/// A day as DD.MM.YYYY in local time.
[[nodiscard]] std::string day_words(std::int64_t seconds_since_1970);

/// Who asks: the site's exact origin, or that it is a command of this computer.
[[nodiscard]] std::string asker_words(Sheet const& sheet);
/// What is asked: "Sign 3 documents ...".
[[nodiscard]] std::string purpose_words(Sheet const& sheet);
/// The question about a site not answered before, empty where it was; and the warning where it resembles a known one.
[[nodiscard]] std::string site_words(Sheet const& sheet);
[[nodiscard]] std::string look_alike_words(Sheet const& sheet);
/// Which public service it is for and how the law classifies it, as far as that is known; whom the site says the signer
/// acts for. Each empty where there is nothing to say.
[[nodiscard]] std::string service_words(Sheet const& sheet);
[[nodiscard]] std::string principal_words(Sheet const& sheet);
/// What is not known of any of several keys, said once above the list instead of under each.
[[nodiscard]] std::string common_warning(Question const& question);
/// Heading of the list: choose a key, or a token.
[[nodiscard]] std::string list_words(Language language, Question const& question);
/// The accepting button, for the choice that is selected (may be null).
[[nodiscard]] std::string accept_words(Sheet const& sheet, Choice const* choice);

/// Instead of a content that cannot be shown: its type, size and digest; and the warning that goes with it.
[[nodiscard]] std::string unseen_words(Sheet const& sheet, std::size_t index);
[[nodiscard]] std::string unseen_warning(Sheet const& sheet);
/// The warning where a picture was to be had and cannot be.
[[nodiscard]] std::string no_preview_warning(Sheet const& sheet);
/// Which page of how many (0: not known yet), counted from 0.
[[nodiscard]] std::string page_words(Language language, std::uint32_t page, std::uint32_t pages);
/// Said under a document of which only the beginning is shown.
[[nodiscard]] std::string cut_words(Language language);

/// What is chosen, for the heading of the chooser; and why a token is safer than a file (of a key).
[[nodiscard]] std::string file_words(Language language, FileUse use);
[[nodiscard]] std::string safety_words(Language language);
/// What the owner types for it: a PIN or a password. With a mnemonic, and for the box that shows what is typed.
[[nodiscard]] std::string pin_label(Language language, Choice const& choice);
[[nodiscard]] std::string reveal_label(Language language, Choice const& choice);

/// Above the keys of one group (prompt/choices.hpp): the person's own, or those of an organisation.
[[nodiscard]] std::string group_words(Language language, Choice const& choice);
/// A line of the list: whose key; then everything else in order of weight.
[[nodiscard]] std::string choice_title(Language language, Choice const& choice);
[[nodiscard]] std::vector<std::string> choice_details(Language language, Choice const& choice);
/// What is known about the PIN before it is typed; mostly empty. Our own count is never called "attempts left".
[[nodiscard]] std::string pin_words(Language language, Choice const& choice);
/// The second question before an attempt that locks the token if it fails, or may.
[[nodiscard]] Confirmation attempt_confirmation(Language language, ipc::TokenInfo const& token);
/// That the PIN is locked, and what helps for this family of tokens; where the lock is remembered, also how to show
/// that it is none any more.
[[nodiscard]] std::string locked_words(Language language, ipc::TokenInfo const& token);
/// That the PIN is the one the token was delivered with.
[[nodiscard]] std::string factory_pin_words(Language language);

/// What is not known of a certificate that can be chosen all the same.
[[nodiscard]] std::string doubt_words(Language language, Errc doubt);

/// What may be wrong with what is being typed: Caps Lock, or a keyboard that writes other letters. Mostly empty.
[[nodiscard]] std::string typing_words(Language language, bool caps_lock, bool not_latin);

[[nodiscard]] std::string misfit_words(Language language, signing::Misfit misfit);

/// Beneath the box: for how long the login would be remembered.
[[nodiscard]] std::string remember_terms(Language language, Choice const& choice);

} // namespace tamga::prompt
