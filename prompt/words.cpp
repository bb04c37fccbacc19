#include "prompt/words.hpp"

#include "base/date.hpp"
#include "prompt/visible.hpp"

#include <array>
#include <cstdio>

namespace tamga::prompt {

namespace {

using ipc::Purpose;

std::string with_decimal(Language language, double value) {
    std::array<char, 32> buffer{};
    std::snprintf(buffer.data(), buffer.size(), "%.1f", value);
    std::string number{buffer.data()};
    if (auto const point = number.find('.'); language != Language::en && point != std::string::npos)
        number[point] = ',';
    return number;
}

/// A label and its value, where there is one.
void add(std::vector<std::string>& details, Language language, char const* pattern, std::string const& value) {
    if (!value.empty()) details.push_back(text(language, pattern, {visible_line(value)}));
}

bool is_command(Sheet const& sheet) {
    return sheet.request.origin.empty();
}

std::string digest_words(std::string_view oid) {
    auto const algorithm = signing::digest_by_oid(oid);
    if (algorithm == signing::DigestAlgorithm::sha256) return "SHA-256";
    if (algorithm == signing::DigestAlgorithm::streebog256) return "Streebog-256";
    if (algorithm == signing::DigestAlgorithm::streebog512) return "Streebog-512";
    return visible_line(oid);
}

std::string use_words(Language language, signing::Certificate const& certificate) {
    bool const signs = certificate.has_extended_key_usage(signing::eku_email_protection);
    bool const signs_in = certificate.has_extended_key_usage(signing::eku_client_auth);
    if (signs == signs_in) return {};
    return std::string{signs ? text(language, "Key for signing") : text(language, "Key for signing in")};
}

/// "My token (Kaztoken)": the label the owner knows it by, and what kind of token it is.
std::string token_words(Language language, ipc::TokenInfo const& token) {
    auto const label = visible_line(token.label);
    auto const& family = token.family_name.in(language);
    auto const kind = is_key_file(token) ? std::string{text(language, "key file")}
                                         : visible_line(family.empty() ? token.storage : family);
    return label.empty() ? kind : kind.empty() ? label : label + " (" + kind + ")";
}

} // namespace

std::string size_words(Language language, std::size_t octets) {
    if (octets < 1024) return text(language, "%1 bytes", {std::to_string(octets)});
    auto const size = static_cast<double>(octets);
    if (octets < std::size_t{1024} * 1024) return text(language, "%1 KB", {with_decimal(language, size / 1024)});
    return text(language, "%1 MB", {with_decimal(language, size / 1024 / 1024)});
}

std::string day_words(std::int64_t seconds_since_1970) {
    return format_local(seconds_since_1970, "%d.%m.%Y");
}

std::string asker_words(Sheet const& sheet) {
    if (!is_command(sheet)) return visible_origin(sheet.request.origin);
    return std::string{text(sheet.request.language, "A command on this computer")};
}

std::string purpose_words(Sheet const& sheet) {
    auto const language = sheet.request.language;
    auto const& documents = sheet.documents;
    auto const size = size_words(language, documents.total_size());
    switch (sheet.request.purpose) {
    case Purpose::site: return std::string{text(language, "The site wants to use the tokens of this computer.")};
    case Purpose::choose_key:
        if (is_command(sheet)) {
            return std::string{text(language, "A command wants to see one of your certificates. Nothing is signed.")};
        }
        return std::string{text(language, "The site wants to see one of your certificates. Nothing is signed.")};
    case Purpose::sign_in: return std::string{text(language, "Sign in to the site with your key.")};
    case Purpose::sign:
        if (documents.count() == 1 && !documents.title(0).empty()) {
            return text(language, "Sign one document: %1 (%2).", {visible_line(documents.title(0)), size});
        }
        if (documents.count() == 1) return text(language, "Sign one document (%1).", {size});
        return text(language, "Sign several documents: %1 (%2 in all).", {std::to_string(documents.count()), size});
    case Purpose::choose_file:
        return std::string{text(language, "The site asks you to choose a file to be signed. Nothing is signed yet: you "
                                          "will be asked before.")};
    case Purpose::key_work:
        if (is_command(sheet)) return std::string{text(language, "A command wants to work on the keys of a token:")};
        return std::string{text(language, "The site wants to work on the keys of a token:")};
    case Purpose::change_pin:
        return std::string{text(language, "Change the password of a key file, or the PIN of a token.")};
    case Purpose::unblock_pin:
        return std::string{text(language, "Set a new PIN on a token whose PIN is locked. The administrator PIN is "
                                          "needed for that.")};
    }
    return {};
}

std::string site_words(Sheet const& sheet) {
    if (!sheet.request.site_is_new) return {};
    return std::string{text(sheet.request.language,
                            "This site is new: it has not asked before. If you agree, it will be "
                            "remembered as allowed.")};
}

std::string look_alike_words(Sheet const& sheet) {
    if (sheet.request.resembles.empty()) return {};
    return text(sheet.request.language,
                "Caution: the address looks like %1, but it is another site. If you meant %1, cancel.",
                {visible_origin(sheet.request.resembles)});
}

std::string service_words(Sheet const& sheet) {
    using ipc::Classified;
    auto const language = sheet.request.language;
    auto const& service = sheet.request.service;
    auto const named = [&](char const* classification) {
        auto words = text(language, "Public service: %1.", {visible_line(service.name)});
        words.append(" ").append(text(language, classification));
        words.append(" ").append(text(language, "Classified by: %1.", {visible_line(service.body)}));
        if (service.inferred) {
            words.append(" ").append(
                text(language, "The site does not name it: it is the only service known of this site."));
        }
        return words;
    };
    switch (service.classified) {
    case Classified::not_asked: return {};
    case Classified::unclassified:
        return std::string{text(language, "The site does not say for which public service this is, so it is not known "
                                          "whether that needs your signature.")};
    case Classified::document:
        if (is_command(sheet)) return {};
        return std::string{text(language, "The site says: this is a document, not a request for a public service.")};
    case Classified::key_account:
        return std::string{text(language, "The site says: this is for the account of your keys, not a request for a "
                                          "public service.")};
    case Classified::eds: return named(message_id("It needs an electronic signature."));
    case Classified::one_time_password:
        return named(message_id("It needs a one-time password; an electronic signature is accepted in its place."));
    case Classified::no_method:
        return named(message_id("For the channel it is received by, the law names no way to confirm it."));
    }
    return {};
}

std::string principal_words(Sheet const& sheet) {
    auto const& [name, id_number, authority] = sheet.request.principal;
    std::string whom;
    for (auto const* part : {&name, &id_number, &authority}) {
        if (!part->empty()) whom.append(whom.empty() ? "" : ", ").append(visible_line(*part));
    }
    if (whom.empty()) return {};
    return text(sheet.request.language, "The site says, and nobody has verified it, that you act on behalf of: %1",
                {whom});
}

std::string common_warning(Question const& question) {
    Choice const* first = nullptr;
    std::size_t keys = 0;
    for (auto const& choice : question.choices) {
        if (choice.obstacle) continue;
        if (first == nullptr) first = &choice;
        if (choice.warning != first->warning) return {};
        ++keys;
    }
    return keys > 1 ? first->warning : std::string{};
}

std::string list_words(Language language, Question const& question) {
    for (auto const& choice : question.choices) {
        if (choice.certificate) return std::string{text(language, "&Key")};
    }
    if (!question.choices.empty() && is_key_file(question.choices.front().token)) {
        return std::string{text(language, "&Key file (its keys are shown after the password)")};
    }
    return std::string{text(language, "&Token (its keys are shown after the PIN)")};
}

std::string accept_words(Sheet const& sheet, Choice const* choice) {
    auto const language = sheet.request.language;
    bool const is_of_a_key = !is_about_token(sheet.request.purpose);
    if (is_of_a_key && choice != nullptr && !choice->certificate) return std::string{text(language, "C&ontinue")};
    switch (sheet.request.purpose) {
    case Purpose::site: return std::string{text(language, "&Allow")};
    case Purpose::choose_key: return std::string{text(language, "S&how the certificate")};
    case Purpose::sign_in: return std::string{text(language, "&Sign in")};
    case Purpose::sign: return std::string{text(language, "&Sign")};
    case Purpose::choose_file: return std::string{text(language, "&Open")};
    case Purpose::key_work: return std::string{text(language, "A&gree")};
    case Purpose::change_pin: return std::string{text(language, "C&hange the PIN")};
    case Purpose::unblock_pin: return std::string{text(language, "S&et the new PIN")};
    }
    return {};
}

std::string unseen_words(Sheet const& sheet, std::size_t index) {
    auto const language = sheet.request.language;
    auto const& documents = sheet.documents;
    auto const digest = to_hex(documents.shown_digest(index));
    if (documents.digested()) return text(language, "Digest: %1", {digest});
    auto const size = size_words(language, documents.size(index));
    auto const type = visible_line(documents.media_type(index));
    auto words = type.empty() ? text(language, "Type: unknown\nSize: %1", {size})
                              : text(language, "Type: %1\nSize: %2", {type, size});
    auto const& made = documents.digests(index);
    if (made.empty()) return words + "\nSHA-256: " + digest;
    for (auto const& each : made)
        words += '\n' + digest_words(each.algorithm) + ": " + to_hex(each.value);
    return words;
}

std::string unseen_warning(Sheet const& sheet) {
    auto const language = sheet.request.language;
    if (is_command(sheet)) {
        return std::string{text(language, "This content cannot be shown: you cannot see here what you sign. Agree only "
                                          "if you started the command yourself.")};
    }
    if (sheet.documents.digested()) {
        return std::string{text(language, "The site sent only a digest, not the document: you cannot see here what you "
                                          "sign. Agree only if you trust the site.")};
    }
    return std::string{text(language,
                            "This content cannot be shown as text: you cannot see here what you sign. Agree only "
                            "if you trust the site.")};
}

std::string no_preview_warning(Sheet const& sheet) {
    if (is_command(sheet)) return unseen_warning(sheet);
    return std::string{text(sheet.request.language,
                            "The preview of this document cannot be shown: you cannot see here what you sign. Agree "
                            "only if you trust the site.")};
}

std::string page_words(Language language, std::uint32_t page, std::uint32_t pages) {
    if (pages == 0) return {};
    return text(language, "Page %1 of %2", {std::to_string(page + 1), std::to_string(pages)});
}

std::string cut_words(Language language) {
    return text(language, "Only the first %1 characters are shown; the whole document is signed.",
                {std::to_string(max_shown_characters)});
}

std::string file_words(Language language, FileUse use) {
    switch (use) {
    case FileUse::key: return std::string{text(language, "Choose the &file with your key (.p12, .pfx)")};
    case FileUse::document: return std::string{text(language, "Choose the &file")};
    }
    return {};
}

std::string safety_words(Language language) {
    return std::string{text(language, "A token is safer than a file: a file can be copied unnoticed, and whoever has a "
                                      "copy can try passwords for as long as they like.")};
}

std::string pin_label(Language language, Choice const& choice) {
    return std::string{is_key_file(choice.token) ? text(language, "&Password:") : text(language, "&PIN:")};
}

std::string reveal_label(Language language, Choice const& choice) {
    return std::string{is_key_file(choice.token) ? text(language, "Sho&w the password")
                                                 : text(language, "Sho&w the PIN")};
}

std::string group_words(Language language, Choice const& choice) {
    if (!choice.certificate) return std::string{text(language, "Keys that are shown after the PIN")};
    if (choice.certificate->bin().empty()) return std::string{text(language, "Keys of a person")};
    auto const organisation = visible_line(choice.certificate->organisation());
    return text(language, "Keys of an organisation: %1",
                {organisation.empty() ? visible_line(choice.certificate->bin()) : organisation});
}

std::string choice_title(Language language, Choice const& choice) {
    if (!choice.certificate) {
        auto const token = token_words(language, choice.token);
        return token.empty() ? std::string{text(language, "Token without a name")} : token;
    }
    auto const name = visible_line(choice.certificate->common_name());
    auto const patronymic = visible_line(choice.certificate->patronymic());
    if (name.empty()) return std::string{text(language, "Certificate without a name")};
    return patronymic.empty() ? name : name + ' ' + patronymic;
}

std::vector<std::string> choice_details(Language language, Choice const& choice) {
    std::vector<std::string> details;
    if (!choice.certificate) return details;
    auto const& certificate = *choice.certificate;
    add(details, language, message_id("IIN %1"), certificate.iin());
    add(details, language, message_id("BIN %1"), certificate.bin());
    if (auto organisation = certificate.organisation(); !organisation.empty()) {
        details.push_back(visible_line(organisation));
    }
    if (auto use = use_words(language, certificate); !use.empty()) details.push_back(use);
    details.push_back(text(language, "valid until %1", {day_words(certificate.not_after())}));
    details.push_back(token_words(language, choice.token));
    return details;
}

std::string pin_words(Language language, Choice const& choice) {
    if (choice.pin == PinEntry::none) return {};
    auto const& token = choice.token;
    if (is_lock_remembered(token)) return locked_words(language, token);
    if (is_last_attempt(token)) {
        return std::string{text(language, "Last attempt: another wrong PIN locks the token.")};
    }
    std::string words;
    if (token.attempts_left)
        words = text(language, "Attempts left: %1.", {std::to_string(*token.attempts_left)});
    else if (token.wrong_tries_seen != 0)
        words = text(language, "Wrong PINs typed here: %1. Fewer attempts than usual may remain.",
                     {std::to_string(token.wrong_tries_seen)});
    else if (token.pin_count_low)
        words = text(language, "A wrong PIN was typed before.");
    if (choice.pin != PinEntry::on_reader) return words;
    std::string const where{text(language, "The PIN will be typed on the keypad of the reader.")};
    return words.empty() ? where : where + ' ' + words;
}

Confirmation attempt_confirmation(Language language, ipc::TokenInfo const& token) {
    if (is_last_attempt(token)) {
        return {std::string{text(language, "This is the last attempt: if the PIN is wrong, the token is locked. Are "
                                           "you sure of the PIN?")},
                std::string{text(language, "&Use the last attempt")}};
    }
    if (is_lock_remembered(token)) {
        return {std::string{text(language, "The PIN of this token was locked when it was typed last. Go on only if it "
                                           "was unlocked with another program since. Was it?")},
                std::string{text(language, "&Use this PIN")}};
    }
    return {
        text(language,
             "Wrong PINs typed here: %1. The token does not tell how many attempts remain: another wrong PIN may lock "
             "it. Are you sure of the PIN?",
             {std::to_string(token.wrong_tries_seen)}),
        std::string{text(language, "&Use this PIN")}};
}

std::string factory_pin_words(Language language) {
    return std::string{text(language, "Your token still has the PIN it was delivered with, which is publicly known: "
                                      "whoever holds the token can sign as you. Change it: tamga pin change.")};
}

std::string locked_words(Language language, ipc::TokenInfo const& token) {
    std::string words{text(language, "The PIN is locked after too many wrong attempts.")};
    words.append(" ").append(unblocking_words(token.unblocking, language));
    if (token.unblocking == Unblocking::so_pin) {
        words.append(" ").append(text(language, "Or here: tamga keys unblock."));
    }
    if (!is_lock_remembered(token)) return words;
    return words.append(" ").append(text(language, "If it was unlocked already, change it once: tamga pin change."));
}

std::string doubt_words(Language language, Errc doubt) {
    if (doubt == Errc::issuer_missing) {
        return text(
            language,
            "The issuer's certificate is missing on this computer, so this one could not be checked. To add it: "
            "tamga ca add FILE",
            {});
    }
    return std::string{text(language, "Whether it was revoked is not known yet; that is asked while you sign.")};
}

std::string typing_words(Language language, bool caps_lock, bool not_latin) {
    std::string words;
    if (caps_lock) words = text(language, "Caps Lock is on.");
    if (!not_latin) return words;
    return words.append(words.empty() ? "" : " ")
        .append(text(language, "These letters are not Latin: check the keyboard layout."));
}

std::string misfit_words(Language language, signing::Misfit misfit) {
    using signing::Misfit;
    switch (misfit) {
    case Misfit::usage: return std::string{text(language, "The key is for another use than the site asks for.")};
    case Misfit::person: return std::string{text(language, "The site asks for the key of another person.")};
    case Misfit::organisation: return std::string{text(language, "The site asks for the key of another organisation.")};
    case Misfit::serial_number: return std::string{text(language, "The site asks for another certificate.")};
    case Misfit::role:
        return std::string{text(language, "The key does not give its owner the role that the service asks for. Whom it "
                                          "accepts, the owner of the portal's system knows.")};
    case Misfit::not_yet_valid: return std::string{text(language, "The certificate is not valid yet.")};
    case Misfit::expired: return std::string{text(language, "The certificate has expired.")};
    }
    return {};
}

std::string remember_terms(Language language, Choice const& choice) {
    return text(
        language,
        "For %1 minutes at most, %2 without a use. Ends when the token is taken out, the screen is locked or the "
        "computer sleeps.",
        {std::to_string(choice.token.remember_s / 60), std::to_string(choice.token.remember_unused_s / 60)});
}

} // namespace tamga::prompt
