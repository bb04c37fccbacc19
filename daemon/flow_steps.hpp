// The way of one sign request, as a list: what README.md tells a newcomer is compared with it
// (tests/unit/readme_test.cpp).
#pragma once

#include <string_view>

namespace tamga::daemon {

struct FlowStep {
    std::string_view id;    ///< as in README.md; never renumbered
    std::string_view name;  ///< one or two words, stable
    std::string_view where; ///< file or folder, from the root
};

inline constexpr FlowStep flow_steps[] = {
    {"0", "accept", "daemon/server/connection.cpp"},
    {"1", "frame", "daemon/server/connection.cpp"},
    {"2", "parse", "protocol/ncalayer/"},
    {"3", "flow", "daemon/sign_flow.cpp"},
    {"3a", "policy", "policy/"},
    {"3b", "candidates", "prompt/plugged_in.cpp"},
    {"3c", "consent", "prompt/conversation.hpp"},
    {"3d", "prepare", "signing/"},
    {"3e", "sign", "pkcs11/lease.cpp"},
    {"3f", "finish", "signing/"},
    {"4", "render", "protocol/ncalayer/render.cpp"},
};

} // namespace tamga::daemon
