#include "daemon/key_description.hpp"

namespace tamga::daemon {

protocol::ChosenCertificate describe(signing::Certificate const& certificate) {
    return protocol::ChosenCertificate{certificate.der()};
}

}  // namespace tamga::daemon
