#include "daemon/service_gate.hpp"

#include "signing/certificate.hpp"

#include <algorithm>
#include <ctime>

namespace tamga::daemon {

namespace {

using protocol::Use;

constexpr std::size_t most_octets_of_a_claim = 1000; ///< for each part of it; the window shows 200 characters

Result<ipc::Principal> principal_of(protocol::OnBehalfOf const& claim) {
    for (auto const* part : {&claim.name, &claim.id_number, &claim.authority}) {
        if (part->size() > most_octets_of_a_claim) return Error{Errc::too_large, "on whose behalf"};
    }
    return ipc::Principal{claim.name, claim.id_number, claim.authority};
}

/// What its protocol cannot say is taken from the key that is wanted: one for authentication alone signs in.
Use use_of(protocol::Sign const& request) {
    bool const signs_in = request.claim.use == Use::unnamed && request.purpose == ipc::Purpose::sign_in;
    return signs_in ? Use::sign_in : request.claim.use;
}

/// Which key a use takes (S21). Where the protocol has no word for the use, the page has named the key itself.
std::string_view usage_for(Use use) {
    switch (use) {
    case Use::unnamed: return {};
    case Use::sign_in: return signing::eku_client_auth;
    case Use::service_request:
    case Use::key_account:
    case Use::document: return signing::eku_email_protection;
    }
    return {};
}

void demand(std::vector<std::string>& usages, std::string_view usage) {
    if (!usage.empty() && std::ranges::find(usages, usage) == usages.end()) usages.emplace_back(usage);
}

/// What the page asks of the signer's role holds beside what the service does. Error: role_missing (none is both).
Result<void> demand_roles(std::vector<std::string>& roles, std::vector<std::string> const& of_service) {
    if (of_service.empty()) return ok();
    if (roles.empty()) {
        roles = of_service;
        return ok();
    }
    std::erase_if(roles,
                  [&](std::string const& role) { return std::ranges::find(of_service, role) == of_service.end(); });
    return roles.empty() ? Result<void>{Error{Errc::role_missing, "the page asks for another than the service"}} : ok();
}

policy::Passed without_service(ipc::Classified shown) {
    policy::Passed passed;
    passed.shown.classified = shown;
    return passed;
}

} // namespace

Result<policy::Passed> ServiceGate::classified(protocol::Sign const& request, policy::Asking const& asking) const {
    switch (use_of(request)) {
    case Use::unnamed: return policy::judge_unnamed(m_book.services(), m_unclassified, asking);
    case Use::service_request: return policy::judge_service(m_book.services(), request.claim.service, asking);
    case Use::sign_in: return without_service(ipc::Classified::not_asked);
    case Use::key_account: return without_service(ipc::Classified::key_account);
    case Use::document: return without_service(ipc::Classified::document);
    }
    return Errc::internal;
}

Result<void> ServiceGate::judge(protocol::Sign const& request, std::string const& origin, Language language,
                                ipc::PromptRequest& question) {
    auto principal = principal_of(request.claim.on_behalf_of);
    if (!principal) return principal.error();
    auto const now = static_cast<std::int64_t>(std::time(nullptr));
    if (use_of(request) == Use::unnamed || use_of(request) == Use::service_request) m_book.refresh(now);
    auto passed = classified(request, {origin, language, now});
    if (!passed) return passed.error();
    // A service that was told from the site is asked for by a signature like one that was named.
    auto const use = passed->shown.inferred ? Use::service_request : use_of(request);
    demand(question.filter.extended_key_usages, usage_for(use));
    if (auto both = demand_roles(question.filter.roles, passed->roles); !both) return both.error();
    if (use == Use::sign_in) question.purpose = ipc::Purpose::sign_in;
    question.service = std::move(passed->shown);
    question.principal = *std::move(principal);
    return ok();
}

} // namespace tamga::daemon
