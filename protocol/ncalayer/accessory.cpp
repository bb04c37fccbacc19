// kz.gov.pki.ncalayerservices.accessory: by which a page finds out what is installed. Only what is served here is
// named, under the versions of NCALayer 1.4 of 2026, because pages compare them with the least they need.
#include "protocol/ncalayer/json_out.hpp"
#include "protocol/ncalayer/modules.hpp"

namespace tamga::protocol::ncalayer {

Call parse_accessory(boost::json::object const& request) {
    auto const method = string_member(request, "method");
    if (method == "getBundles") {
        return answer(R"({"kz.gov.pki.api.layer.NCALayerServices":"0.7.3",)"
                      R"("kz.gov.pki.osgi.layer.websocket":"0.4.1",)"
                      R"("kz.gov.pki.osgi.layer.common":"0.3.4"})");
    }
    if (method == "getServices") {
        std::string services;
        for (auto const name : {common_utils_module, basics_module, accessory_module}) {
            services += services.empty() ? "" : ",";
            append_string(services, name);
        }
        return answer(R"({"services":[)" + services + "]}");
    }
    if (method == "installBundle") return answer(core_error("MODULE_INSTALL_NOT_SUPPORTED"), Errc::unsupported);
    return answer(core_error("METHOD_NOT_SUPPORTED"), Errc::unsupported);
}

} // namespace tamga::protocol::ncalayer
