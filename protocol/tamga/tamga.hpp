// tamga.v1, the protocol of our own: JSON-RPC 2.0 over WebSocket messages, strict where NCALayer's forgives. What is
// spoken is described in docs/tamga-v1.md and, for programs, in openrpc.json beside this file.
#pragma once

#include "base/tree.hpp"
#include "protocol/request.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace tamga::protocol::v1 {

/// The WebSocket sub-protocol (RFC 6455, section 1.9).
inline constexpr std::string_view subprotocol = "tamga.v1";
/// Of what is spoken: the second number counts what was added (docs/tamga-v1.md, "Versions").
inline constexpr std::string_view version = "1.0";

inline constexpr std::size_t max_documents = 10'000;
inline constexpr std::size_t longest_title = 1000;     ///< octets
inline constexpr std::size_t longest_name = 200;       ///< octets of other texts that are shown
inline constexpr std::size_t longest_identifier = 128; ///< octets of an id, a service, a media type ...

/// What a request is called by the page that makes it.
using Id = std::variant<std::int64_t, std::string>;

// ---- what a page can ask ----

struct Hello {
    std::optional<Language> language; ///< of everything that is said on this connection from now on
    ipc::Terminal terminal;           ///< of a command that has no display; else empty
};
struct ListTokens {};
struct SubscribeToTokens {};
struct UnsubscribeFromTokens {};
/// The person chooses which certificate the page is shown.
struct ListCertificates {
    DescribeKey wanted;
};
/// Of a document that was uploaded the octets are still missing in `sign`: its place in `uploads` has the name of the
/// upload. Empty where the document is there.
struct SignDocuments {
    Sign sign;
    std::vector<std::string> uploads;
};
struct Authenticate {
    Bytes challenge;
    ipc::KeyFilter filter;
    std::vector<std::string> storages;
};
struct BeginUpload {
    std::uint64_t size = 0;
    ipc::DocumentLabel label;
    std::vector<std::string> digests; ///< dotted identifiers; empty: all that this computer can make
};
struct EndUpload {
    std::string upload;
};
struct DropUpload {
    std::string upload;
};
/// Octets, or the name of an upload that brought them.
struct Source {
    Bytes octets;
    std::string upload;
};
struct Verify {
    Source signed_document;
    std::optional<Source> content;
    std::optional<std::int64_t> at; ///< seconds since 1970
};
struct Cancel {
    Id id;
};

/// For commands: the address of a page that shows the tokens.
struct LinkToStatus {};

// Work on the keys themselves: for commands, and for the few sites that the administrator of the computer has named.

/// Which token; what is empty leaves it to the person.
struct TokenWanted {
    std::string storage;
    std::string serial;
};
/// Which pairs and certificates are on a token: the window asks for its PIN.
struct ListKeys {
    TokenWanted token;
};
/// A pair that comes after that of a certificate.
struct PairWanted {
    Bytes certificate;                 ///< the present one, DER
    std::optional<ipc::PairKind> kind; ///< that of the present one where it is not said
};
struct RenewKeys {
    TokenWanted token;
    std::vector<PairWanted> keys;
    std::string email;
    std::string application; ///< the number of one to be gone on with; then the rest is empty
};
struct InstallCertificates {
    TokenWanted token;
    std::vector<Bytes> files; ///< DER, PEM or PKCS#7
    std::string application;  ///< its number; empty: the one that waits for these certificates
};
/// A pair by its identifier (CKA_ID) and its public key.
struct DeleteKey {
    TokenWanted token;
    Bytes id;
    Bytes public_key;
};
struct LabelKey {
    TokenWanted token;
    Bytes id;
    std::string label;
};
struct ChangePin {
    TokenWanted token;
};
struct UnblockPin {
    TokenWanted token;
};
struct ListApplications {};
struct ShowApplication {
    std::string application;
};
struct NoteSubmission {
    std::string application;
    std::string portal_number;
};

using Method = std::variant<Hello, ListTokens, SubscribeToTokens, UnsubscribeFromTokens, ListCertificates,
                            SignDocuments, Authenticate, BeginUpload, EndUpload, DropUpload, Verify, Cancel, ListKeys,
                            RenewKeys, InstallCertificates, DeleteKey, LabelKey, ChangePin, UnblockPin,
                            ListApplications, ShowApplication, NoteSubmission, LinkToStatus>;

/// Who may ask for it.
enum class Reserved : std::uint8_t {
    no,       ///< every site that the person allows
    granted,  ///< commands, and sites that may manage keys
    commands, ///< commands alone
};
[[nodiscard]] Reserved reserved(Method const& method) noexcept;

/// The name on the wire: "tokens.list".
[[nodiscard]] std::string_view name_of(Method const& method) noexcept;

struct Request {
    Id id;
    Method method;
};

/// Why something went no further. `detail` is for the page: it speaks of nothing but the page's own request.
struct Fault {
    int code = 0; ///< of JSON-RPC, or code_of(word)
    Errc word{};
    std::string detail;
};

/// What could not be understood. No id where there was none to be found.
struct Refusal {
    std::optional<Id> id;
    Fault fault;
};

/// The number of an error on this wire, which stays the same for ever: -33001 and below.
[[nodiscard]] int code_of(Errc word) noexcept;
/// What a page is told of an error: its detail at most where that is about the page's own request.
[[nodiscard]] Fault fault_of(Error const& error);

/// Parses one text message. Total. Blocking, linear in size; `text` is taken by value and freed as soon as it was read.
/// A member that nobody knows is an error which names it.
[[nodiscard]] std::variant<Request, Refusal> parse(std::string text);

// ---- what a page is told ----

/// Which token of its kind it is.
struct TokenDetails {
    std::string label;
    std::string manufacturer;
    std::string model;
    std::string serial;
    bool pin_locked = false;
    std::optional<std::uint8_t> attempts_left;

    bool operator==(TokenDetails const&) const = default;
};

/// A token that is plugged in. To a page goes what it needs to tell the person which one to take; the rest is for
/// commands of this computer.
struct Token {
    std::string storage;
    std::string family;
    std::string name;                    ///< of the family, in the language of the connection
    std::optional<TokenDetails> details; ///< for commands

    bool operator==(Token const&) const = default;
};

struct Greeting {
    std::string build;
    std::string site; ///< "allowed", "new", "refused", or "local" for a command
    Language language{};
    std::vector<std::string> algorithms; ///< of keys that can sign here: "RSA"
    std::vector<std::string> digests;    ///< dotted identifiers that an upload can have
    std::uint64_t message_octets = 0;    ///< largest message
    std::uint64_t kept_octets = 0;       ///< largest document that is shown
};
struct Tokens {
    std::vector<Token> tokens;
};
struct Signatures {
    Format format{};
    SignedDocuments documents;
};
struct Uploading {
    std::string upload;
};
struct Uploaded {
    std::string upload;
    std::uint64_t size = 0;
    std::vector<ipc::NamedDigest> digests; ///< where the document was not kept
};
struct Cancelled {
    bool cancelled = false; ///< false: no such request was under way
};
struct Verified {
    Tree report; ///< as `tamga verify --json` prints it
};
/// What is told of keys and applications (docs/tamga-v1.md has the members).
struct KeysTold {
    Tree report;
};
struct StatusLink {
    std::string url;
    std::int64_t seconds = 0; ///< for how long it can be opened, once
};
struct Done {};
using Reply = std::variant<Greeting, Tokens, ChosenCertificate, Signatures, Uploading, Uploaded, Cancelled, Verified,
                           KeysTold, StatusLink, Done>;

/// The response to a request. Signatures are freed as they are written.
[[nodiscard]] std::string render(Id const& id, Reply reply);
[[nodiscard]] std::string render(std::optional<Id> const& id, Fault const& fault, Language language);

/// Notifications.
[[nodiscard]] std::string tokens_changed(std::vector<Token> const& tokens);
[[nodiscard]] std::string sign_progress(Id const& id, Stage stage, std::uint32_t done, std::uint32_t total);

} // namespace tamga::protocol::v1
