// What is said of work on keys: each operation in plain words, with everything that decides what comes of it.
#pragma once

#include "prompt/sheet.hpp"

namespace tamga::prompt {

/// What stands in the window above the choice of a token, a paragraph for each operation; empty where there is none.
/// `on_tokens`: DER of the certificates that tokens show, by which a pair is told that is to be deleted.
[[nodiscard]] std::string operations_words(Sheet const& sheet, std::vector<Bytes> const& on_tokens);

/// The word to be typed before a pair is deleted; empty where none is. And what is said of typing it.
[[nodiscard]] std::string word_to_type(Sheet const& sheet);
[[nodiscard]] std::string typing_request(Language language, std::string const& word);
[[nodiscard]] std::string typing_fault(Language language, std::string const& word);

/// What the field for the old PIN, or the administrator's, is called; with a mnemonic. Then those for the new one.
[[nodiscard]] std::string old_pin_label(Sheet const& sheet, ipc::TokenInfo const& token);
[[nodiscard]] std::string new_pin_label(Language language, ipc::TokenInfo const& token);
[[nodiscard]] std::string new_pin_again_label(Language language, ipc::TokenInfo const& token);
/// How long a new PIN may be, where the token tells; that the two differ.
[[nodiscard]] std::string new_pin_length(Language language, ipc::TokenInfo const& token);
[[nodiscard]] std::string new_pins_differ(Language language, ipc::TokenInfo const& token);

/// Of a failure where a PIN was to be changed: what a token cannot do is not the site's fault.
[[nodiscard]] std::string pin_failure_words(Language language, ipc::TokenInfo const& token, Errc code);

/// While the token is at operation `number` (from 1) of `total`.
[[nodiscard]] std::string work_words(Language language, std::uint32_t number, std::uint32_t total);
/// After a PIN was changed, or the password of a file.
[[nodiscard]] std::string pin_changed_words(Language language, bool of_file);
/// That the token plugged in is not the one that is meant.
[[nodiscard]] std::string other_token_words(Language language);

} // namespace tamga::prompt
