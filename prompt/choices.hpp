// From what lies on the tokens to what the person can choose.
#pragma once

#include "prompt/plugged_in.hpp"
#include "prompt/sheet.hpp"
#include "signing/judge.hpp"

namespace tamga::prompt {

/// What this computer knows of authorities and revocation.
struct Knowledge {
    signing::TrustSet trusted;
    signing::RevocationCache revocation{{}};

    /// From this computer's folders, those of the person only where they count. Blocking: some small files.
    [[nodiscard]] static Knowledge load(bool user_authorities);
};

/// Every certificate of `tokens` as a choice: those of persons, then those of each organisation, and last the tokens
/// whose keys are not known yet. What cannot be chosen comes with the reason, last in its group; a group of nothing
/// else comes behind the others. A token of which none could be read is a choice itself, because its keys may appear
/// after its PIN. `now`: seconds since 1970.
[[nodiscard]] std::vector<Choice> choices_before_pin(Sheet const& sheet, std::vector<FoundToken> const& tokens,
                                                     Knowledge const& known, std::int64_t now);

/// Brings `question` up to date: the choices of tokens that are gone go, what is known of the others is renewed, and
/// `found` come behind them: nothing moves under a hand that points.
/// @return false where the chosen one is gone: nothing is chosen then.
[[nodiscard]] bool follow(Question& question, TokenNews const& news, std::vector<Choice> found);

/// The tokens themselves, none of their keys. What another one than PromptRequest::token_serial is cannot be chosen.
[[nodiscard]] std::vector<Choice> token_choices(Sheet const& sheet, std::vector<FoundToken> const& tokens);

/// The keys of `unlocked` once it is: no PIN is asked for any more.
[[nodiscard]] std::vector<Choice> choices_after_pin(Sheet const& sheet, Choice const& unlocked,
                                                    std::vector<Bytes> const& certificates, Knowledge const& known,
                                                    std::int64_t now);

/// Whoever has one key for everything has no other to sign in with, though it may be marked for documents alone: where
/// `choices` are all there is and that is one key, it can be chosen after a warning (ADR 19).
void admit_only_key(std::vector<Choice>& choices, Sheet const& sheet, Knowledge const& known, std::int64_t now);

/// Whether a heading stands between two that follow each other: they belong to a person and to an organisation, or to
/// two organisations.
[[nodiscard]] bool same_group(Choice const& one, Choice const& other);

/// The one that can be chosen, where there is exactly one.
[[nodiscard]] std::optional<std::size_t> only_choice(std::vector<Choice> const& choices);

/// Why nothing can be chosen; nothing where something can.
[[nodiscard]] std::optional<Errc> hopeless(std::vector<Choice> const& choices);

} // namespace tamga::prompt
