#include "keyfile/wiping_memory.hpp"

#include "base/secret.hpp"

#include <openssl/crypto.h>

#include <malloc.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace tamga::keyfile {

namespace {

void* allocate(std::size_t size, char const*, int) {
    return std::malloc(size);
}

void release(void* memory, char const*, int) {
    if (memory == nullptr) return;
    wipe({static_cast<unsigned char*>(memory), ::malloc_usable_size(memory)});
    std::free(memory);
}

/// realloc(3) would free the old place unwiped.
void* reallocate(void* memory, std::size_t size, char const* file, int line) {
    if (memory == nullptr) return std::malloc(size);
    if (size == 0) {
        release(memory, file, line);
        return nullptr;
    }
    auto const before = ::malloc_usable_size(memory);
    auto* const moved = std::malloc(size);
    if (moved == nullptr) return nullptr;
    std::memcpy(moved, memory, std::min(before, size));
    release(memory, file, line);
    return moved;
}

} // namespace

bool wipe_what_openssl_frees() noexcept {
    return ::CRYPTO_set_mem_functions(allocate, reallocate, release) == 1;
}

} // namespace tamga::keyfile
