// libtamga-fake-pkcs11.so: a real, loadable Cryptoki module with keys in memory, whose behaviour a test decides by the
// knobs of knobs.hpp. It has the functions tamga-token calls; the others are null, so that calling one is noticed.
#include "base/bytes.hpp"
#include "signing/gost.hpp"
#include "tests/fake_module/attempts.hpp"
#include "tests/fake_module/knobs.hpp"
#include "tests/support/gost_keys.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <p11-kit/pkcs11.h>
#include <p11-kit/pkcs11x.h>

#include <dlfcn.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <string.h>
#include <thread>
#include <utility>

namespace tamga::fake {
namespace {

using KeyPointer = std::shared_ptr<::EVP_PKEY>;

struct Object {
    std::size_t slot;
    bool is_private;
    std::map<CK_ATTRIBUTE_TYPE, Bytes> attributes;
    KeyPointer key;
    CK_KEY_TYPE type = CKK_VENDOR_DEFINED;
    bool is_gone = false;
};

struct Token {
    std::string label;
    std::string pin_backwards;
    unsigned tries;
    unsigned tries_left;
    bool has_pin_pad = false;
    bool logged_in = false;
    bool is_out = false;
    unsigned times_pulled = 0;
    std::string kept_pin = {};
    unsigned so_tries_left = 3;
    bool administrator = false; ///< is logged in
};

struct Session {
    std::size_t slot;
    unsigned times_pulled; ///< of its token when it was opened
    std::vector<CK_OBJECT_HANDLE> found;
    CK_OBJECT_HANDLE signing_key = 0;
    bool logged_in_for_key = false;
    bool writes = false;
};

struct State {
    std::vector<Token> tokens;
    std::vector<Object> objects; // the handle is the place + 1
    std::map<CK_SESSION_HANDLE, Session> sessions;
    CK_SESSION_HANDLE next_session = 1;
};

std::optional<State> state;
std::mutex state_mutex;
std::atomic<int> inside; ///< calls that are going on
Knobs const* counted_for = nullptr;
unsigned calls_counted = 0;

template <class Number>
Bytes octets_of(Number number) {
    Bytes octets(sizeof number);
    std::memcpy(octets.data(), &number, sizeof number);
    return octets;
}

std::unique_ptr<std::FILE, int (*)(std::FILE*)> open_file(std::string const& path) {
    return {std::fopen(path.c_str(), "r"), std::fclose};
}

bool load_certificate(std::string const& path, Object& object) {
    auto const file = open_file(path);
    std::unique_ptr<::X509, decltype(&::X509_free)> const certificate{
        file ? ::PEM_read_X509(file.get(), nullptr, nullptr, nullptr) : nullptr, ::X509_free};
    if (!certificate) return false;
    unsigned char* der = nullptr;
    auto const size = ::i2d_X509(certificate.get(), &der);
    object.attributes[CKA_CLASS] = octets_of<CK_OBJECT_CLASS>(CKO_CERTIFICATE);
    object.attributes[CKA_CERTIFICATE_TYPE] = octets_of<CK_CERTIFICATE_TYPE>(CKC_X_509);
    object.attributes[CKA_VALUE] = {der, der + size};
    ::OPENSSL_free(der);
    return true;
}

KeyPointer read_key(std::string const& path) {
    for (auto const needs_engine : {false, true}) {
        if (needs_engine && !signing::gost::load()) break;
        auto const file = open_file(path);
        auto* const key = file ? ::PEM_read_PrivateKey(file.get(), nullptr, nullptr, nullptr) : nullptr;
        if (key != nullptr) return {key, ::EVP_PKEY_free};
    }
    return nullptr;
}

CK_KEY_TYPE type_of(::EVP_PKEY const* key) {
    if (::EVP_PKEY_is_a(key, "RSA") == 1) return CKK_RSA;
    if (::EVP_PKEY_is_a(key, "EC") == 1) return CKK_EC;
    return ::EVP_PKEY_get_size(key) == 128 ? CKK_GOSTR3410_512 : CKK_GOSTR3410; // s || r
}

CK_MECHANISM_TYPE mechanism_of(CK_KEY_TYPE type) {
    switch (type) {
    case CKK_RSA: return CKM_RSA_PKCS;
    case CKK_EC: return CKM_ECDSA;
    case CKK_GOSTR3410: return CKM_GOSTR3410;
    default: return CKM_GOSTR3410_512;
    }
}

/// RSA keys show their modulus; others nothing of their public half, which is how most tokens have it.
bool load_key(std::string const& path, Object& object) {
    object.key = read_key(path);
    if (!object.key) return false;
    object.type = type_of(object.key.get());
    object.attributes[CKA_CLASS] = octets_of<CK_OBJECT_CLASS>(CKO_PRIVATE_KEY);
    object.attributes[CKA_KEY_TYPE] = octets_of(object.type);
    if (object.type != CKK_RSA) return true;
    ::BIGNUM* modulus = nullptr;
    if (::EVP_PKEY_get_bn_param(object.key.get(), OSSL_PKEY_PARAM_RSA_N, &modulus) != 1) return false;
    Bytes value(static_cast<std::size_t>(BN_num_bytes(modulus)));
    ::BN_bn2bin(modulus, value.data());
    ::BN_free(modulus);
    object.attributes[CKA_MODULUS] = std::move(value);
    return true;
}

std::optional<State> load(Knobs const& knobs) {
    State loaded;
    for (auto const& line : knobs.tokens)
        loaded.tokens.push_back({line.label, line.pin_backwards, line.tries, line.tries, line.has_pin_pad});
    for (auto const& line : knobs.objects) {
        Object object{line.slot, line.is_private, {}, {}, CKK_VENDOR_DEFINED};
        object.attributes[CKA_ID] = to_bytes(as_view(line.id));
        if (line.always_authenticate) object.attributes[CKA_ALWAYS_AUTHENTICATE] = octets_of<CK_BBOOL>(CK_TRUE);
        object.attributes[CKA_PRIVATE] = octets_of<CK_BBOOL>(line.is_private ? CK_TRUE : CK_FALSE);
        if (!(line.is_key ? load_key(line.file, object) : load_certificate(line.file, object))) return std::nullopt;
        loaded.objects.push_back(std::move(object));
    }
    return loaded;
}

void log_out(Token& token) {
    token.logged_in = token.administrator = false;
    ::explicit_bzero(token.kept_pin.data(), token.kept_pin.size());
    token.kept_pin.clear();
}

std::optional<std::size_t> slot_of(CK_SESSION_HANDLE handle) {
    std::scoped_lock const lock{state_mutex};
    if (!state) return std::nullopt;
    auto const place = state->sessions.find(handle);
    if (place == state->sessions.end()) return std::nullopt;
    return place->second.slot;
}

/// Not touched: the computer of the test has it for others. Code that does not look at what it got ends like this.
void leak(unsigned long megabytes) {
    for (unsigned long i = 0; i < megabytes; ++i) {
        constexpr std::size_t megabyte = std::size_t{1} << 20;
        auto* const taken = ::mmap(nullptr, megabyte, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (taken == MAP_FAILED) std::abort();
    }
}

[[noreturn]] void crash(std::string const& how) {
    if (how == "abort") std::abort();
    if (how == "exit") std::exit(EXIT_SUCCESS);
    if (how == "segv") {
        std::signal(SIGSEGV, SIG_DFL); // a sanitizer's handler would make an exit of it
        std::raise(SIGSEGV);
    }
    std::_Exit(139);
}

/// What every function does first: tell the spy, turn the knobs. Then it holds the state until it returns.
struct Call {
    explicit Call(char const* function, std::optional<std::size_t> slot = std::nullopt) : name{function} {
        ++inside;
        kept = read_knobs();
        if (!kept) return;
        auto const& knobs = *kept;
        if (knobs.alone && inside > 1) crash("");
        log(name);
        if (auto const delay = find(knobs.delays_ms, name, slot)) {
            std::this_thread::sleep_for(std::chrono::milliseconds{*delay});
        }
        if (auto const leaked = find(knobs.leaks_megabytes, name, slot)) leak(*leaked);
        while (find(knobs.hanging, name, slot))
            std::this_thread::sleep_for(std::chrono::hours{1});
        if (auto const how = knobs.crashes.find(name); how != knobs.crashes.end()) crash(how->second);
        for (int const place : {STDOUT_FILENO, STDERR_FILENO}) {
            if (knobs.prints.contains(name)) static_cast<void>(!::write(place, "module says hello\n", 18));
        }
        for (auto [place, last] = knobs.attempts.equal_range(name); place != last; ++place)
            log(place->second + ' ' + std::to_string(attempt(place->second)));
        lock = std::unique_lock{state_mutex};
        result = find(knobs.failures, name, slot).value_or(CKR_OK);
        bool const is_step = count(knobs);
        if (is_step && !knobs.step->vanishes) result = knobs.step->answer;
        pull_out(slot, is_step && knobs.step->vanishes);
    }
    Call(Call const&) = delete;
    Call& operator=(Call const&) = delete;
    ~Call() { --inside; }

    void log(std::string const& line) const {
        using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;
        if (File const spy{std::fopen(kept->log.c_str(), "a"), std::fclose})
            std::fprintf(spy.get(), "%s\n", line.c_str());
    }
    /// Whether this is the call that `step` is about. Counts anew for every line that is read.
    [[nodiscard]] bool count(Knobs const& knobs) const {
        if (std::exchange(counted_for, &knobs) != &knobs) calls_counted = 0;
        ++calls_counted;
        if (!knobs.step || calls_counted != knobs.step->number) return false;
        log("step");
        return true;
    }
    void pull_out(std::optional<std::size_t> slot, bool now) {
        if (!state) return;
        for (std::size_t each = 0; each < state->tokens.size(); ++each) {
            auto& token = state->tokens[each];
            bool const vanishes = slot == each && (now || find(kept->vanishing, name, slot));
            bool const stays_out = !kept->vanishing.empty() || (kept->step && kept->step->vanishes);
            bool const out = kept->absent.contains(each) || vanishes || (token.is_out && stays_out);
            if (out && !std::exchange(token.is_out, true)) {
                ++token.times_pulled;
                log_out(token);
            }
            token.is_out = out;
        }
    }

    /// The session, or nullptr with `result` saying why not.
    Session* session(CK_SESSION_HANDLE handle) {
        if (result != CKR_OK) return nullptr;
        auto const place = state ? state->sessions.find(handle) : decltype(state->sessions)::iterator{};
        if (!state || place == state->sessions.end()) {
            result = CKR_SESSION_HANDLE_INVALID;
            return nullptr;
        }
        if (!present(place->second.slot)) {
            result = CKR_DEVICE_REMOVED;
            return nullptr;
        }
        if (place->second.times_pulled != state->tokens[place->second.slot].times_pulled) {
            state->sessions.erase(place);
            result = CKR_SESSION_HANDLE_INVALID;
            return nullptr;
        }
        return &place->second;
    }
    [[nodiscard]] bool present(CK_SLOT_ID slot) const {
        return slot < state->tokens.size() && !state->tokens[slot].is_out;
    }
    [[nodiscard]] bool is_rubbish() const { return kept->rubbish.contains(name); }

    std::string name;
    std::shared_ptr<Knobs const> kept;
    CK_RV result = CKR_GENERAL_ERROR;
    std::unique_lock<std::mutex> lock;
};

constexpr CK_ULONG too_many = ~CK_ULONG{0} / 16;

bool visible(Object const& object, std::size_t slot) {
    return object.slot == slot && !object.is_gone && (!object.is_private || state->tokens[slot].logged_in);
}

template <std::size_t N>
void pad(unsigned char (&field)[N], std::string const& text) {
    std::fill(std::begin(field), std::end(field), static_cast<unsigned char>(' '));
    std::copy_n(text.begin(), std::min(text.size(), N), std::begin(field));
}

/// RSA: PKCS#1 padding around the input as it is; EC: r||s; GOST: s||r.
Bytes raw_signature(Object const& object, View input) {
    if (object.type == CKK_GOSTR3410 || object.type == CKK_GOSTR3410_512) {
        return test::gost_sign_digest(object.key.get(), input);
    }
    std::unique_ptr<::EVP_PKEY_CTX, decltype(&::EVP_PKEY_CTX_free)> const context{
        ::EVP_PKEY_CTX_new(object.key.get(), nullptr), ::EVP_PKEY_CTX_free};
    bool const is_rsa = object.type == CKK_RSA;
    std::size_t size = static_cast<std::size_t>(::EVP_PKEY_get_size(object.key.get()));
    Bytes signature(size);
    if (::EVP_PKEY_sign_init(context.get()) != 1) return {};
    if (is_rsa && ::EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING) != 1) return {};
    if (::EVP_PKEY_sign(context.get(), signature.data(), &size, input.data(), input.size()) != 1) return {};
    signature.resize(size);
    if (is_rsa) return signature;
    unsigned char const* start = signature.data();
    std::unique_ptr<::ECDSA_SIG, decltype(&::ECDSA_SIG_free)> const both{
        ::d2i_ECDSA_SIG(nullptr, &start, static_cast<long>(size)), ::ECDSA_SIG_free};
    Bytes joined(64);
    ::BN_bn2binpad(::ECDSA_SIG_get0_r(both.get()), joined.data(), 32);
    ::BN_bn2binpad(::ECDSA_SIG_get0_s(both.get()), joined.data() + 32, 32);
    return joined;
}

CK_RV initialize(void* given) {
    Call call{"C_Initialize"};
    if (call.result != CKR_OK) return call.result;
    auto const* arguments = static_cast<CK_C_INITIALIZE_ARGS const*>(given);
    char flags[32] = "";
    std::snprintf(flags, sizeof flags, "with %lx", arguments != nullptr ? arguments->flags : 0);
    call.log(flags);
    if (state) return CKR_CRYPTOKI_ALREADY_INITIALIZED;
    if (call.kept->card_client && ::dlopen("libpcsclite.so.1", RTLD_NOW) == nullptr) return CKR_GENERAL_ERROR;
    state = load(*call.kept);
    return state ? CKR_OK : CKR_GENERAL_ERROR;
}

CK_RV finalize(void*) {
    Call const call{"C_Finalize"};
    state.reset();
    return call.result;
}

CK_RV get_slot_list(unsigned char, CK_SLOT_ID* slots, CK_ULONG* count) {
    Call const call{"C_GetSlotList"};
    if (call.result != CKR_OK) return call.result;
    if (call.is_rubbish()) {
        *count = too_many;
        return CKR_OK;
    }
    std::vector<CK_SLOT_ID> present;
    for (CK_SLOT_ID slot = 0; slot < std::max(state->tokens.size(), call.kept->slots); ++slot) {
        if (call.present(slot) || call.kept->slots != 0) present.push_back(slot);
    }
    auto const room = *count;
    *count = present.size();
    if (slots == nullptr) return CKR_OK;
    if (room < present.size()) return CKR_BUFFER_TOO_SMALL;
    std::copy(present.begin(), present.end(), slots);
    return CKR_OK;
}

std::string string_of(Knobs const& knobs, char const* what, CK_SLOT_ID slot, char const* otherwise) {
    auto const by_slot = knobs.strings.find(what);
    if (by_slot == knobs.strings.end()) return otherwise;
    auto const text = by_slot->second.find(slot);
    return text == by_slot->second.end() ? otherwise : text->second;
}

CK_RV get_slot_info(CK_SLOT_ID slot, CK_SLOT_INFO* info) {
    Call const call{"C_GetSlotInfo", slot};
    if (call.result != CKR_OK) return call.result;
    *info = {};
    pad(info->slotDescription, string_of(*call.kept, "reader", slot, "Fake reader"));
    return CKR_OK;
}

CK_RV get_token_info(CK_SLOT_ID slot, CK_TOKEN_INFO* info) {
    Call const call{"C_GetTokenInfo", slot};
    if (call.result != CKR_OK) return call.result;
    if (!call.present(slot)) return CKR_TOKEN_NOT_PRESENT;
    auto const& token = state->tokens[slot];
    *info = {};
    if (call.is_rubbish()) {
        std::memset(info, 0xff, sizeof *info); // no blank, no end, every flag
        return CKR_OK;
    }
    pad(info->label, token.label);
    pad(info->manufacturerID, string_of(*call.kept, "maker", slot, "Tamga tests"));
    pad(info->model, string_of(*call.kept, "model", slot, "fake"));
    pad(info->serialNumber, string_of(*call.kept, "serial", slot, std::to_string(slot).c_str()));
    info->flags = CKF_TOKEN_INITIALIZED | CKF_LOGIN_REQUIRED | CKF_USER_PIN_INITIALIZED;
    info->ulMinPinLen = 4;
    info->ulMaxPinLen = 16;
    auto const memory = call.kept->memory.find(slot);
    auto const free = memory == call.kept->memory.end() ? CK_UNAVAILABLE_INFORMATION : memory->second;
    info->ulFreePublicMemory = info->ulFreePrivateMemory = free;
    info->ulTotalPublicMemory = info->ulTotalPrivateMemory = free;
    if (auto const more = call.kept->flags.find(slot); more != call.kept->flags.end()) info->flags |= more->second;
    if (token.has_pin_pad) info->flags |= CKF_PROTECTED_AUTHENTICATION_PATH;
    if (token.tries_left < token.tries) info->flags |= CKF_USER_PIN_COUNT_LOW;
    if (token.tries_left == 1) info->flags |= CKF_USER_PIN_FINAL_TRY;
    if (token.tries_left == 0) info->flags |= CKF_USER_PIN_LOCKED;
    return CKR_OK;
}

CK_RV open_session(CK_SLOT_ID slot, CK_FLAGS flags, void*, CK_NOTIFY, CK_SESSION_HANDLE* handle) {
    Call const call{"C_OpenSession", slot};
    if (call.result != CKR_OK) return call.result;
    if (!call.present(slot)) return CKR_TOKEN_NOT_PRESENT;
    *handle = state->next_session++;
    state->sessions[*handle] = {slot, state->tokens[slot].times_pulled, {}};
    state->sessions[*handle].writes = (flags & CKF_RW_SESSION) != 0;
    if (call.is_rubbish()) *handle = too_many;
    return CKR_OK;
}

CK_RV close_session(CK_SESSION_HANDLE handle) {
    Call call{"C_CloseSession", slot_of(handle)};
    if (call.session(handle) != nullptr) state->sessions.erase(handle);
    return call.result;
}

CK_RV login_as_administrator(Session const& session, Token& token, View typed) {
    if (!session.writes) return CKR_SESSION_READ_ONLY_EXISTS;
    if (token.so_tries_left == 0) return CKR_PIN_LOCKED;
    std::string_view const backwards{so_pin_backwards};
    if (!std::equal(typed.begin(), typed.end(), backwards.rbegin(), backwards.rend())) {
        return --token.so_tries_left == 0 ? CKR_PIN_LOCKED : CKR_PIN_INCORRECT;
    }
    token.so_tries_left = 3;
    token.administrator = true;
    return CKR_OK;
}

CK_RV login(CK_SESSION_HANDLE handle, CK_USER_TYPE user, unsigned char* pin, CK_ULONG size) {
    Call call{"C_Login", slot_of(handle)};
    auto* session = call.session(handle);
    if (session == nullptr) return call.result;
    auto& token = state->tokens[session->slot];
    if (user == CKU_SO) return login_as_administrator(*session, token, {pin, size});
    bool const for_key = user == CKU_CONTEXT_SPECIFIC;
    if (for_key && session->signing_key == 0) return CKR_OPERATION_NOT_INITIALIZED;
    if (!for_key && token.logged_in) return CKR_USER_ALREADY_LOGGED_IN;
    if (token.tries_left == 0) return CKR_PIN_LOCKED;
    // Who types at the keypad types the right one.
    std::string const at_keypad{token.pin_backwards.rbegin(), token.pin_backwards.rend()};
    if ((pin == nullptr) != token.has_pin_pad) return CKR_ARGUMENTS_BAD;
    View const typed = pin == nullptr ? as_view(at_keypad) : View{pin, size};
    if (!std::equal(typed.begin(), typed.end(), token.pin_backwards.rbegin(), token.pin_backwards.rend())) {
        call.log("wrong " + std::to_string(session->slot));
        return --token.tries_left == 0 ? CKR_PIN_LOCKED : CKR_PIN_INCORRECT;
    }
    call.log("right " + std::to_string(session->slot));
    token.tries_left = token.tries;
    if (for_key) {
        session->logged_in_for_key = true;
        return CKR_OK;
    }
    token.logged_in = true;
    token.kept_pin = as_text(typed);
    return CKR_OK;
}

CK_RV logout(CK_SESSION_HANDLE handle) {
    Call call{"C_Logout", slot_of(handle)};
    auto const* session = call.session(handle);
    if (session == nullptr) return call.result;
    auto& token = state->tokens[session->slot];
    if (!token.logged_in && !token.administrator) return CKR_USER_NOT_LOGGED_IN;
    log_out(token);
    return CKR_OK;
}

CK_RV find_objects_init(CK_SESSION_HANDLE handle, CK_ATTRIBUTE* wanted, CK_ULONG count) {
    Call call{"C_FindObjectsInit", slot_of(handle)};
    auto* session = call.session(handle);
    if (session == nullptr) return call.result;
    session->found.clear();
    for (std::size_t i = 0; i < state->objects.size(); ++i) {
        auto const& object = state->objects[i];
        bool fits = visible(object, session->slot);
        for (auto const& attribute : std::span{wanted, count}) {
            auto const own = object.attributes.find(attribute.type);
            View const value{static_cast<unsigned char const*>(attribute.pValue), attribute.ulValueLen};
            fits = fits && own != object.attributes.end() && std::ranges::equal(own->second, value);
        }
        if (fits) session->found.push_back(i + 1);
    }
    return CKR_OK;
}

CK_RV find_objects(CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE* objects, CK_ULONG room, CK_ULONG* count) {
    Call call{"C_FindObjects", slot_of(handle)};
    auto* session = call.session(handle);
    if (session == nullptr) return call.result;
    if (call.is_rubbish()) {
        *count = too_many;
        return CKR_OK;
    }
    *count = std::min<CK_ULONG>(room, session->found.size());
    std::copy_n(session->found.begin(), *count, objects);
    session->found.erase(session->found.begin(), session->found.begin() + static_cast<std::ptrdiff_t>(*count));
    return CKR_OK;
}

CK_RV find_objects_final(CK_SESSION_HANDLE handle) {
    Call call{"C_FindObjectsFinal", slot_of(handle)};
    call.session(handle);
    return call.result;
}

CK_RV get_attribute_value(CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE number, CK_ATTRIBUTE* wanted, CK_ULONG count) {
    Call call{"C_GetAttributeValue", slot_of(handle)};
    auto const* session = call.session(handle);
    if (session == nullptr) return call.result;
    if (number == 0 || number > state->objects.size()) return CKR_OBJECT_HANDLE_INVALID;
    auto const& object = state->objects[number - 1];
    if (!visible(object, session->slot)) return CKR_OBJECT_HANDLE_INVALID;
    for (auto& attribute : std::span{wanted, count}) {
        if (call.is_rubbish()) {
            attribute.ulValueLen = too_many;
            continue;
        }
        auto const own = object.attributes.find(attribute.type);
        if (own == object.attributes.end()) {
            attribute.ulValueLen = CK_UNAVAILABLE_INFORMATION;
            return CKR_ATTRIBUTE_TYPE_INVALID;
        }
        if (attribute.pValue != nullptr) {
            if (attribute.ulValueLen < own->second.size()) return CKR_BUFFER_TOO_SMALL;
            std::copy(own->second.begin(), own->second.end(), static_cast<unsigned char*>(attribute.pValue));
        }
        attribute.ulValueLen = own->second.size();
    }
    return CKR_OK;
}

CK_RV sign_init(CK_SESSION_HANDLE handle, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE number) {
    Call call{"C_SignInit", slot_of(handle)};
    auto* session = call.session(handle);
    if (session == nullptr) return call.result;
    if (!state->tokens[session->slot].logged_in) return CKR_USER_NOT_LOGGED_IN;
    bool const is_there = number != 0 && number <= state->objects.size() && !state->objects[number - 1].is_gone;
    if (!is_there || !state->objects[number - 1].key) return CKR_KEY_HANDLE_INVALID;
    if (mechanism->mechanism != mechanism_of(state->objects[number - 1].type)) return CKR_MECHANISM_INVALID;
    session->signing_key = number;
    session->logged_in_for_key = false;
    return CKR_OK;
}

CK_RV sign(CK_SESSION_HANDLE handle, unsigned char* input, CK_ULONG size, unsigned char* signature, CK_ULONG* room) {
    Call call{"C_Sign", slot_of(handle)};
    auto* session = call.session(handle);
    if (session == nullptr) return call.result;
    auto const number = std::exchange(session->signing_key, 0);
    if (number == 0) return CKR_OPERATION_NOT_INITIALIZED;
    bool const wants_login = state->objects[number - 1].attributes.contains(CKA_ALWAYS_AUTHENTICATE);
    if (wants_login && !std::exchange(session->logged_in_for_key, false)) return CKR_USER_NOT_LOGGED_IN;
    if (call.is_rubbish()) {
        *room = too_many;
        return CKR_OK;
    }
    auto const made = raw_signature(state->objects[number - 1], {input, size});
    if (made.empty()) return CKR_FUNCTION_FAILED;
    if (*room < made.size()) return CKR_BUFFER_TOO_SMALL;
    std::copy(made.begin(), made.end(), signature);
    *room = made.size();
    return CKR_OK;
}

// ---- what changes the token ----

/// What is said of a session that may not write, or where nobody is logged in.
CK_RV may_write(Session const& session) {
    if (!session.writes) return CKR_SESSION_READ_ONLY;
    return state->tokens[session.slot].logged_in ? CKR_OK : CKR_USER_NOT_LOGGED_IN;
}

Object object_from(std::size_t slot, CK_ATTRIBUTE const* attributes, CK_ULONG count) {
    Object object{slot, false, {}, {}, CKK_VENDOR_DEFINED};
    for (auto const& attribute : std::span{attributes, count}) {
        auto const* start = static_cast<unsigned char const*>(attribute.pValue);
        object.attributes[attribute.type] = Bytes(start, start + attribute.ulValueLen);
    }
    object.is_private = object.attributes[CKA_PRIVATE] == octets_of<CK_BBOOL>(CK_TRUE);
    return object;
}

bool is_full(Knobs const& knobs) {
    auto const there = std::ranges::count(state->objects, false, &Object::is_gone);
    return knobs.most_objects && static_cast<std::size_t>(there) >= *knobs.most_objects;
}

CK_OBJECT_HANDLE keep(Object object) {
    state->objects.push_back(std::move(object));
    return state->objects.size();
}

KeyPointer new_key(CK_MECHANISM_TYPE mechanism) {
    switch (mechanism) {
    case CKM_RSA_PKCS_KEY_PAIR_GEN: return {EVP_RSA_gen(2048U), ::EVP_PKEY_free};
    case CKM_EC_KEY_PAIR_GEN: return {EVP_EC_gen("prime256v1"), ::EVP_PKEY_free};
    case CKM_GOSTR3410_KEY_PAIR_GEN: return test::make_gost_key(test::KeyKind::gost2015_256);
    case CKM_GOSTR3410_512_KEY_PAIR_GEN: return test::make_gost_key(test::KeyKind::gost2015_512);
    default: return nullptr;
    }
}

Bytes number_of(::EVP_PKEY const* key, char const* name) {
    ::BIGNUM* number = nullptr;
    if (::EVP_PKEY_get_bn_param(key, name, &number) != 1) return {};
    Bytes octets(static_cast<std::size_t>(BN_num_bytes(number)));
    ::BN_bn2bin(number, octets.data());
    ::BN_free(number);
    return octets;
}

/// What the public half shows, and of RSA keys the private one too.
void show_public_half(Object& public_key, Object& private_key, ::EVP_PKEY* key) {
    switch (type_of(key)) {
    case CKK_RSA:
        for (auto* half : {&public_key, &private_key}) {
            half->attributes[CKA_MODULUS] = number_of(key, OSSL_PKEY_PARAM_RSA_N);
            half->attributes[CKA_PUBLIC_EXPONENT] = number_of(key, OSSL_PKEY_PARAM_RSA_E);
        }
        break;
    case CKK_EC: {
        std::size_t size = 0;
        ::EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, nullptr, 0, &size);
        Bytes point(size);
        ::EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point.data(), size, &size);
        point.insert(point.begin(), {0x04, static_cast<unsigned char>(size)}); // an OCTET STRING
        public_key.attributes[CKA_EC_POINT] = std::move(point);
        break;
    }
    default: public_key.attributes[CKA_VALUE] = test::gost_point(key);
    }
}

CK_RV generate_key_pair(CK_SESSION_HANDLE handle, CK_MECHANISM* mechanism, CK_ATTRIBUTE* public_attributes,
                        CK_ULONG public_count, CK_ATTRIBUTE* private_attributes, CK_ULONG private_count,
                        CK_OBJECT_HANDLE* public_key, CK_OBJECT_HANDLE* private_key) {
    Call call{"C_GenerateKeyPair", slot_of(handle)};
    auto const* session = call.session(handle);
    if (session == nullptr) return call.result;
    if (auto const may = may_write(*session); may != CKR_OK) return may;
    auto const key = new_key(mechanism->mechanism);
    if (!key) return CKR_MECHANISM_INVALID;
    auto made_public = object_from(session->slot, public_attributes, public_count);
    auto made_private = object_from(session->slot, private_attributes, private_count);
    show_public_half(made_public, made_private, key.get());
    made_private.key = key;
    made_private.type = type_of(key.get());
    if (is_full(*call.kept)) return CKR_DEVICE_MEMORY;
    *private_key = keep(std::move(made_private));
    if (is_full(*call.kept)) return CKR_DEVICE_MEMORY;
    *public_key = keep(std::move(made_public));
    return CKR_OK;
}

CK_RV create_object(CK_SESSION_HANDLE handle, CK_ATTRIBUTE* attributes, CK_ULONG count, CK_OBJECT_HANDLE* made) {
    Call call{"C_CreateObject", slot_of(handle)};
    auto const* session = call.session(handle);
    if (session == nullptr) return call.result;
    if (auto const may = may_write(*session); may != CKR_OK) return may;
    if (is_full(*call.kept)) return CKR_DEVICE_MEMORY;
    *made = keep(object_from(session->slot, attributes, count));
    return CKR_OK;
}

/// An object that may be changed; or nullptr with `call.result` saying why not.
Object* writable_object(Call& call, CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE number) {
    auto const* session = call.session(handle);
    if (session == nullptr) return nullptr;
    call.result = may_write(*session);
    if (call.result != CKR_OK) return nullptr;
    bool const is_there = number != 0 && number <= state->objects.size();
    if (is_there && visible(state->objects[number - 1], session->slot)) return &state->objects[number - 1];
    call.result = CKR_OBJECT_HANDLE_INVALID;
    return nullptr;
}

CK_RV destroy_object(CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE number) {
    Call call{"C_DestroyObject", slot_of(handle)};
    auto* object = writable_object(call, handle, number);
    if (object != nullptr) object->is_gone = true;
    return call.result;
}

CK_RV set_attribute_value(CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE number, CK_ATTRIBUTE* attributes, CK_ULONG count) {
    Call call{"C_SetAttributeValue", slot_of(handle)};
    auto* object = writable_object(call, handle, number);
    if (object == nullptr) return call.result;
    for (auto const& attribute : std::span{attributes, count}) {
        auto const* start = static_cast<unsigned char const*>(attribute.pValue);
        object->attributes[attribute.type] = Bytes(start, start + attribute.ulValueLen);
    }
    return CKR_OK;
}

CK_RV set_pin(CK_SESSION_HANDLE handle, unsigned char* old_pin, CK_ULONG old_size, unsigned char* pin, CK_ULONG size) {
    Call call{"C_SetPIN", slot_of(handle)};
    auto const* session = call.session(handle);
    if (session == nullptr) return call.result;
    if (!session->writes) return CKR_SESSION_READ_ONLY;
    auto& token = state->tokens[session->slot];
    if (token.tries_left == 0) return CKR_PIN_LOCKED;
    if (!std::equal(old_pin, old_pin + old_size, token.pin_backwards.rbegin(), token.pin_backwards.rend())) {
        return --token.tries_left == 0 ? CKR_PIN_LOCKED : CKR_PIN_INCORRECT;
    }
    token.tries_left = token.tries;
    token.pin_backwards.assign(std::reverse_iterator{pin + size}, std::reverse_iterator{pin});
    return CKR_OK;
}

CK_RV init_pin(CK_SESSION_HANDLE handle, unsigned char* pin, CK_ULONG size) {
    Call call{"C_InitPIN", slot_of(handle)};
    auto const* session = call.session(handle);
    if (session == nullptr) return call.result;
    auto& token = state->tokens[session->slot];
    if (!token.administrator) return CKR_USER_NOT_LOGGED_IN;
    token.tries_left = token.tries;
    token.pin_backwards.assign(std::reverse_iterator{pin + size}, std::reverse_iterator{pin});
    return CKR_OK;
}

} // namespace
} // namespace tamga::fake

extern "C" CK_RV C_GetFunctionList(CK_FUNCTION_LIST** list) {
    using namespace tamga::fake;
    static CK_FUNCTION_LIST functions = [] {
        CK_FUNCTION_LIST made{};
        made.version = {2, 40};
        made.C_Initialize = initialize;
        made.C_Finalize = finalize;
        made.C_GetFunctionList = C_GetFunctionList;
        made.C_GetSlotList = get_slot_list;
        made.C_GetSlotInfo = get_slot_info;
        made.C_GetTokenInfo = get_token_info;
        made.C_OpenSession = open_session;
        made.C_CloseSession = close_session;
        made.C_Login = login;
        made.C_Logout = logout;
        made.C_FindObjectsInit = find_objects_init;
        made.C_FindObjects = find_objects;
        made.C_FindObjectsFinal = find_objects_final;
        made.C_GetAttributeValue = get_attribute_value;
        made.C_SignInit = sign_init;
        made.C_Sign = sign;
        made.C_GenerateKeyPair = generate_key_pair;
        made.C_CreateObject = create_object;
        made.C_DestroyObject = destroy_object;
        made.C_SetAttributeValue = set_attribute_value;
        made.C_SetPIN = set_pin;
        made.C_InitPIN = init_pin;
        return made;
    }();
    *list = &functions;
    return CKR_OK;
}
