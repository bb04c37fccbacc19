// Every message our processes exchange, and nothing else they may say to each other. docs/protocol.md tells the order.
//
// A message lists its members once, in `fields`, for writing and reading (base/archive.hpp). The first message on every
// channel, from both ends, is Hello: a different build id ends the process that sees it.
#pragma once

#include "base/archive.hpp"
#include "base/build_id.hpp"
#include "base/text.hpp"
#include "base/unblocking.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <variant>
#include <vector>

namespace tamga::ipc {

// NOLINTBEGIN(bugprone-macro-parentheses): the arguments are member names.
#define TAMGA_MESSAGE(TYPE, ...)                                                                                       \
    static constexpr MessageType type = MessageType::TYPE;                                                             \
    TAMGA_FIELDS(__VA_ARGS__)
#define TAMGA_FIELDS(...)                                                                                              \
    template <class Archive, class Self>                                                                               \
    static void fields([[maybe_unused]] Archive& archive, [[maybe_unused]] Self& self) {                               \
        std::apply([&](auto... member) { archive((self.*member)...); }, std::tuple{__VA_ARGS__});                      \
    }
// NOLINTEND(bugprone-macro-parentheses)

enum class MessageType : std::uint8_t {
    none,
    hello,
    // control: tamgad and its children; fixed size
    module_count,
    listener,
    web_channel,
    token_channel,
    token_gone,
    prompt_channel,
    prompt_wanted,
    prompt_refused,
    file_token_wanted,
    file_token_channel,
    preview_wanted,
    preview_channel,
    watcher_channel,
    stop,
    // what is plugged in: tamga-web or tamga-prompt, and tamga-token
    list_keys,
    token_found,
    certificate_found,
    listing_done,
    tokens_changed,
    // tamga-web and tamga-token
    sign_items,
    sign_large,
    signatures,
    finish_lease,
    lease_ended,
    sign_remembered,
    remembered_signed,
    perform_key_operation,
    key_progress,
    key_certificate,
    key_operation_done,
    // tamga-prompt and tamga-token
    open_key_file,
    unlock,
    unlock_reply,
    mandate,
    mandate_reply,
    remember,
    remember_reply,
    key_mandate,
    change_pin,
    unblock_pin,
    pin_changed,
    // the watcher and the other tamga-token processes
    card_service,
    reader_state,
    // tamga-web and tamga-prompt
    prompt_request,
    accepted,
    prompt_ended,
    progress,
    request_done,
    // tamga-prompt and tamga-preview
    picture_wanted,
    picture,
};

enum class Role : std::uint8_t { launcher, web, prompt, token, watcher, preview };
constexpr std::size_t enumerator_count(Role) noexcept {
    return 6;
}

/// One sign request, from its prompt to its logout: the name of its lease. Counts up from 1, never reused.
using RequestId = StrongId<struct RequestIdTag, std::uint64_t>;
/// The place of a PKCS#11 module in modules.toml, and so of its tamga-token process: 0 ... 63.
using ModuleIndex = StrongId<struct ModuleIndexTag, std::uint8_t>;
inline constexpr std::size_t max_modules = 64;
/// Stands for the one key file of a request: its `tamga-token --file` has no module.
inline constexpr ModuleIndex key_file_module{max_modules};
/// NCALayer's storage name for a key in a PKCS#12 file.
inline constexpr std::string_view key_file_storage = "PKCS12";
/// CK_SLOT_ID. Means something only together with a ModuleIndex.
using SlotId = StrongId<struct SlotIdTag, std::uint64_t>;
/// SHA-256 of a certificate's DER encoding.
using Fingerprint = std::array<unsigned char, 32>;

/// Success, or an error, inside a message.
struct Status {
    bool ok = false;
    Errc code = Errc::internal;
    std::string detail;

    static Status from(Result<void> const& result) {
        return result ? Status{true, Errc::internal, {}} : Status{false, result.error().code, result.error().detail};
    }
    [[nodiscard]] Result<void> result() const { return ok ? tamga::ok() : Result<void>{Error{code, detail}}; }

    template <class Archive, class Self>
    static void fields(Archive& archive, Self& self) {
        archive(self.ok, self.code, self.detail);
    }
};

struct Hello {
    static constexpr MessageType type = MessageType::hello;
    std::array<unsigned char, 64> build{};
    Role role{};

    static Hello from(Role role) {
        Hello hello;
        std::string_view const id{build_id};
        std::copy_n(id.begin(), std::min(id.size(), hello.build.size()), hello.build.begin());
        hello.role = role;
        return hello;
    }
    [[nodiscard]] bool same_build() const { return build == from(role).build; }

    template <class Archive, class Self>
    static void fields(Archive& archive, Self& self) {
        archive(self.build, self.role);
    }
};

// ---- control ----

/// `tamga-token --count` to tamgad: how many modules are configured (at most max_modules), and so how many to start.
struct ModuleCount {
    std::uint8_t count = 0;
    TAMGA_MESSAGE(module_count, &ModuleCount::count)
};

enum class ListenerKind : std::uint8_t { tcp, local };
constexpr std::size_t enumerator_count(ListenerKind) noexcept {
    return 2;
}

/// tamgad to tamga-web, with the listening socket: loopback TCP on `port`, or the local socket for commands.
struct Listener {
    ListenerKind kind{};
    std::uint16_t port = 0;
    TAMGA_MESSAGE(listener, &Listener::kind, &Listener::port)
};

/// tamgad to tamga-token or tamga-prompt, with its end of the pair to tamga-web. For a prompt this comes last.
struct WebChannel {
    RequestId request;
    TAMGA_MESSAGE(web_channel, &WebChannel::request)
};

/// tamgad to tamga-web, tamga-prompt or the watcher, with an end of a pair to the token process of `module`. To
/// tamga-web and the watcher also after that process was started anew: the channel replaces the one before.
struct TokenChannel {
    ModuleIndex module;
    TAMGA_MESSAGE(token_channel, &TokenChannel::module)
};

/// tamgad to tamga-web: the process of `module` ended; a TokenChannel follows when it is up again.
struct TokenGone {
    ModuleIndex module;
    TAMGA_MESSAGE(token_gone, &TokenGone::module)
};

/// tamgad to tamga-token and tamga-web, with the end of the pair to the prompt of `request`.
struct PromptChannel {
    RequestId request;
    TAMGA_MESSAGE(prompt_channel, &PromptChannel::request)
};

/// tamga-web to tamgad: start a prompt that may speak with these token processes (bit n: module n).
struct PromptWanted {
    RequestId request;
    std::uint64_t modules = 0;
    TAMGA_MESSAGE(prompt_wanted, &PromptWanted::request, &PromptWanted::modules)
};

/// tamgad to tamga-web: no prompt could be started.
struct PromptRefused {
    RequestId request;
    TAMGA_MESSAGE(prompt_refused, &PromptRefused::request)
};

/// tamga-prompt to tamgad: start a `tamga-token --file` for the request of this prompt, in the place of one it has had.
struct FileTokenWanted {
    std::uint8_t reserved = 0;
    TAMGA_MESSAGE(file_token_wanted, &FileTokenWanted::reserved)
};

/// tamgad to tamga-web and tamga-prompt, with an end of a pair to the `tamga-token --file` of `request`. None comes
/// with it where the program could not be started.
struct FileTokenChannel {
    RequestId request;
    TAMGA_MESSAGE(file_token_channel, &FileTokenChannel::request)
};

/// tamga-prompt to tamgad: start a tamga-preview for one picture, in the place of one that this prompt has had.
struct PreviewWanted {
    std::uint8_t reserved = 0;
    TAMGA_MESSAGE(preview_wanted, &PreviewWanted::reserved)
};

/// tamgad to tamga-prompt and tamga-preview, with the ends of a pair between them. None comes with it where the program
/// could not be started.
struct PreviewChannel {
    RequestId request;
    TAMGA_MESSAGE(preview_channel, &PreviewChannel::request)
};

/// tamgad to tamga-token, with its end of the pair to the watcher; again after the watcher was started anew.
struct WatcherChannel {
    std::uint8_t reserved = 0;
    TAMGA_MESSAGE(watcher_channel, &WatcherChannel::reserved)
};

/// tamgad to tamga-web: dismiss prompts, let tokens log out, exit.
struct Stop {
    std::uint8_t reason = 0;
    TAMGA_MESSAGE(stop, &Stop::reason)
};

// ---- tokens and certificates ----

/// The name of a family of tokens, as people know it.
struct FamilyName {
    std::string kk;
    std::string ru;
    std::string en;

    [[nodiscard]] std::string const& in(Language language) const noexcept {
        return language == Language::kk ? kk : language == Language::ru ? ru : en;
    }
    TAMGA_FIELDS(&FamilyName::kk, &FamilyName::ru, &FamilyName::en)
};

/// What C_GetTokenInfo says of a token, trimmed and made valid UTF-8, and what data/families.toml says of its family.
struct TokenInfo {
    std::string storage; ///< NCALayer's name for it: configured for the module, else the family's
    std::string family;  ///< id of the row; "other" where no row fits
    FamilyName family_name;
    Unblocking unblocking{}; ///< what helps when the PIN is locked
    std::string label;
    std::string manufacturer;
    std::string model;
    std::string serial;
    bool login_required = false;
    bool pin_on_reader = false;   ///< CKF_PROTECTED_AUTHENTICATION_PATH
    bool pin_count_low = false;   ///< CKF_USER_PIN_COUNT_LOW: a wrong PIN was typed since the last right one
    bool pin_final_try = false;   ///< CKF_USER_PIN_FINAL_TRY
    bool pin_locked = false;      ///< CKF_USER_PIN_LOCKED
    bool pin_initialized = false; ///< CKF_USER_PIN_INITIALIZED
    /// How many wrong PINs the token would still bear, where it tells; other programs burn tries too, so it is read
    /// anew with the rest.
    std::optional<std::uint8_t> attempts_left;
    /// Wrong PINs that this program typed into this token since the last right one: our own count, which survives a
    /// restart. Says nothing about how many are left.
    std::uint32_t wrong_tries_seen = 0;
    /// For how long at most, and how long without a use, a login to it may be remembered for one site (Remember). 0:
    /// not at all.
    std::uint32_t remember_s = 0;
    std::uint32_t remember_unused_s = 0;
    /// Octets that a PIN may have, as far as the token says; 0: it does not.
    std::uint32_t shortest_pin = 0;
    std::uint32_t longest_pin = 0;
    TAMGA_FIELDS(&TokenInfo::storage, &TokenInfo::family, &TokenInfo::family_name, &TokenInfo::unblocking,
                 &TokenInfo::label, &TokenInfo::manufacturer, &TokenInfo::model, &TokenInfo::serial,
                 &TokenInfo::login_required, &TokenInfo::pin_on_reader, &TokenInfo::pin_count_low,
                 &TokenInfo::pin_final_try, &TokenInfo::pin_locked, &TokenInfo::pin_initialized,
                 &TokenInfo::attempts_left, &TokenInfo::wrong_tries_seen, &TokenInfo::remember_s,
                 &TokenInfo::remember_unused_s, &TokenInfo::shortest_pin, &TokenInfo::longest_pin)
};

enum class Depth : std::uint8_t { tokens, certificates };
constexpr std::size_t enumerator_count(Depth) noexcept {
    return 2;
}

/// To tamga-token: what is plugged in, as far as readable without a PIN? tamga-web may ask for tokens alone; the prompt
/// hears of certificates from the token process itself, so that nobody between them can invent or hide one.
/// Answered by TokenFound and CertificateFound messages, then ListingDone, all with the same `query`.
struct ListKeys {
    std::uint64_t query = 0;
    Depth depth{};
    TAMGA_MESSAGE(list_keys, &ListKeys::query, &ListKeys::depth)
};

/// With how many CertificateFound of the same slot follow: a token is complete then, whatever other slots do.
struct TokenFound {
    std::uint64_t query = 0;
    SlotId slot;
    TokenInfo info;
    std::uint32_t certificates = 0;
    TAMGA_MESSAGE(token_found, &TokenFound::query, &TokenFound::slot, &TokenFound::info, &TokenFound::certificates)
};

/// A certificate on a token. In the listing after an unlock: one whose private key is there too.
struct CertificateFound {
    std::uint64_t query = 0;
    SlotId slot;
    Bytes der;
    TAMGA_MESSAGE(certificate_found, &CertificateFound::query, &CertificateFound::slot, &CertificateFound::der)
};

struct ListingDone {
    std::uint64_t query = 0;
    Status status;
    TAMGA_MESSAGE(listing_done, &ListingDone::query, &ListingDone::status)
};

/// tamga-token to tamga-web: what is plugged in may be another now. Said at every change in a reader, to nobody's
/// question; whoever wants to know more asks with ListKeys.
struct TokensChanged {
    std::uint8_t reserved = 0;
    TAMGA_MESSAGE(tokens_changed, &TokensChanged::reserved)
};

// ---- unlocking and the mandate: tamga-prompt and tamga-token ----

/// To `tamga-token --file`, with the opened file: the one it is to serve from now on, in the place of one before.
/// Answered like ListKeys, without certificates: those are known after the Unlock, whose PIN is the file's password.
struct OpenKeyFile {
    std::uint64_t query = 0;
    TAMGA_MESSAGE(open_key_file, &OpenKeyFile::query)
};

/// Log in to the token in `slot` with this PIN (empty: the reader's keypad): exactly one C_Login, never repeated.
/// Answered by UnlockReply and, on success, by CertificateFound messages (query 0) and ListingDone: all whose key is
/// there, or the one that was chosen before, whose key is quicker found alone.
struct Unlock {
    SlotId slot;
    Pin pin;
    Bytes chosen;              ///< DER; empty where no certificate was chosen yet
    bool for_key_work = false; ///< a KeyMandate follows, no Mandate: the session may write
    TAMGA_MESSAGE(unlock, &Unlock::slot, &Unlock::pin, &Unlock::chosen, &Unlock::for_key_work)
};

struct UnlockReply {
    Status status;
    TokenInfo info; ///< read anew after the login, so that the PIN's state is the present one
    /// The PIN was right and is the one tokens of this family are delivered with: the person is told once.
    bool factory_pin = false;
    TAMGA_MESSAGE(unlock_reply, &UnlockReply::status, &UnlockReply::info, &UnlockReply::factory_pin)
};

/// What is signed, in the sense of the law of this house: which structure the octets to be signed must parse as.
enum class Form : std::uint8_t { cms, xml, authenticate, raw };
constexpr std::size_t enumerator_count(Form) noexcept {
    return 4;
}

/// tamga-prompt to tamga-token, after an unlock: what the person agreed to. The digests come in as many messages as
/// they need, `last` in the last of them; the members beside `digests` are the same in each. Answered once, after the
/// last.
struct Mandate {
    RequestId request;
    Form form{};
    Fingerprint certificate{};
    std::uint32_t expires_in_s = 0;
    std::vector<Bytes> digests;
    bool last = false;
    TAMGA_MESSAGE(mandate, &Mandate::request, &Mandate::form, &Mandate::certificate, &Mandate::expires_in_s,
                  &Mandate::digests, &Mandate::last)
};

struct MandateReply {
    Status status;
    TAMGA_MESSAGE(mandate_reply, &MandateReply::status)
};

/// tamga-prompt to tamga-token, after a Mandate of the form authenticate was taken: once that is done, the login stays
/// for statements of a sign-in to this origin by this certificate, and for nothing else. The token gives no more time
/// than its own limits. Answered by RememberReply.
struct Remember {
    RequestId request;
    Fingerprint certificate{};
    std::string origin;
    std::uint32_t lifetime_s = 0;
    std::uint32_t unused_s = 0; ///< without a use for so long it ends too
    TAMGA_MESSAGE(remember, &Remember::request, &Remember::certificate, &Remember::origin, &Remember::lifetime_s,
                  &Remember::unused_s)
};

/// unsupported: the key wants its PIN for each signature, or nobody here says when the screen is locked.
struct RememberReply {
    Status status;
    TAMGA_MESSAGE(remember_reply, &RememberReply::status)
};

// ---- signing: tamga-web and tamga-token ----

/// Octets to be signed under the mandate of `request`; `first` is the number of the first of them in the request.
/// Each is parsed to its last octet and compared with the mandate. Answered by Signatures with the same `first`, or by
/// LeaseEnded with the error.
struct SignItems {
    RequestId request;
    std::uint32_t first = 0;
    std::vector<Bytes> items;
    TAMGA_MESSAGE(sign_items, &SignItems::request, &SignItems::first, &SignItems::items)
};

/// One item too large for a message, in a sealed memfd (base/sealed_items.hpp, count 1) that comes with it.
struct SignLarge {
    RequestId request;
    std::uint32_t index = 0;
    TAMGA_MESSAGE(sign_large, &SignLarge::request, &SignLarge::index)
};

/// Raw signatures: of the modulus' size for RSA, r||s for EC, s||r for GOST, whatever order its module writes (all
/// numbers big-endian).
struct Signatures {
    RequestId request;
    std::uint32_t first = 0;
    std::vector<Bytes> values;
    TAMGA_MESSAGE(signatures, &Signatures::request, &Signatures::first, &Signatures::values)
};

/// tamga-web to tamga-token: nothing more to sign; log out.
struct FinishLease {
    RequestId request;
    TAMGA_MESSAGE(finish_lease, &FinishLease::request)
};

/// tamga-token to tamga-web: logged out; why, where it was not asked for.
struct LeaseEnded {
    RequestId request;
    Status status;
    TAMGA_MESSAGE(lease_ended, &LeaseEnded::request, &LeaseEnded::status)
};

/// tamga-web to tamga-token: a statement of a sign-in under the login that was remembered by `request`, whose lease was
/// finished. FinishLease with the same request ends it. Answered by RememberedSigned.
struct SignRemembered {
    RequestId request;
    std::uint64_t query = 0;
    Bytes octets;
    TAMGA_MESSAGE(sign_remembered, &SignRemembered::request, &SignRemembered::query, &SignRemembered::octets)
};

/// Any failure ends what was remembered: the next time the person is asked again.
struct RememberedSigned {
    std::uint64_t query = 0;
    Status status;
    Bytes value; ///< as in Signatures
    TAMGA_MESSAGE(remembered_signed, &RememberedSigned::query, &RememberedSigned::status, &RememberedSigned::value)
};

// ---- work on keys ----

/// The kinds of key pair that are made. signing/algorithm.hpp knows more, which others made.
enum class PairKind : std::uint8_t { rsa_2048, ec_p256, gost2015_256, gost2015_512 };
constexpr std::size_t enumerator_count(PairKind) noexcept {
    return 4;
}

/// What a pair is made for: told to the person. A token lets every pair sign, and do nothing else.
enum class PairUse : std::uint8_t { sign_in, sign, both };
constexpr std::size_t enumerator_count(PairUse) noexcept {
    return 3;
}

/// How the CKA_ID of every pair begins that Tamga makes: so the unfinished ones are told from other people's.
inline constexpr std::string_view made_here = "TAMGA1";
/// Octets of such a CKA_ID; what follows `made_here` is random, and known to whoever asked before the pair is made.
inline constexpr std::size_t pair_id_size = 20;
/// Operations of one mandate.
inline constexpr std::size_t max_key_operations = 16;

/// Make a key pair on the token: sensitive, never extractable, for signing alone. A pair of this `id`, kind and without
/// a certificate that is there already is what an earlier attempt made, whose answer was lost: it is answered as if it
/// had been made now. Half a pair of this id is removed first.
/// Errors: key_exists (it has a certificate, or is of another kind), token_full, generation_unsupported,
/// token_write_protected, those of every call of a module.
struct GeneratePair {
    PairKind kind{};
    PairUse use{};
    Bytes id;          ///< CKA_ID: made_here and 14 random octets
    std::string label; ///< CKA_LABEL of both halves, 1 to 64 octets
    TAMGA_FIELDS(&GeneratePair::kind, &GeneratePair::use, &GeneratePair::id, &GeneratePair::label)

    bool operator==(GeneratePair const&) const = default;
};

/// Sign a CertificationRequestInfo (RFC 2986) with the key it is about: a pair that this mandate made, or another one
/// of the token. It must be one of ours (signing/pkcs10.hpp) and ask for exactly this, with that pair's public key.
/// Errors: key_not_found; mandate_violated (anything else in it).
struct SignCertificationRequest {
    Bytes id;              ///< CKA_ID of the pair
    Bytes subject;         ///< DER of Name
    std::string email;     ///< for subjectAltName; empty: none
    std::string key_store; ///< dotted identifier for the NCA's key-store extension; empty: none
    TAMGA_FIELDS(&SignCertificationRequest::id, &SignCertificationRequest::subject, &SignCertificationRequest::email,
                 &SignCertificationRequest::key_store)

    bool operator==(SignCertificationRequest const&) const = default;
};

/// Store a certificate next to the private key it belongs to; one that is there already is left as it is.
/// Errors: certificate_mismatch (no key of the token is its key), token_full, token_write_protected,
/// signature_invalid (the trial; the certificate is taken off again).
struct StoreCertificate {
    Bytes certificate;  ///< DER
    bool trial = false; ///< sign something meaningless afterwards, and verify it with the certificate
    TAMGA_FIELDS(&StoreCertificate::certificate, &StoreCertificate::trial)

    bool operator==(StoreCertificate const&) const = default;
};

/// Delete one pair, with every certificate of its public key. The private key goes first: until then nothing has
/// changed. Asked for again it removes what was left behind.
/// Errors: key_not_found (no pair of this id has this public key), token_write_protected.
struct DeletePair {
    Bytes id;         ///< CKA_ID
    Bytes public_key; ///< DER of SubjectPublicKeyInfo
    TAMGA_FIELDS(&DeletePair::id, &DeletePair::public_key)

    bool operator==(DeletePair const&) const = default;
};

/// Give a pair and its certificates another CKA_LABEL. Errors: key_not_found, token_write_protected.
struct SetLabel {
    Bytes id;          ///< CKA_ID
    std::string label; ///< 1 to 64 octets
    TAMGA_FIELDS(&SetLabel::id, &SetLabel::label)

    bool operator==(SetLabel const&) const = default;
};

/// Say which pairs are on the token, those without a certificate too: they are seen only after the PIN.
struct ListPairs {
    std::uint8_t reserved = 0;
    TAMGA_FIELDS(&ListPairs::reserved)

    bool operator==(ListPairs const&) const = default;
};

using KeyOperation =
    std::variant<GeneratePair, SignCertificationRequest, StoreCertificate, DeletePair, SetLabel, ListPairs>;

/// tamga-prompt to tamga-token, after an Unlock for key work: what the person was shown and agreed to, operation by
/// operation. Answered by MandateReply. Errors: bad_request (an operation that cannot be meant), mandate_violated.
struct KeyMandate {
    RequestId request;
    std::uint32_t expires_in_s = 0;
    std::vector<KeyOperation> operations; ///< 1 to max_key_operations
    TAMGA_MESSAGE(key_mandate, &KeyMandate::request, &KeyMandate::expires_in_s, &KeyMandate::operations)
};

/// tamga-web to tamga-token: do operation `index` of the mandate of `request`. Each is done once, in any order.
/// Answered by KeyProgress, as often as there is something to say, and KeyOperationDone. What is not in the mandate
/// ends the lease (LeaseEnded, mandate_violated); so does an operation that fails, after its KeyOperationDone.
/// FinishLease ends it otherwise.
struct PerformKeyOperation {
    RequestId request;
    std::uint32_t index = 0;
    Bytes octets; ///< the CertificationRequestInfo to be signed; empty for the others
    TAMGA_MESSAGE(perform_key_operation, &PerformKeyOperation::request, &PerformKeyOperation::index,
                  &PerformKeyOperation::octets)
};

/// What an operation is at: some take a token minutes.
enum class KeyStep : std::uint8_t { checking, generating, signing, storing, trying, deleting, cleaning_up };
constexpr std::size_t enumerator_count(KeyStep) noexcept {
    return 7;
}

/// tamga-token to tamga-web: operation `index` has come to this step.
struct KeyProgress {
    RequestId request;
    std::uint32_t index = 0;
    KeyStep step{};
    TAMGA_MESSAGE(key_progress, &KeyProgress::request, &KeyProgress::index, &KeyProgress::step)
};

/// What an operation that failed has left on the token.
enum class Remains : std::uint8_t {
    nothing,     ///< the token is as it was: nothing was begun, or it was taken back
    cleaned_up,  ///< objects had been made, and were removed again
    may_be_left, ///< objects of the operation may still be there: the token could not be asked any more
};
constexpr std::size_t enumerator_count(Remains) noexcept {
    return 3;
}

/// A key pair, or a half of one, and the certificates of its public key.
struct PairFound {
    Bytes id; ///< CKA_ID
    std::string label;
    Bytes public_key; ///< DER of SubjectPublicKeyInfo; empty where the token does not show it, or of a kind not known
    bool has_private_key = false;
    bool has_public_key = false;
    std::vector<Fingerprint> certificates;
    TAMGA_FIELDS(&PairFound::id, &PairFound::label, &PairFound::public_key, &PairFound::has_private_key,
                 &PairFound::has_public_key, &PairFound::certificates)

    /// Whether Tamga made it.
    [[nodiscard]] bool is_ours() const { return id.size() == pair_id_size && as_text(id).starts_with(made_here); }
};

/// tamga-token to tamga-web, before the KeyOperationDone of ListPairs: a certificate on the token, of a pair or of no
/// key that is there.
struct KeyCertificate {
    RequestId request;
    std::uint32_t index = 0;
    Bytes der;
    TAMGA_MESSAGE(key_certificate, &KeyCertificate::request, &KeyCertificate::index, &KeyCertificate::der)
};

/// tamga-token to tamga-web: what came of an operation.
struct KeyOperationDone {
    RequestId request;
    std::uint32_t index = 0;
    Status status;
    Remains remains{};            ///< of one that failed
    bool was_there = false;       ///< an earlier attempt had done it: nothing was made now
    std::vector<PairFound> pairs; ///< the one that was made or worked on (one that was deleted: as it was); all of them
    Bytes signature;              ///< of SignCertificationRequest, as in Signatures
    TAMGA_MESSAGE(key_operation_done, &KeyOperationDone::request, &KeyOperationDone::index, &KeyOperationDone::status,
                  &KeyOperationDone::remains, &KeyOperationDone::was_there, &KeyOperationDone::pairs,
                  &KeyOperationDone::signature)
};

/// tamga-prompt to tamga-token: change the PIN of the token in `slot`. Exactly one C_SetPIN, without a login: the old
/// PIN is looked at once, and counted like every other. Both empty: the reader's own keypad. Answered by PinChanged.
struct ChangePin {
    RequestId request;
    SlotId slot;
    Pin old_pin;
    Pin new_pin;
    TAMGA_MESSAGE(change_pin, &ChangePin::request, &ChangePin::slot, &ChangePin::old_pin, &ChangePin::new_pin)
};

/// tamga-prompt to tamga-token: set the PIN anew with the administrator's. Exactly one C_Login with that, and one
/// C_InitPIN. Answered by PinChanged.
struct UnblockPin {
    RequestId request;
    SlotId slot;
    Pin so_pin;
    Pin new_pin;
    TAMGA_MESSAGE(unblock_pin, &UnblockPin::request, &UnblockPin::slot, &UnblockPin::so_pin, &UnblockPin::new_pin)
};

/// Errors: pin_incorrect, pin_locked, pin_length; pin_unsuitable (tokens of this family are delivered with the new one,
/// or the token does not take it); so_pin_incorrect, so_pin_locked; unsupported (the token cannot do it);
/// token_write_protected. Nobody is logged in afterwards.
struct PinChanged {
    Status status;
    TokenInfo info; ///< read anew
    TAMGA_MESSAGE(pin_changed, &PinChanged::status, &PinChanged::info)
};

// ---- readers: the watcher (tamga-token --watch) to every other tamga-token process ----

/// Whether the card service (pcscd) answers; first after Hello, as soon as it is known, then at each change. Without it
/// there is no reader. When it comes back, whatever a module had to do with it before is dead.
struct CardService {
    bool available = false;
    TAMGA_MESSAGE(card_service, &CardService::available)
};

/// What is in a reader: after CardService for each that holds a card, then at each change. A card that was changed for
/// another, or put in again, is first told absent. A reader that is gone holds no card.
struct ReaderState {
    std::string name; ///< as PC/SC has it
    bool present = false;
    Bytes atr; ///< empty where there is no card, or one that does not speak
    TAMGA_MESSAGE(reader_state, &ReaderState::name, &ReaderState::present, &ReaderState::atr)
};

// ---- what the person is shown and decides: tamga-web and tamga-prompt ----

enum class Purpose : std::uint8_t {
    site,       ///< may this site use tokens at all? No key, no PIN
    choose_key, ///< show the site a certificate; no signature
    sign_in,
    sign,
    choose_file, ///< a document for the site to have signed later; no key
    key_work,    ///< the operations of the request, on one token
    change_pin,  ///< between the person and the token: tamga-web learns that it was done
    unblock_pin, ///< the same, with the administrator's PIN
};
constexpr std::size_t enumerator_count(Purpose) noexcept {
    return 8;
}

/// Which keys fit. All that is set must hold.
struct KeyFilter {
    std::vector<std::string> extended_key_usages; ///< dotted OIDs
    std::vector<std::string> roles;               ///< the same, of which one will do: what the service asks of a signer
    std::string iin;
    std::string bin;
    std::string serial_number; ///< of the certificate, lower-case hexadecimal without leading zeros
    bool allow_expired = false;
    bool allow_revoked = false;
    bool any_issuer = false;    ///< the chain of the certificate is not looked at
    std::vector<Bytes> issuers; ///< DER; unless empty the chain must end in one of these, whatever else is trusted
    TAMGA_FIELDS(&KeyFilter::extended_key_usages, &KeyFilter::roles, &KeyFilter::iin, &KeyFilter::bin,
                 &KeyFilter::serial_number, &KeyFilter::allow_expired, &KeyFilter::allow_revoked,
                 &KeyFilter::any_issuer, &KeyFilter::issuers)

    bool operator==(KeyFilter const&) const = default;
};

/// How the law classifies what is asked for, as far as that is known here (policy/gate.hpp).
enum class Classified : std::uint8_t {
    not_asked,         ///< no signature on a document, or a sign-in
    unclassified,      ///< the site's protocol names no service, and none can be told from the site
    document,          ///< the site says: no public service, a document
    key_account,       ///< the site says: the account of the keys themselves
    eds,               ///< the service needs an EDS
    one_time_password, ///< a one-time password would do; an EDS is accepted in its place
    no_method,         ///< the law names no method for the channel of this service
};
constexpr std::size_t enumerator_count(Classified) noexcept {
    return 7;
}

/// The public service that the person is told of.
struct ServiceShown {
    Classified classified{};
    bool inferred = false; ///< the site named none; it is the only one known of that site
    std::string name;      ///< in the language of the window, as the rest
    std::string body;      ///< who classified it
    TAMGA_FIELDS(&ServiceShown::classified, &ServiceShown::inferred, &ServiceShown::name, &ServiceShown::body)
};

/// Whom the signer acts for: the site's own claim, which nobody verified.
struct Principal {
    std::string name;
    std::string id_number; ///< IIN or BIN
    std::string authority;
    TAMGA_FIELDS(&Principal::name, &Principal::id_number, &Principal::authority)
};

/// A digest by the dotted identifier of its algorithm.
struct NamedDigest {
    std::string algorithm;
    Bytes value;
    TAMGA_FIELDS(&NamedDigest::algorithm, &NamedDigest::value)
};

/// What the page says of a document beside its content, and what stands for a content that is too large to be kept.
struct DocumentLabel {
    std::string title;
    std::string media_type;
    /// Unless empty the item is, and these are the digests of what the page sent: one for each kind of key that may be
    /// chosen.
    std::vector<NamedDigest> digests;
    std::uint64_t size = 0; ///< octets those are of
    TAMGA_FIELDS(&DocumentLabel::title, &DocumentLabel::media_type, &DocumentLabel::digests, &DocumentLabel::size)
};

/// tamga-web to tamga-prompt, first after Hello, with the sealed items where there are any: exactly the octets whose
/// digests will be signed (content of a CMS, canonical XML, octets signed raw), or digests where `digested`.
/// It says nothing about tokens: those introduce themselves to the prompt on their own pairs with it.
struct PromptRequest {
    RequestId request;
    Language language{};
    std::string origin;       ///< as the browser sent it; empty where a command of this computer asks
    bool site_is_new = false; ///< not answered before: the window asks
    std::string resembles;    ///< a known host that `origin` looks like without being it; mostly empty
    Purpose purpose{};
    Form form{};
    bool digested = false;
    KeyFilter filter;
    std::vector<std::string> storages; ///< names of TokenInfo::storage to choose from, files included; empty: any
    bool strict = false;               ///< a certificate of which not everything is known cannot be chosen
    bool user_authorities = true;      ///< the issuers this person added count too
    ServiceShown service;
    Principal principal;   ///< mostly empty
    bool labelled = false; ///< behind the items come as many others: the DocumentLabel of each (written by `Writer`)
    std::vector<KeyOperation> operations; ///< of key_work
    std::string token_serial;             ///< the one token that will do, by CK_TOKEN_INFO; empty: any
    TAMGA_MESSAGE(prompt_request, &PromptRequest::request, &PromptRequest::language, &PromptRequest::origin,
                  &PromptRequest::site_is_new, &PromptRequest::resembles, &PromptRequest::purpose, &PromptRequest::form,
                  &PromptRequest::digested, &PromptRequest::filter, &PromptRequest::storages, &PromptRequest::strict,
                  &PromptRequest::user_authorities, &PromptRequest::service, &PromptRequest::principal,
                  &PromptRequest::labelled, &PromptRequest::operations, &PromptRequest::token_serial)
};

/// tamga-prompt to tamga-web: the person agreed; the site, where it was asked about, is allowed and remembered. For
/// Purpose::site and choose_file the rest is empty, and with the latter comes the opened file; for choose_key nothing
/// is unlocked; for change_pin and unblock_pin all is done; otherwise the token holds the mandate. No certificate where
/// no signature on documents is wanted.
struct Accepted {
    ModuleIndex module;
    SlotId slot;
    Bytes certificate;
    bool remembered = false; ///< the login stays for this site (Remember)
    std::string serial;      ///< of the token, where it was about a token and not a key: CK_TOKEN_INFO
    std::string family;      ///< the same: TokenInfo::family
    TAMGA_MESSAGE(accepted, &Accepted::module, &Accepted::slot, &Accepted::certificate, &Accepted::remembered,
                  &Accepted::serial, &Accepted::family)
};

/// tamga-prompt to tamga-web: it ended without a mandate. site_refused: never again for this site. token_absent and the
/// like may come before any window was shown.
struct PromptEnded {
    Status status;
    bool site_allowed = false; ///< the person was asked about the site, allowed it, and then something else failed
    TAMGA_MESSAGE(prompt_ended, &PromptEnded::status, &PromptEnded::site_allowed)
};

/// What the person waits for after the PIN.
enum class Stage : std::uint8_t { signing, stamping, key_work };
constexpr std::size_t enumerator_count(Stage) noexcept {
    return 3;
}

/// tamga-web to tamga-prompt: so many of the signatures, of the time-stamps on them, or of the operations are there.
struct Progress {
    std::uint32_t done = 0;
    std::uint32_t total = 0;
    Stage stage{};
    TAMGA_MESSAGE(progress, &Progress::done, &Progress::total, &Progress::stage)
};

/// tamga-web to tamga-prompt: how it ended; a failure is told to the person in words before the window goes.
struct RequestDone {
    Status status;
    TAMGA_MESSAGE(request_done, &RequestDone::status)
};

// ---- pictures of documents: tamga-prompt and tamga-preview ----

/// Pixels along each side of a picture.
inline constexpr std::uint32_t max_picture_side = 4096;
/// Pages of one document that are shown.
inline constexpr std::uint32_t max_picture_pages = 200;

/// To tamga-preview, with the document: one sealed item (base/sealed_items.hpp). Answered once by Picture.
struct PictureWanted {
    std::uint32_t page = 0;  ///< from 0
    std::uint32_t width = 0; ///< pixels it will have on the screen; a small image stays small
    TAMGA_MESSAGE(picture_wanted, &PictureWanted::page, &PictureWanted::width)
};

/// To tamga-prompt, and on success with the pixels: one sealed item, rows without gaps, four octets a pixel (blue,
/// green, red, one that means nothing).
struct Picture {
    Status status;
    std::uint32_t pages = 0; ///< of the whole document
    std::uint32_t width = 0;
    std::uint32_t height = 0;
    TAMGA_MESSAGE(picture, &Picture::status, &Picture::pages, &Picture::width, &Picture::height)
};

#undef TAMGA_MESSAGE
#undef TAMGA_FIELDS

} // namespace tamga::ipc
