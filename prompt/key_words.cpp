#include "prompt/key_words.hpp"

#include "base/explain.hpp"
#include "prompt/visible.hpp"
#include "prompt/words.hpp"
#include "signing/pkcs10.hpp"

#include <algorithm>

namespace tamga::prompt {

namespace {

std::string kind_words(Language language, ipc::PairKind kind) {
    switch (kind) {
    case ipc::PairKind::rsa_2048: return std::string{text(language, "RSA, 2048 bits")};
    case ipc::PairKind::ec_p256: return std::string{text(language, "EC, P-256")};
    case ipc::PairKind::gost2015_256: return std::string{text(language, "GOST 34.10-2015, 256 bits")};
    case ipc::PairKind::gost2015_512: return std::string{text(language, "GOST 34.10-2015, 512 bits")};
    }
    return {};
}

std::string use_words(Language language, ipc::PairUse use) {
    switch (use) {
    case ipc::PairUse::sign_in: return std::string{text(language, "for signing in")};
    case ipc::PairUse::sign: return std::string{text(language, "for signing documents")};
    case ipc::PairUse::both: return std::string{text(language, "for signing in and signing documents")};
    }
    return {};
}

/// Whose, until when, by whom: from the certificate itself.
std::string certificate_words(Language language, signing::Certificate const& certificate) {
    return text(language, "%1; valid until %2; issued by %3; number %4",
                {visible_line(certificate.subject_dn()), day_words(certificate.not_after()),
                 visible_line(certificate.issuer_common_name()), visible_line(certificate.serial_number())});
}

class Describer {
public:
    Describer(Sheet const& sheet, std::vector<Bytes> const& on_tokens)
        : m_language{sheet.request.language}, m_operations{sheet.request.operations}, m_on_tokens{on_tokens} {}

    std::string operator()(ipc::GeneratePair const& wanted) const {
        return text(
            m_language, "Make a new key pair on the token: %1, %2, named “%3”.",
            {kind_words(m_language, wanted.kind), use_words(m_language, wanted.use), visible_line(wanted.label)});
    }
    std::string operator()(ipc::SignCertificationRequest const& wanted) const {
        auto const subject = signing::name_in_words(wanted.subject).value_or(to_hex(wanted.subject));
        auto words = text(m_language, "Ask for a certificate for the key pair %1. Check that this is right: %2",
                          {pair_words(wanted.id), visible_line(subject)});
        if (!wanted.email.empty()) words += text(m_language, "; e-mail %1", {visible_line(wanted.email)});
        if (!wanted.key_store.empty())
            words += text(m_language, "; kind of key store %1", {visible_line(wanted.key_store)});
        return words;
    }
    std::string operator()(ipc::StoreCertificate const& wanted) const {
        auto const certificate = signing::Certificate::parse(wanted.certificate);
        auto const which = certificate ? certificate_words(m_language, *certificate) : to_hex(wanted.certificate);
        auto words = text(m_language, "Store a certificate next to its key: %1.", {which});
        if (wanted.trial) words.append(" ").append(text(m_language, "Then try whether the key signs."));
        return words;
    }
    std::string operator()(ipc::DeletePair const& wanted) const {
        return text(m_language,
                    "Delete a key pair from the token, for ever: %1. Nothing can be signed with it any more.",
                    {deleted_words(wanted)});
    }
    std::string operator()(ipc::SetLabel const& wanted) const {
        return text(m_language, "Name the key pair %1: “%2”.", {pair_words(wanted.id), visible_line(wanted.label)});
    }
    std::string operator()(ipc::ListPairs const& /*wanted*/) const {
        return std::string{text(m_language, "See which keys are on the token, those without a certificate too.")};
    }

private:
    /// By the name it will have, where it is to be made in the same go.
    [[nodiscard]] std::string pair_words(Bytes const& id) const {
        for (auto const& operation : m_operations) {
            auto const* const made = std::get_if<ipc::GeneratePair>(&operation);
            if (made != nullptr && made->id == id) return "“" + visible_line(made->label) + "”";
        }
        return text(m_language, "with the identifier %1", {to_hex(id)});
    }

    /// What the token itself says of it: nobody between can give it another name.
    [[nodiscard]] std::string deleted_words(ipc::DeletePair const& wanted) const {
        for (auto const& der : m_on_tokens) {
            auto const certificate = signing::Certificate::parse(der);
            if (certificate && signing::public_key_of(*certificate).der == wanted.public_key)
                return certificate_words(m_language, *certificate);
        }
        return text(m_language, "one without a certificate, with the identifier %1", {to_hex(wanted.id)});
    }

    Language m_language;
    std::vector<ipc::KeyOperation> const& m_operations;
    std::vector<Bytes> const& m_on_tokens;
};

} // namespace

std::string operations_words(Sheet const& sheet, std::vector<Bytes> const& on_tokens) {
    std::string words;
    std::size_t number = 0;
    bool const several = sheet.request.operations.size() > 1;
    for (auto const& operation : sheet.request.operations) {
        if (!words.empty()) words += "\n\n";
        if (several) words += std::to_string(++number) + ". ";
        words += std::visit(Describer{sheet, on_tokens}, operation);
    }
    return words;
}

std::string word_to_type(Sheet const& sheet) {
    auto const deletes = [](auto const& operation) { return std::holds_alternative<ipc::DeletePair>(operation); };
    if (std::ranges::none_of(sheet.request.operations, deletes)) return {};
    return std::string{text(sheet.request.language, "DELETE")};
}

std::string typing_request(Language language, std::string const& word) {
    return text(language, "T&ype %1 to confirm:", {word});
}

std::string typing_fault(Language language, std::string const& word) {
    return text(language, "Type the word %1 exactly as it stands here.", {word});
}

std::string old_pin_label(Sheet const& sheet, ipc::TokenInfo const& token) {
    auto const language = sheet.request.language;
    if (is_key_file(token)) return std::string{text(language, "Present &password:")};
    return std::string{sheet.request.purpose == ipc::Purpose::unblock_pin ? text(language, "Ad&ministrator PIN:")
                                                                          : text(language, "Present &PIN:")};
}

std::string new_pin_label(Language language, ipc::TokenInfo const& token) {
    return std::string{is_key_file(token) ? text(language, "&New password:") : text(language, "&New PIN:")};
}

std::string new_pin_again_label(Language language, ipc::TokenInfo const& token) {
    return std::string{is_key_file(token) ? text(language, "New password a&gain:") : text(language, "New PIN a&gain:")};
}

std::string new_pin_length(Language language, ipc::TokenInfo const& token) {
    if (token.shortest_pin == 0 || token.longest_pin == 0) return {};
    auto const* pattern = is_key_file(token) ? message_id("The new password has %1 to %2 characters.")
                                             : message_id("The new PIN has %1 to %2 characters.");
    return text(language, pattern, {std::to_string(token.shortest_pin), std::to_string(token.longest_pin)});
}

std::string new_pins_differ(Language language, ipc::TokenInfo const& token) {
    return std::string{is_key_file(token) ? text(language, "The new password and its repetition differ.")
                                          : text(language, "The new PIN and its repetition differ.")};
}

std::string pin_failure_words(Language language, ipc::TokenInfo const& token, Errc code) {
    if (is_key_file(token) && code == Errc::pin_length) return new_pin_length(language, token);
    if (is_key_file(token) && code == Errc::system) {
        return std::string{text(language, "The new key file could not be written. The old one and its password are as "
                                          "they were.")};
    }
    if (code == Errc::unsupported) {
        return std::string{text(language, "The PIN of this token can be changed only with the program of its maker.")};
    }
    return std::string{explain(language, code)};
}

std::string work_words(Language language, std::uint32_t number, std::uint32_t total) {
    return text(language,
                "The token is at work: step %1 of %2. This may take some minutes. Leave the token plugged in.",
                {std::to_string(number), std::to_string(total)});
}

std::string pin_changed_words(Language language, bool of_file) {
    return std::string{of_file ? text(language, "The new password holds from now on.")
                               : text(language, "The new PIN holds from now on.")};
}

std::string other_token_words(Language language) {
    return std::string{text(language, "This is another token than the one that is meant.")};
}

} // namespace tamga::prompt
