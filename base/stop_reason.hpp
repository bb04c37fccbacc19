// What tamgad asks of tamga-web when it tells it to stop: the octet that ipc::Stop carries.
#pragma once

#include <cstdint>

namespace tamga::ipc {

enum class StopReason : std::uint8_t {
    now,          ///< what is under way is called off
    when_answered ///< take nothing new, answer what was asked, then exit
};

} // namespace tamga::ipc
