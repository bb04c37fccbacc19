#include "prompt/choices.hpp"

#include "prompt/key_words.hpp"
#include "prompt/words.hpp"

#include "base/explain.hpp"

#include <algorithm>
#include <compare>
#include <set>
#include <tuple>

namespace tamga::prompt {

namespace {

bool signs(Sheet const& sheet) {
    return sheet.request.purpose == ipc::Purpose::sign || sheet.request.purpose == ipc::Purpose::sign_in;
}

Obstacle obstacle_of(Language language, Errc code) {
    return {code, std::string{explain(language, code)}};
}

std::optional<Obstacle> obstacle_of(Sheet const& sheet, ipc::KeyFilter const& filter,
                                    signing::Certificate const& certificate, std::int64_t now) {
    auto const language = sheet.request.language;
    if (auto const misfit = signing::misfit(certificate, filter, now)) {
        auto const code = *misfit == signing::Misfit::role ? Errc::role_missing : Errc::key_not_found;
        return Obstacle{code, misfit_words(language, *misfit)};
    }
    if (auto const usable = signing::available(certificate.algorithm()); !usable) {
        return obstacle_of(language, usable.error().code);
    }
    auto const& documents = sheet.documents;
    for (std::size_t i = 0; i < documents.count(); ++i) {
        if (documents.suits(i, certificate.algorithm())) continue;
        return Obstacle{Errc::key_not_found,
                        std::string{text(language, "The digest the site sent does not suit this key.")}};
    }
    return std::nullopt;
}

void add_warning(Choice& choice, std::string words) {
    choice.warning += (choice.warning.empty() ? "" : " ") + std::move(words);
}

/// What the certificate does not say itself: its chain, and whether it was revoked.
void judge(Choice& choice, Sheet const& sheet, Knowledge const& known, std::int64_t now) {
    auto const& request = sheet.request;
    auto const strictness = request.strict ? signing::Strictness::strict : signing::Strictness::lenient;
    auto const judgement =
        signing::judge(*choice.certificate, request.filter, known.trusted, known.revocation, strictness, now);
    if (judgement.refusal && !choice.obstacle) choice.obstacle = obstacle_of(request.language, *judgement.refusal);
    if (judgement.doubt) add_warning(choice, doubt_words(request.language, *judgement.doubt));
}

std::optional<Obstacle> obstacle_of(Language language, ipc::TokenInfo const& token) {
    if (token.pin_locked) return Obstacle{Errc::pin_locked, locked_words(language, token)};
    if (!token.pin_initialized) {
        return Obstacle{Errc::key_not_found, std::string{text(language, "The token has no PIN yet: set it up first.")}};
    }
    return std::nullopt;
}

/// One choice for each certificate. One that cannot be read stands for its token, so that the person sees that it was
/// not overlooked.
std::vector<Choice> keys_of(Sheet const& sheet, Choice const& token, std::vector<Bytes> const& certificates,
                            Knowledge const& known, std::int64_t now) {
    std::vector<Choice> choices;
    for (auto const& der : certificates) {
        auto choice = token;
        if (auto certificate = signing::Certificate::parse(der)) {
            choice.certificate = std::move(*certificate);
            if (auto found = obstacle_of(sheet, sheet.request.filter, *choice.certificate, now))
                choice.obstacle = std::move(found);
            judge(choice, sheet, known, now);
        } else {
            choice.obstacle = obstacle_of(sheet.request.language, Errc::mechanism_unsupported);
        }
        choices.push_back(std::move(choice));
    }
    return choices;
}

/// What keys are grouped by: nothing for a token whose keys are not known, then persons, then each organisation.
struct Group {
    int kind = 0;
    std::string organisation; ///< BIN
    auto operator<=>(Group const&) const = default;
};

Group group_of(Choice const& choice) {
    if (!choice.certificate) return {2, {}};
    auto bin = choice.certificate->bin();
    return {bin.empty() ? 0 : 1, std::move(bin)};
}

/// By owner, and what cannot be chosen behind what can: among the keys of one, and a whole group behind the others.
/// What was found first stays first where nothing tells two apart.
void sort_by_owner(std::vector<Choice>& choices) {
    std::set<Group> usable;
    for (auto const& choice : choices) {
        if (!choice.obstacle) usable.insert(group_of(choice));
    }
    auto const order = [&usable](Choice const& choice) {
        auto group = group_of(choice);
        bool const is_hopeless = !usable.contains(group);
        auto iin = choice.certificate ? choice.certificate->iin() : std::string{};
        return std::tuple{is_hopeless, std::move(group), choice.obstacle.has_value(), std::move(iin)};
    };
    std::ranges::stable_sort(choices, {}, order);
}

} // namespace

Knowledge Knowledge::load(bool user_authorities) {
    using signing::UserAuthorities;
    return {signing::TrustSet::load(signing::TrustFolders::here(),
                                    user_authorities ? UserAuthorities::counted : UserAuthorities::left_out),
            signing::RevocationCache{signing::RevocationCache::default_folder()}};
}

std::vector<Choice> choices_before_pin(Sheet const& sheet, std::vector<FoundToken> const& tokens,
                                       Knowledge const& known, std::int64_t now) {
    std::vector<Choice> choices;
    for (auto const& [module, slot, info, certificates] : tokens) {
        Choice choice{module, slot, info, {}, {}, {}, PinEntry::none};
        if (signs(sheet) || certificates.empty()) {
            choice.pin = info.pin_on_reader ? PinEntry::on_reader : PinEntry::typed;
            choice.obstacle = obstacle_of(sheet.request.language, info);
        }
        if (certificates.empty()) choices.push_back(choice);
        for (auto& key : keys_of(sheet, choice, certificates, known, now))
            choices.push_back(std::move(key));
    }
    sort_by_owner(choices);
    return choices;
}

bool follow(Question& question, TokenNews const& news, std::vector<Choice> found) {
    auto& choices = question.choices;
    auto const is_gone = [&news](Choice const& choice) {
        return std::ranges::find(news.gone, TokenPlace{choice.module, choice.slot}) != news.gone.end();
    };
    bool stays = true;
    if (question.chosen) {
        auto const chosen = choices.begin() + static_cast<std::ptrdiff_t>(*question.chosen);
        stays = !is_gone(*chosen);
        *question.chosen -= static_cast<std::size_t>(std::count_if(choices.begin(), chosen, is_gone));
    }
    if (!stays) question.chosen.reset();
    std::erase_if(choices, is_gone);
    for (auto const& token : news.seen_again) {
        for (auto& choice : choices) {
            if (choice.module == token.module && choice.slot == token.slot) choice.token = token.info;
        }
    }
    for (auto& choice : found)
        choices.push_back(std::move(choice));
    return stays;
}

std::vector<Choice> token_choices(Sheet const& sheet, std::vector<FoundToken> const& tokens) {
    auto const& request = sheet.request;
    std::vector<Choice> choices;
    for (auto const& token : tokens) {
        Choice choice{token.module, token.slot, token.info, {}, {}, {}, PinEntry::typed};
        if (token.info.pin_on_reader) choice.pin = PinEntry::on_reader;
        // A PIN that is locked, or was never set, is what unblocking is for. Whether one was unlocked meanwhile shows
        // where it is changed: a token that is still locked has no attempts that could be lost.
        bool const may_be_unlocked = request.purpose == ipc::Purpose::change_pin && is_lock_remembered(token.info);
        if (request.purpose != ipc::Purpose::unblock_pin && !may_be_unlocked) {
            choice.obstacle = obstacle_of(request.language, token.info);
        }
        if (!request.token_serial.empty() && request.token_serial != token.info.serial) {
            choice.obstacle = Obstacle{Errc::token_absent, other_token_words(request.language)};
        }
        choices.push_back(std::move(choice));
    }
    return choices;
}

std::vector<Choice> choices_after_pin(Sheet const& sheet, Choice const& unlocked,
                                      std::vector<Bytes> const& certificates, Knowledge const& known,
                                      std::int64_t now) {
    auto token = unlocked;
    token.pin = PinEntry::none;
    auto choices = keys_of(sheet, token, certificates, known, now);
    sort_by_owner(choices);
    return choices;
}

void admit_only_key(std::vector<Choice>& choices, Sheet const& sheet, Knowledge const& known, std::int64_t now) {
    auto const& request = sheet.request;
    if (request.purpose != ipc::Purpose::sign_in || request.strict) return;
    if (choices.size() != 1 || !choices.front().certificate) return;
    auto const& certificate = *choices.front().certificate;
    if (signing::misfit(certificate, request.filter, now) != signing::Misfit::usage) return;
    auto filter = request.filter;
    std::erase(filter.extended_key_usages, signing::eku_client_auth);
    auto choice = choices.front();
    choice.obstacle = choice.pin == PinEntry::none ? std::nullopt : obstacle_of(request.language, choice.token);
    if (auto found = obstacle_of(sheet, filter, certificate, now)) choice.obstacle = std::move(found);
    choice.warning =
        std::string{text(request.language, "This key is marked for signing documents, not for signing in; it "
                                           "is the only one here.")};
    judge(choice, sheet, known, now);
    if (!choice.obstacle) choices.front() = std::move(choice);
}

bool same_group(Choice const& one, Choice const& other) {
    return group_of(one) == group_of(other);
}

std::optional<std::size_t> only_choice(std::vector<Choice> const& choices) {
    auto const can_be_chosen = [](Choice const& choice) { return !choice.obstacle; };
    if (std::ranges::count_if(choices, can_be_chosen) != 1) return std::nullopt;
    return static_cast<std::size_t>(std::ranges::find_if(choices, can_be_chosen) - choices.begin());
}

std::optional<Errc> hopeless(std::vector<Choice> const& choices) {
    auto code = Errc::key_not_found;
    for (auto const& choice : choices) {
        if (!choice.obstacle) return std::nullopt;
        for (auto const telling : {Errc::role_missing, Errc::pin_locked, Errc::algorithm_unavailable,
                                   Errc::issuer_missing, Errc::certificate_untrusted, Errc::certificate_revoked}) {
            if (choice.obstacle->code == telling) code = telling;
        }
    }
    return code;
}

} // namespace tamga::prompt
