// What a PKCS#11 module takes by itself, without anything of ours around it. SOFTHSM2_CONF names the token.
//   tamga-bare-loop MODULE PIN loop N 0          one login, then N times C_SignInit and C_Sign: prints the seconds of
//   the N tamga-bare-loop MODULE PIN requests N PAUSE  N times, PAUSE ms between, login, find, sign, logout: prints the
//   ms of each
// The DigestInfo that is signed is made beforehand: no hashing is timed.
#include <dlfcn.h>
#include <p11-kit/pkcs11.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

/// SHA-256's DigestInfo (RFC 8017, section 9.2, note 1) around 32 octets.
constexpr std::array<CK_BYTE, 51> digest_info{0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
                                              0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20};

void check(CK_RV rv, char const* call) {
    if (rv != CKR_OK) throw std::runtime_error{std::string{call} + ": " + std::to_string(rv)};
}

class Token {
public:
    Token(char const* module, std::string pin) : m_pin{std::move(pin)} {
        auto* const library = ::dlopen(module, RTLD_NOW | RTLD_LOCAL);
        if (library == nullptr) throw std::runtime_error{::dlerror()};
        auto const list = reinterpret_cast<CK_C_GetFunctionList>(::dlsym(library, "C_GetFunctionList"));
        if (list == nullptr) throw std::runtime_error{"no C_GetFunctionList"};
        check(list(&m_functions), "C_GetFunctionList");
        check(m_functions->C_Initialize(nullptr), "C_Initialize");
        CK_ULONG count = 1;
        auto const rv = m_functions->C_GetSlotList(CK_TRUE, &m_slot, &count);
        if (rv != CKR_BUFFER_TOO_SMALL) check(rv, "C_GetSlotList"); // SoftHSM2 has an empty slot after the token's
        if (rv == CKR_BUFFER_TOO_SMALL) {
            std::vector<CK_SLOT_ID> slots(count);
            check(m_functions->C_GetSlotList(CK_TRUE, slots.data(), &count), "C_GetSlotList");
            m_slot = slots.front();
        }
    }

    void login() {
        check(m_functions->C_OpenSession(m_slot, CKF_SERIAL_SESSION, nullptr, nullptr, &m_session), "C_OpenSession");
        auto* const pin = reinterpret_cast<CK_UTF8CHAR*>(m_pin.data());
        check(m_functions->C_Login(m_session, CKU_USER, pin, m_pin.size()), "C_Login");
    }
    void find() {
        CK_OBJECT_CLASS private_key = CKO_PRIVATE_KEY;
        CK_ATTRIBUTE wanted{CKA_CLASS, &private_key, sizeof private_key};
        CK_ULONG count = 0;
        check(m_functions->C_FindObjectsInit(m_session, &wanted, 1), "C_FindObjectsInit");
        check(m_functions->C_FindObjects(m_session, &m_key, 1, &count), "C_FindObjects");
        check(m_functions->C_FindObjectsFinal(m_session), "C_FindObjectsFinal");
        if (count != 1) throw std::runtime_error{"no key"};
    }
    void sign() {
        CK_MECHANISM mechanism{CKM_RSA_PKCS, nullptr, 0};
        std::array<CK_BYTE, 1024> signature{};
        CK_ULONG size = signature.size();
        check(m_functions->C_SignInit(m_session, &mechanism, m_key), "C_SignInit");
        auto* const input = const_cast<CK_BYTE*>(digest_info.data()); // Cryptoki reads it alone
        check(m_functions->C_Sign(m_session, input, digest_info.size(), signature.data(), &size), "C_Sign");
    }
    void logout() {
        check(m_functions->C_Logout(m_session), "C_Logout");
        check(m_functions->C_CloseSession(m_session), "C_CloseSession");
    }

private:
    std::string m_pin;
    CK_FUNCTION_LIST* m_functions = nullptr;
    CK_SLOT_ID m_slot = 0;
    CK_SESSION_HANDLE m_session = 0;
    CK_OBJECT_HANDLE m_key = 0;
};

template <class Unit, class Work>
double timed(Work work) {
    auto const start = Clock::now();
    work();
    return std::chrono::duration<double, Unit>(Clock::now() - start).count();
}

void run(std::vector<std::string> const& arguments) {
    if (arguments.size() != 5) throw std::runtime_error{"usage: tamga-bare-loop MODULE PIN loop|requests N PAUSE_MS"};
    Token token{arguments[0].c_str(), arguments[1]};
    auto const times = std::stoi(arguments[3]);
    std::chrono::milliseconds const pause{std::stoi(arguments[4])};
    if (arguments[2] == "loop") {
        token.login();
        token.find();
        token.sign(); // the module unwraps the key at its first use
        std::cout << timed<std::ratio<1>>([&] {
            for (int i = 0; i < times; ++i)
                token.sign();
        }) << '\n';
        return;
    }
    for (int i = 0; i < times; ++i) {
        std::this_thread::sleep_for(pause);
        std::cout << timed<std::milli>([&] {
            token.login();
            token.find();
            token.sign();
            token.logout();
        }) << '\n';
    }
}

} // namespace

int main(int argc, char** argv) {
    try {
        run({argv + 1, argv + argc});
        return EXIT_SUCCESS;
    } catch (std::exception const& error) {
        std::cerr << error.what() << '\n';
        return EXIT_FAILURE;
    }
}
