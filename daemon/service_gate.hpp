// Hop 3a, the second question: may this signature be asked for? What a page says of its request meets what catalogues
// say of the service (policy/gate.hpp).
#pragma once

#include "policy/service_book.hpp"
#include "protocol/request.hpp"

#include <string>

namespace tamga::daemon {

/// Loop thread.
class ServiceGate {
public:
    ServiceGate(policy::ServiceBook book, policy::Unclassified unclassified)
        : m_book{std::move(book)}, m_unclassified{unclassified} {}

    /// Adds to `question` what the window shows of the service and of the principal, and to its filter what the service
    /// and the use ask of the signer. Catalogues that changed are read before: blocking then, some milliseconds a file.
    /// Errors: service_unknown, service_origin, eds_not_required, role_missing; too_large (what is said of the
    /// principal).
    Result<void> judge(protocol::Sign const& request, std::string const& origin, Language language,
                       ipc::PromptRequest& question);

private:
    [[nodiscard]] Result<policy::Passed> classified(protocol::Sign const& request, policy::Asking const& asking) const;

    policy::ServiceBook m_book;
    policy::Unclassified m_unclassified;
};

} // namespace tamga::daemon
