// tamga-p11check MODULE: loads a PKCS#11 module as other programs do, through libp11 and without our sandbox, and
// counts what it shows. The second opinion of `tamga doctor` on a module that fails us: does it fail everybody? Started
// under a watchdog; nothing else of Tamga uses it, and no PIN comes near it.
#include <libp11.h>

#include <cstdlib>
#include <iostream>
#include <memory>

namespace {

struct FreeContext {
    void operator()(::PKCS11_CTX* context) const noexcept { ::PKCS11_CTX_free(context); }
};

int count(char const* module) {
    std::unique_ptr<::PKCS11_CTX, FreeContext> const context{::PKCS11_CTX_new()};
    if (!context || ::PKCS11_CTX_load(context.get(), module) != 0) return EXIT_FAILURE;
    ::PKCS11_SLOT* slots = nullptr;
    unsigned slot_count = 0;
    if (::PKCS11_enumerate_slots(context.get(), &slots, &slot_count) != 0) return EXIT_FAILURE;
    unsigned tokens = 0;
    unsigned certificates = 0;
    for (unsigned i = 0; i < slot_count; ++i) {
        if (slots[i].token == nullptr || slots[i].token->initialized == 0) continue;
        ++tokens;
        ::PKCS11_CERT* found = nullptr;
        unsigned here = 0;
        if (::PKCS11_enumerate_certs(slots[i].token, &found, &here) == 0) certificates += here;
    }
    std::cout << "slots " << slot_count << ", tokens " << tokens << ", certificates " << certificates << std::endl;
    // Ended as it stands: what a module does when it is unloaded is not what was asked.
    std::_Exit(EXIT_SUCCESS);
}

} // namespace

int main(int argument_count, char** arguments) {
    if (argument_count != 2) {
        std::cerr << "usage: tamga-p11check MODULE\n";
        return 2;
    }
    return count(arguments[1]);
}
