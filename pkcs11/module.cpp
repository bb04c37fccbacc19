#include "pkcs11/module.hpp"

#include "base/log.hpp"
#include "base/trusted_file.hpp"
#include "base/utf8.hpp"
#include "pkcs11/card_clients.hpp"
#include "pkcs11/cryptoki_error.hpp"

#include <dlfcn.h>

#include <algorithm>
#include <utility>

namespace tamga::pkcs11 {

namespace {

constexpr CK_ULONG most_slots = 256;

Error unloadable(ModuleConfig const& config, std::string const& why) {
    return {Errc::module_unloadable, config.name + ": " + why};
}

} // namespace

std::string padded_text(View field) {
    // The standard pads with blanks; some modules end with zero octets instead.
    while (!field.empty() && (field.back() == ' ' || field.back() == 0))
        field = field.first(field.size() - 1);
    std::string text;
    while (!field.empty()) {
        auto const character = first_character(as_text(field));
        text += character.valid ? as_text(field.first(character.size)) : std::string_view{"\uFFFD"};
        field = field.subspan(character.size);
    }
    return text;
}

Result<std::unique_ptr<Module>> Module::load(ModuleConfig const& config, Readers const& readers) {
    if (config.fault) return *config.fault;
    auto const path = trusted_path(config.path);
    if (!path) {
        auto const& error = path.error();
        return error.code == Errc::file_untrusted ? error : unloadable(config, error.detail);
    }
    void* const library = ::dlopen(path->c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) return unloadable(config, ::dlerror());
    auto const get_function_list = reinterpret_cast<CK_C_GetFunctionList>(::dlsym(library, "C_GetFunctionList"));
    if (get_function_list == nullptr) return unloadable(config, "no C_GetFunctionList");

    CK_FUNCTION_LIST_PTR functions = nullptr;
    if (auto got = check(get_function_list(&functions), "C_GetFunctionList"); !got || functions == nullptr) {
        return unloadable(config, "C_GetFunctionList failed");
    }
    CK_C_INITIALIZE_ARGS arguments{};
    arguments.flags = CKF_OS_LOCKING_OK;
    if (auto initialized = check(functions->C_Initialize(&arguments), "C_Initialize"); !initialized) {
        return unloadable(config, initialized.error().detail);
    }
    log::info("module", {{"name", config.name}, {"path", path->string()}});
    return std::unique_ptr<Module>{new Module{functions, config, readers}};
}

Module::Module(CK_FUNCTION_LIST const* functions, ModuleConfig config, Readers const& readers)
    : m_functions{functions},
      m_config{std::move(config)},
      m_readers{readers},
      m_uses_card_service{pkcs11::uses_card_service()} {}

Module::~Module() {
    if (auto done = check(m_functions->C_Finalize(nullptr), "C_Finalize"); !done) {
        log::warning("module", {{"error", done.error().detail}});
    }
}

Result<std::vector<ipc::SlotId>> Module::slots() const {
    CK_ULONG count = 0;
    if (auto got = check(m_functions->C_GetSlotList(CK_TRUE, nullptr, &count), "C_GetSlotList"); !got)
        return got.error();
    if (count > most_slots) return Error{Errc::token_failure, "C_GetSlotList: more slots than can be"};
    // A token may come between the two calls: room for it, instead of asking for ever.
    std::vector<CK_SLOT_ID> numbers(count + 8);
    auto const room = numbers.size();
    count = room;
    if (auto got = check(m_functions->C_GetSlotList(CK_TRUE, numbers.data(), &count), "C_GetSlotList"); !got) {
        return got.error();
    }
    numbers.resize(std::min<std::size_t>(count, room));
    return std::vector<ipc::SlotId>(numbers.begin(), numbers.end());
}

namespace {

/// What cannot be a length was not told.
std::uint32_t pin_length(CK_ULONG told) {
    return told <= Pin::max_size ? static_cast<std::uint32_t>(told) : 0;
}

/// OpenSC adds the name of the PIN, which means nothing to people where there is only the usual one.
std::string label_of(View field) {
    constexpr std::string_view usual = " (User PIN)";
    auto label = padded_text(field);
    if (label.size() > usual.size() && label.ends_with(usual)) label.resize(label.size() - usual.size());
    return label;
}

std::optional<std::uint64_t> free_octets(CK_ULONG in_all, CK_ULONG free) {
    constexpr CK_ULONG unknown_to_32_bits = 0xffffffff;
    bool const told = in_all != 0 && free != CK_UNAVAILABLE_INFORMATION && free != unknown_to_32_bits;
    return told ? std::optional<std::uint64_t>{free} : std::nullopt;
}

} // namespace

Module::Room Module::room(ipc::SlotId slot) const {
    CK_TOKEN_INFO raw{};
    if (!check(m_functions->C_GetTokenInfo(slot.value(), &raw), "C_GetTokenInfo")) return {};
    return {free_octets(raw.ulTotalPublicMemory, raw.ulFreePublicMemory),
            free_octets(raw.ulTotalPrivateMemory, raw.ulFreePrivateMemory)};
}

Result<ipc::TokenInfo> Module::token_info(ipc::SlotId slot) const {
    CK_TOKEN_INFO raw{};
    if (auto got = check(m_functions->C_GetTokenInfo(slot.value(), &raw), "C_GetTokenInfo"); !got) return got.error();
    if ((raw.flags & CKF_TOKEN_INITIALIZED) == 0) return Error{Errc::token_absent, "not initialised"};
    auto const has = [&](CK_FLAGS flag) { return (raw.flags & flag) != 0; };
    ipc::TokenInfo info;
    info.label = label_of(raw.label);
    info.manufacturer = padded_text(raw.manufacturerID);
    info.model = padded_text(raw.model);
    info.serial = padded_text(raw.serialNumber);
    info.login_required = has(CKF_LOGIN_REQUIRED);
    info.pin_on_reader = has(CKF_PROTECTED_AUTHENTICATION_PATH);
    info.pin_count_low = has(CKF_USER_PIN_COUNT_LOW);
    info.pin_final_try = has(CKF_USER_PIN_FINAL_TRY);
    info.pin_locked = has(CKF_USER_PIN_LOCKED);
    info.pin_initialized = has(CKF_USER_PIN_INITIALIZED);
    info.shortest_pin = pin_length(raw.ulMinPinLen);
    info.longest_pin = pin_length(raw.ulMaxPinLen);
    if (info.pin_final_try) info.attempts_left = 1;
    if (info.pin_locked) info.attempts_left = 0;
    info.wrong_tries_seen = m_wrong_tries.seen(info);
    bool const is_shown = std::exchange(info.pin_locked, m_wrong_tries.is_locked(info));
    if (info.pin_locked && !is_shown) { // what the flags say is of before the lock
        info.pin_count_low = info.pin_final_try = false;
        info.attempts_left.reset();
    }
    auto const reader = slot_description(slot);
    if (!m_config.introduce(m_readers.atr(reader).value_or(Bytes{}), reader, info)) {
        return Error{Errc::token_absent, "left to another module: " + info.family};
    }
    return info;
}

bool same_token(ipc::TokenInfo const& one, ipc::TokenInfo const& other) {
    return one.serial == other.serial && one.model == other.model && one.manufacturer == other.manufacturer &&
           one.label == other.label;
}

Result<void> ShownToken::is_still(ipc::TokenInfo const& now) const {
    if (!same_token(info, now)) return Error{Errc::token_absent, "another token is in its place"};
    if (card.pulled_out()) return Error{Errc::token_absent, "it was pulled out since it was shown"};
    return ok();
}

CardInPlace Module::card_in(ipc::SlotId slot) const {
    if (!m_uses_card_service) return {};
    auto const since = m_readers.removals();
    return {m_readers, slot_description(slot), since};
}

std::string Module::slot_description(ipc::SlotId slot) const {
    CK_SLOT_INFO raw{};
    auto const got = check(m_functions->C_GetSlotInfo(slot.value(), &raw), "C_GetSlotInfo");
    return got ? padded_text(raw.slotDescription) : std::string{};
}

} // namespace tamga::pkcs11
