// What a page can ask, typed: the outcome of parsing any dialect, and what the flow gives back to be rendered.
// JSON exists in protocol/ only; nothing here knows a socket or a token.
#pragma once

#include "base/bytes.hpp"
#include "base/messages.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace tamga::protocol {

/// The greeting of NCALayer 1.4, sent with the accepted upgrade.
inline constexpr std::string_view greeting = R"({"result":{"version":"1.4"}})";

/// Which storages have a token now.
struct ListStorages {};

/// Describe a certificate the person chooses.
struct DescribeKey {
    std::vector<std::string> storages; ///< storage names; empty: all
    ipc::KeyFilter filter;
};

/// `authenticate`: our own statement of a sign-in (signing/to_be_signed.hpp), which is not for documents.
enum class Format : std::uint8_t { cms, xml, raw, authenticate };

/// What a page says a signature is for (docs/glossary.md). `unnamed`: its protocol has no word for it (NCALayer's).
enum class Use : std::uint8_t { unnamed, sign_in, service_request, key_account, document };

/// Somebody the signer acts for: the page's own claim, shown as such and matched with nothing.
struct OnBehalfOf {
    std::string name;
    std::string id_number; ///< IIN or BIN
    std::string authority; ///< what empowers the signer, in the page's words
};

/// What the page says of its request beside the documents.
struct Claim {
    Use use = Use::unnamed;
    std::string service; ///< identifier in the catalogue; only with service_request
    OnBehalfOf on_behalf_of;
};

/// Documents to be signed with one consent and one PIN.
struct Sign {
    std::vector<std::string> storages; ///< storage names; empty: all
    ipc::KeyFilter filter;
    ipc::Purpose purpose = ipc::Purpose::sign; ///< sign_in where only authentication certificates fit
    Format format{};
    std::string file;             ///< handle of a chosen file, in the place of documents; mostly empty
    std::vector<Bytes> documents; ///< decoded; for xml the text as UTF-8; for `digested` the digests
    bool digested = false;
    bool attached = false;
    bool timestamp = false; ///< each signature of a cms is returned with a time-stamp, or none is
    bool cosign = false;    ///< a document that is itself a CMS gets a signer added (commonUtils)
    std::string to_be_signed_xpath;
    std::string signature_parent_xpath;
    std::vector<ipc::DocumentLabel> labels; ///< of the documents, in their order; or none
    Claim claim;
};

/// Have the person choose a file, to be signed by a later request of the same connection.
struct ChooseFile {};
/// Time-stamps for the signatures of a CMS that have none; no key is used.
struct ApplyTimestamps {
    Bytes cms;
};

/// What the flow must do. A text that was answered by parsing alone is `Answer`.
struct Answer {
    std::string text;
    std::optional<Errc> refused{}; ///< for the log, where the text says that nothing will be done
};
/// Nothing to do and nothing to say ("{}" keep-alive).
struct Silence {};

using Action = std::variant<Answer, Silence, ListStorages, DescribeKey, Sign, ChooseFile, ApplyTimestamps>;

/// What the flow gives back.
struct Storages {
    std::vector<std::string> names;
};
/// A certificate in words, finished by the flow: nothing here reads DER. Texts are UTF-8.
struct ChosenCertificate {
    std::string alias;
    std::string key_id;
    std::string algorithm; ///< "RSA"
    std::string subject_cn;
    std::string subject_dn;
    std::string issuer_cn;
    std::string issuer_dn;
    std::string iin; ///< of the owner, as the next; empty where the certificate names none
    std::string bin;
    std::vector<std::string> usages; ///< dotted: extendedKeyUsage
    std::string serial_number;       ///< lower-case hexadecimal
    std::int64_t not_before_ms = 0;  ///< since 1970 (UTC)
    std::int64_t not_after_ms = 0;
    std::string authority_key_identifier; ///< lower-case hexadecimal
    std::string pem;
};
/// What a page is given for a file: no path, and of use once, on its own connection.
struct ChosenFile {
    std::string handle;
};
struct SignedDocuments {
    std::vector<Bytes> values; ///< DER CMS, XML text, or raw signatures, in the order of the documents
    Bytes certificate;         ///< DER of the signer
    Bytes statement{};         ///< Format::authenticate: what was signed
};
/// How far a request is.
enum class Stage : std::uint8_t { asking, signing, stamping, key_work };
using Outcome = std::variant<Storages, ChosenCertificate, SignedDocuments, ChosenFile>;

} // namespace tamga::protocol
