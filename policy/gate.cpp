#include "policy/gate.hpp"

#include "policy/origin.hpp"

#include <algorithm>

namespace tamga::policy {

namespace {

bool counts(KnownService const& known, std::int64_t now) {
    return known.valid_from <= now && now <= known.valid_until;
}

bool belongs_to(Service const& service, std::string_view origin) {
    auto const parsed = parse_origin(origin);
    return parsed && parsed->scheme == "https" && service.origins.contains(parsed->host_and_port());
}

Result<ipc::Classified> shown_as(Method method) {
    switch (method) {
    case Method::login_and_password: return Errc::eds_not_required;
    case Method::one_time_password: return ipc::Classified::one_time_password;
    case Method::eds: return ipc::Classified::eds;
    // Nothing in the Rules forbids an EDS there: the person is told, and decides.
    case Method::none_named: return ipc::Classified::no_method;
    }
    return Errc::internal;
}

Result<Passed> judge(KnownService const& known, Asking const& asking) {
    auto const& service = known.service;
    if (!belongs_to(service, asking.origin)) return Error{Errc::service_origin, service.id};
    auto const classified = shown_as(known.classification.method);
    if (!classified) return Error{classified.error().code, service.id};
    Passed passed;
    passed.shown = {*classified, false, service.name.in(asking.language), known.body.in(asking.language)};
    passed.roles = service.roles;
    return passed;
}

} // namespace

Result<Passed> judge_service(KnownServices const& known, std::string_view id, Asking const& asking) {
    auto const found = std::ranges::find_if(
        known, [&](KnownService const& each) { return each.service.id == id && counts(each, asking.now); });
    // What a page made up is not repeated into the log.
    if (found == known.end()) return Error{Errc::service_unknown, "in no catalogue that is in effect"};
    return judge(*found, asking);
}

Result<Passed> judge_unnamed(KnownServices const& known, Unclassified unclassified, Asking const& asking) {
    auto const of_this_site = [&](KnownService const& each) {
        return counts(each, asking.now) && belongs_to(each.service, asking.origin);
    };
    auto const only = std::ranges::find_if(known, of_this_site);
    if (only == known.end() || std::ranges::count_if(known, of_this_site) != 1) {
        if (unclassified == Unclassified::refused)
            return Error{Errc::service_unknown, "the request names none, and the site has none or several"};
        Passed passed;
        passed.shown.classified = ipc::Classified::unclassified;
        return passed;
    }
    auto passed = judge(*only, asking);
    if (passed) passed->shown.inferred = true;
    return passed;
}

} // namespace tamga::policy
