// libtamga-gost-pkcs11.so: a loadable Cryptoki module with one token that knows RSA and GOST, 256 and 512 bits. Its
// environment decides what it is like:
//   TAMGA_GOST_TOKEN  the folder with its objects; required. PIN 12345678 until it is changed, ten attempts a process
//   TAMGA_GOST_ORDER  in which order it writes the pair of a signature: s_r (both big-endian; where nothing is said),
//                     r_s, reversed, halves_reversed, or "noise", which is no signature
// It has the functions that tamga-token and pkcs11-tool call; the others are null, so that calling one is noticed.
// Calls come from one thread at a time.
#include "tests/gost_module/objects.hpp"

#include <p11-kit/pkcs11x.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <span>
#include <string>
#include <utility>

namespace tamga::gost_module {
namespace {

constexpr std::string_view first_pin = "12345678";
constexpr CK_ULONG shortest_pin = 4;
constexpr CK_ULONG longest_pin = 16;
constexpr unsigned most_tries = 10;
constexpr CK_MECHANISM_TYPE mechanisms[] = {CKM_RSA_PKCS_KEY_PAIR_GEN,      CKM_RSA_PKCS,  CKM_GOSTR3410_KEY_PAIR_GEN,
                                            CKM_GOSTR3410_512_KEY_PAIR_GEN, CKM_GOSTR3410, CKM_GOSTR3410_512};

struct Session {
    CK_FLAGS flags;
    std::vector<CK_OBJECT_HANDLE> found;
    CK_OBJECT_HANDLE signing_key = 0;
};

struct State {
    std::filesystem::path folder;
    std::string order;
    std::vector<Object> objects; // the handle is the place + 1
    std::map<CK_SESSION_HANDLE, Session> sessions;
    CK_SESSION_HANDLE last_session = 0;
    unsigned tries_left = most_tries;
    bool logged_in = false;
};
std::optional<State> state;

Session* session_of(CK_SESSION_HANDLE handle) {
    if (!state) return nullptr;
    auto const place = state->sessions.find(handle);
    return place == state->sessions.end() ? nullptr : &place->second;
}

Object const* visible_object(CK_OBJECT_HANDLE handle) {
    if (handle == 0 || handle > state->objects.size()) return nullptr;
    auto const& object = state->objects[handle - 1];
    if (object.empty()) return nullptr; // it was destroyed
    return is_private(object) && !state->logged_in ? nullptr : &object;
}

std::filesystem::path pin_file() {
    return state->folder / "pin";
}

std::string pin() {
    std::string changed;
    std::ifstream{pin_file()} >> changed;
    return changed.empty() ? std::string{first_pin} : changed;
}

template <std::size_t N>
void pad(unsigned char (&field)[N], std::string_view text) {
    std::fill(std::begin(field), std::end(field), static_cast<unsigned char>(' '));
    std::copy_n(text.begin(), std::min(text.size(), N), std::begin(field));
}

Object object_from(CK_ATTRIBUTE const* attributes, CK_ULONG count) {
    Object object;
    for (auto const& attribute : std::span{attributes, count}) {
        auto const* start = static_cast<unsigned char const*>(attribute.pValue);
        object[attribute.type] = Bytes(start, start + attribute.ulValueLen);
    }
    return object;
}

/// Keeps it, in memory and in the folder. @return its handle, or 0.
CK_OBJECT_HANDLE keep(Object object) {
    state->objects.push_back(std::move(object));
    auto const handle = state->objects.size();
    return write_object(state->folder, handle, state->objects.back()) ? handle : 0;
}

Bytes in_order(Bytes pair, std::string_view order) {
    auto const middle = pair.begin() + static_cast<std::ptrdiff_t>(pair.size() / 2);
    if (order == "r_s") std::rotate(pair.begin(), middle, pair.end());
    if (order == "reversed") std::reverse(pair.begin(), pair.end());
    if (order == "halves_reversed") {
        std::reverse(pair.begin(), middle);
        std::reverse(middle, pair.end());
    }
    if (order == "noise") pair[pair.size() / 3] ^= 0x10;
    return pair;
}

CK_RV initialize(void*) {
    if (state) return CKR_CRYPTOKI_ALREADY_INITIALIZED;
    char const* folder = std::getenv("TAMGA_GOST_TOKEN");
    char const* order = std::getenv("TAMGA_GOST_ORDER");
    if (folder == nullptr || !std::filesystem::is_directory(folder)) return CKR_GENERAL_ERROR;
    State made;
    made.folder = folder;
    made.order = order != nullptr ? order : "s_r";
    made.objects = read_objects(made.folder);
    state = std::move(made);
    return CKR_OK;
}

CK_RV finalize(void*) {
    state.reset();
    return CKR_OK;
}

CK_RV get_info(CK_INFO* info) {
    *info = {};
    info->cryptokiVersion = {2, 40};
    pad(info->manufacturerID, "Tamga tests");
    pad(info->libraryDescription, "GOST test module");
    return CKR_OK;
}

CK_RV get_slot_list(unsigned char, CK_SLOT_ID* slots, CK_ULONG* count) {
    auto const room = std::exchange(*count, 1);
    if (slots == nullptr) return CKR_OK;
    if (room < 1) return CKR_BUFFER_TOO_SMALL;
    slots[0] = 0;
    return CKR_OK;
}

CK_RV get_slot_info(CK_SLOT_ID slot, CK_SLOT_INFO* info) {
    if (slot != 0) return CKR_SLOT_ID_INVALID;
    *info = {};
    pad(info->slotDescription, "GOST test slot");
    pad(info->manufacturerID, "Tamga tests");
    info->flags = CKF_TOKEN_PRESENT;
    return CKR_OK;
}

CK_RV get_token_info(CK_SLOT_ID slot, CK_TOKEN_INFO* info) {
    if (slot != 0) return CKR_SLOT_ID_INVALID;
    *info = {};
    pad(info->label, "GOST test token");
    pad(info->manufacturerID, "Tamga tests");
    pad(info->model, "gost");
    pad(info->serialNumber, "0001");
    info->ulMinPinLen = shortest_pin;
    info->ulMaxPinLen = longest_pin;
    info->flags = CKF_TOKEN_INITIALIZED | CKF_LOGIN_REQUIRED | CKF_USER_PIN_INITIALIZED;
    if (state->tries_left < most_tries) info->flags |= CKF_USER_PIN_COUNT_LOW;
    if (state->tries_left == 1) info->flags |= CKF_USER_PIN_FINAL_TRY;
    if (state->tries_left == 0) info->flags |= CKF_USER_PIN_LOCKED;
    return CKR_OK;
}

CK_RV get_mechanism_list(CK_SLOT_ID, CK_MECHANISM_TYPE* list, CK_ULONG* count) {
    auto const room = std::exchange(*count, std::size(mechanisms));
    if (list == nullptr) return CKR_OK;
    if (room < std::size(mechanisms)) return CKR_BUFFER_TOO_SMALL;
    std::ranges::copy(mechanisms, list);
    return CKR_OK;
}

CK_RV get_mechanism_info(CK_SLOT_ID, CK_MECHANISM_TYPE mechanism, CK_MECHANISM_INFO* info) {
    if (std::ranges::count(mechanisms, mechanism) == 0) return CKR_MECHANISM_INVALID;
    bool const signs = mechanism == CKM_RSA_PKCS || mechanism == CKM_GOSTR3410 || mechanism == CKM_GOSTR3410_512;
    *info = {0, 0, signs ? CK_FLAGS{CKF_SIGN} : CK_FLAGS{CKF_GENERATE_KEY_PAIR}};
    return CKR_OK;
}

CK_RV open_session(CK_SLOT_ID slot, CK_FLAGS flags, void*, CK_NOTIFY, CK_SESSION_HANDLE* handle) {
    if (slot != 0) return CKR_SLOT_ID_INVALID;
    *handle = ++state->last_session;
    state->sessions[*handle] = {flags, {}};
    return CKR_OK;
}

CK_RV close_session(CK_SESSION_HANDLE handle) {
    return state->sessions.erase(handle) == 1 ? CKR_OK : CKR_SESSION_HANDLE_INVALID;
}

CK_RV close_all_sessions(CK_SLOT_ID) {
    state->sessions.clear();
    state->logged_in = false;
    return CKR_OK;
}

CK_RV get_session_info(CK_SESSION_HANDLE handle, CK_SESSION_INFO* info) {
    auto const* session = session_of(handle);
    if (session == nullptr) return CKR_SESSION_HANDLE_INVALID;
    bool const writes = (session->flags & CKF_RW_SESSION) != 0;
    auto const in = writes ? CKS_RW_USER_FUNCTIONS : CKS_RO_USER_FUNCTIONS;
    auto const out = writes ? CKS_RW_PUBLIC_SESSION : CKS_RO_PUBLIC_SESSION;
    *info = {0, static_cast<CK_STATE>(state->logged_in ? in : out), session->flags, 0};
    return CKR_OK;
}

CK_RV judge_pin(unsigned char const* typed, CK_ULONG size) {
    if (state->tries_left == 0) return CKR_PIN_LOCKED;
    if (as_text({typed, size}) != pin()) return --state->tries_left == 0 ? CKR_PIN_LOCKED : CKR_PIN_INCORRECT;
    state->tries_left = most_tries;
    return CKR_OK;
}

CK_RV login(CK_SESSION_HANDLE handle, CK_USER_TYPE, unsigned char* typed, CK_ULONG size) {
    if (session_of(handle) == nullptr) return CKR_SESSION_HANDLE_INVALID;
    if (state->logged_in) return CKR_USER_ALREADY_LOGGED_IN;
    if (auto const judged = judge_pin(typed, size); judged != CKR_OK) return judged;
    state->logged_in = true;
    return CKR_OK;
}

CK_RV set_pin(CK_SESSION_HANDLE handle, unsigned char* before, CK_ULONG size_before, unsigned char* after,
              CK_ULONG size_after) {
    auto const* session = session_of(handle);
    if (session == nullptr) return CKR_SESSION_HANDLE_INVALID;
    if ((session->flags & CKF_RW_SESSION) == 0) return CKR_SESSION_READ_ONLY;
    if (auto const judged = judge_pin(before, size_before); judged != CKR_OK) return judged;
    if (size_after < shortest_pin || size_after > longest_pin) return CKR_PIN_LEN_RANGE;
    std::ofstream file{pin_file()};
    file << as_text({after, size_after}) << std::flush;
    return file ? CKR_OK : CKR_DEVICE_ERROR;
}

CK_RV logout(CK_SESSION_HANDLE handle) {
    if (session_of(handle) == nullptr) return CKR_SESSION_HANDLE_INVALID;
    return std::exchange(state->logged_in, false) ? CKR_OK : CKR_USER_NOT_LOGGED_IN;
}

CK_RV create_object(CK_SESSION_HANDLE handle, CK_ATTRIBUTE* attributes, CK_ULONG count, CK_OBJECT_HANDLE* made) {
    auto const* session = session_of(handle);
    if (session == nullptr) return CKR_SESSION_HANDLE_INVALID;
    if ((session->flags & CKF_RW_SESSION) == 0) return CKR_SESSION_READ_ONLY;
    if (!state->logged_in) return CKR_USER_NOT_LOGGED_IN;
    *made = keep(object_from(attributes, count));
    return *made != 0 ? CKR_OK : CKR_DEVICE_ERROR;
}

CK_RV generate_key_pair(CK_SESSION_HANDLE handle, CK_MECHANISM* mechanism, CK_ATTRIBUTE* public_attributes,
                        CK_ULONG public_count, CK_ATTRIBUTE* private_attributes, CK_ULONG private_count,
                        CK_OBJECT_HANDLE* public_key, CK_OBJECT_HANDLE* private_key) {
    auto const* session = session_of(handle);
    if (session == nullptr) return CKR_SESSION_HANDLE_INVALID;
    if ((session->flags & CKF_RW_SESSION) == 0) return CKR_SESSION_READ_ONLY;
    if (!state->logged_in) return CKR_USER_NOT_LOGGED_IN;
    auto pair = generate(mechanism->mechanism, object_from(public_attributes, public_count),
                         object_from(private_attributes, private_count));
    if (!pair) return CKR_TEMPLATE_INCONSISTENT;
    *public_key = keep(std::move(pair->public_key));
    *private_key = keep(std::move(pair->private_key));
    return *public_key != 0 && *private_key != 0 ? CKR_OK : CKR_DEVICE_ERROR;
}

CK_RV destroy_object(CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE number) {
    auto const* session = session_of(handle);
    if (session == nullptr) return CKR_SESSION_HANDLE_INVALID;
    if ((session->flags & CKF_RW_SESSION) == 0) return CKR_SESSION_READ_ONLY;
    if (!state->logged_in) return CKR_USER_NOT_LOGGED_IN;
    if (visible_object(number) == nullptr) return CKR_OBJECT_HANDLE_INVALID;
    state->objects[number - 1].clear(); // its number stays taken: those after it keep theirs
    return write_object(state->folder, number, {}) ? CKR_OK : CKR_DEVICE_ERROR;
}

CK_RV find_objects_init(CK_SESSION_HANDLE handle, CK_ATTRIBUTE* attributes, CK_ULONG count) {
    auto* session = session_of(handle);
    if (session == nullptr) return CKR_SESSION_HANDLE_INVALID;
    auto wanted = object_from(attributes, count);
    session->found.clear();
    for (CK_OBJECT_HANDLE number = 1; number <= state->objects.size(); ++number) {
        auto const* object = visible_object(number);
        auto const has = [&](auto const& attribute) {
            auto const own = object->find(attribute.first);
            return attribute.first != secret && own != object->end() && own->second == attribute.second;
        };
        if (object != nullptr && std::ranges::all_of(wanted, has)) session->found.push_back(number);
    }
    return CKR_OK;
}

CK_RV find_objects(CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE* objects, CK_ULONG room, CK_ULONG* count) {
    auto* session = session_of(handle);
    if (session == nullptr) return CKR_SESSION_HANDLE_INVALID;
    *count = std::min<CK_ULONG>(room, session->found.size());
    std::copy_n(session->found.begin(), *count, objects);
    session->found.erase(session->found.begin(), session->found.begin() + static_cast<std::ptrdiff_t>(*count));
    return CKR_OK;
}

CK_RV find_objects_final(CK_SESSION_HANDLE handle) {
    return session_of(handle) != nullptr ? CKR_OK : CKR_SESSION_HANDLE_INVALID;
}

CK_RV get_attribute_value(CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE number, CK_ATTRIBUTE* wanted, CK_ULONG count) {
    if (session_of(handle) == nullptr) return CKR_SESSION_HANDLE_INVALID;
    auto const* object = visible_object(number);
    if (object == nullptr) return CKR_OBJECT_HANDLE_INVALID;
    CK_RV result = CKR_OK;
    for (auto& attribute : std::span{wanted, count}) {
        auto const own = attribute.type == secret ? object->end() : object->find(attribute.type);
        bool const fits =
            own != object->end() && (attribute.pValue == nullptr || attribute.ulValueLen >= own->second.size());
        if (own == object->end()) result = CKR_ATTRIBUTE_TYPE_INVALID;
        if (own != object->end() && !fits) result = CKR_BUFFER_TOO_SMALL;
        attribute.ulValueLen = fits ? own->second.size() : CK_UNAVAILABLE_INFORMATION;
        if (fits && attribute.pValue != nullptr)
            std::ranges::copy(own->second, static_cast<unsigned char*>(attribute.pValue));
    }
    return result;
}

CK_RV sign_init(CK_SESSION_HANDLE handle, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE number) {
    auto* session = session_of(handle);
    if (session == nullptr) return CKR_SESSION_HANDLE_INVALID;
    if (!state->logged_in) return CKR_USER_NOT_LOGGED_IN;
    auto const* object = visible_object(number);
    if (object == nullptr || !object->contains(secret)) return CKR_KEY_HANDLE_INVALID;
    if (mechanism->mechanism != mechanism_of(*object)) return CKR_MECHANISM_INVALID;
    session->signing_key = number;
    return CKR_OK;
}

CK_RV sign_now(CK_SESSION_HANDLE handle, unsigned char* input, CK_ULONG size, unsigned char* signature,
               CK_ULONG* room) {
    auto* session = session_of(handle);
    if (session == nullptr) return CKR_SESSION_HANDLE_INVALID;
    auto const number = std::exchange(session->signing_key, 0);
    if (number == 0) return CKR_OPERATION_NOT_INITIALIZED;
    auto const& key = state->objects[number - 1];
    auto made = sign(key, {input, size});
    if (made.empty()) return CKR_DATA_LEN_RANGE;
    if (mechanism_of(key) != CKM_RSA_PKCS) made = in_order(std::move(made), state->order);
    if (*room < made.size()) return CKR_BUFFER_TOO_SMALL;
    std::ranges::copy(made, signature);
    *room = made.size();
    return CKR_OK;
}

} // namespace
} // namespace tamga::gost_module

extern "C" CK_RV C_GetFunctionList(CK_FUNCTION_LIST** list) {
    using namespace tamga::gost_module;
    static CK_FUNCTION_LIST functions = [] {
        CK_FUNCTION_LIST made{};
        made.version = {2, 40};
        made.C_Initialize = initialize;
        made.C_Finalize = finalize;
        made.C_GetInfo = get_info;
        made.C_GetFunctionList = C_GetFunctionList;
        made.C_GetSlotList = get_slot_list;
        made.C_GetSlotInfo = get_slot_info;
        made.C_GetTokenInfo = get_token_info;
        made.C_GetMechanismList = get_mechanism_list;
        made.C_GetMechanismInfo = get_mechanism_info;
        made.C_OpenSession = open_session;
        made.C_CloseSession = close_session;
        made.C_CloseAllSessions = close_all_sessions;
        made.C_GetSessionInfo = get_session_info;
        made.C_Login = login;
        made.C_Logout = logout;
        made.C_SetPIN = set_pin;
        made.C_CreateObject = create_object;
        made.C_DestroyObject = destroy_object;
        made.C_GenerateKeyPair = generate_key_pair;
        made.C_FindObjectsInit = find_objects_init;
        made.C_FindObjects = find_objects;
        made.C_FindObjectsFinal = find_objects_final;
        made.C_GetAttributeValue = get_attribute_value;
        made.C_SignInit = sign_init;
        made.C_Sign = sign_now;
        return made;
    }();
    *list = &functions;
    return CKR_OK;
}
