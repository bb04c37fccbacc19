#include "protocol/ncalayer/ncalayer.hpp"

#include "protocol/ncalayer/json_in.hpp"
#include "protocol/ncalayer/json_out.hpp"
#include "protocol/ncalayer/modules.hpp"

#include <algorithm>

namespace tamga::protocol::ncalayer {

bool is_storage_name(std::string_view name) noexcept {
    return std::find(storage_names.begin(), storage_names.end(), name) != storage_names.end();
}

std::string_view string_member(boost::json::object const& object, std::string_view key) noexcept {
    auto const* member = object.if_contains(key);
    if (member == nullptr || !member->is_string()) return {};
    return member->get_string();
}

std::string base64_message(Error const& error) {
    if (error.detail.empty()) return "Input byte array has wrong 4-byte ending unit";
    auto const digits = error.detail.front() == '0' ? error.detail.substr(1) : error.detail; // Integer.toString(b, 16)
    return "Illegal base64 character " + digits;
}

Call parse(std::string text) {
    auto value = parse_json(std::move(text));
    if (!value || !value->is_object()) return answer(core_error("MODULE_NOT_FOUND"), Errc::bad_request);
    auto& request = value->get_object();
    if (request.empty()) return {Silence{}, {}, {}};
    auto const module_name = string_member(request, "module");
    if (module_name == common_utils_module) return parse_common_utils(request);
    if (module_name == basics_module) return parse_basics(request);
    if (module_name == accessory_module) return parse_accessory(request);
    // Without a module the old applet would be meant, which NCALayer itself no longer has; its pages look at errorCode.
    return answer(core_error("MODULE_NOT_FOUND"), Errc::unsupported);
}

} // namespace tamga::protocol::ncalayer
