#include "pkcs11/card_clients.hpp"

#include <link.h>

#include <string_view>

namespace tamga::pkcs11 {

bool uses_card_service() {
    auto const is_client = [](::dl_phdr_info* library, std::size_t, void*) {
        return std::string_view{library->dlpi_name}.find("/libpcsclite.so") != std::string_view::npos ? 1 : 0;
    };
    return ::dl_iterate_phdr(is_client, nullptr) != 0;
}

} // namespace tamga::pkcs11
