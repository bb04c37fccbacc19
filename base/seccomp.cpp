#include "base/seccomp.hpp"

#include <sys/ioctl.h>

#include <algorithm>
#include <cerrno>

#ifdef __SANITIZE_ADDRESS__
// The leak check at exit clones a process and ptraces this one: just what is refused.
extern "C" char const* __asan_default_options() {
    return "detect_leaks=0";
}
#endif

namespace tamga::sandbox {

namespace {

/// For every thread; `failure` is what came of making the rules.
Result<void> load(scmp_filter_ctx filter, int failure) {
    if (failure == 0) failure = ::seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
    if (failure == 0) failure = ::seccomp_load(filter);
    return failure == 0 ? ok() : Result<void>{system_error("seccomp", -failure)};
}

} // namespace

Refusals::Refusals() : m_filter{::seccomp_init(SCMP_ACT_ALLOW)} {
    if (!m_filter) m_first_failure = -ENOMEM;
}

void Refusals::keep(int code) noexcept {
    if (m_first_failure == 0) m_first_failure = code;
}

void Refusals::refuse(std::span<int const> calls) {
    for (int const call : calls)
        keep(::seccomp_rule_add_array(m_filter.get(), SCMP_ACT_ERRNO(EPERM), call, 0, nullptr));
}

void Refusals::refuse_where(int call, ::scmp_arg_cmp condition) {
    keep(::seccomp_rule_add_array(m_filter.get(), SCMP_ACT_ERRNO(EPERM), call, 1, &condition));
}

void Refusals::pretend_absent(int call) {
    keep(::seccomp_rule_add_array(m_filter.get(), SCMP_ACT_ERRNO(ENOSYS), call, 0, nullptr));
}

void Refusals::refuse_sockets_but(std::initializer_list<unsigned> families) {
    // One condition for an argument is all a rule may have: so each family by its number, and all beyond.
    constexpr unsigned numbered = 64;
    for (unsigned family = 0; family < numbered; ++family) {
        if (std::find(families.begin(), families.end(), family) != families.end()) continue;
        refuse_where(SCMP_SYS(socket), ::scmp_arg_cmp{0, SCMP_CMP_EQ, family, 0});
    }
    refuse_where(SCMP_SYS(socket), ::scmp_arg_cmp{0, SCMP_CMP_GE, numbered, 0});
}

void refuse_typing_into_terminals(Refusals& refusals) {
    // The kernel looks at 32 bits of the request.
    for (auto const request : {scmp_datum_t{TIOCSTI}, scmp_datum_t{TIOCLINUX}})
        refusals.refuse_where(SCMP_SYS(ioctl), ::scmp_arg_cmp{1, SCMP_CMP_MASKED_EQ, 0xffffffffUL, request});
}

Result<void> Refusals::enter() {
    return load(m_filter.get(), m_first_failure);
}

Allowances::Allowances() : m_filter{::seccomp_init(SCMP_ACT_ERRNO(EPERM))} {
    if (!m_filter) m_first_failure = -ENOMEM;
}

void Allowances::keep(int code) noexcept {
    if (m_first_failure == 0) m_first_failure = code;
}

void Allowances::allow(std::initializer_list<int> calls) {
    for (int const call : calls)
        keep(::seccomp_rule_add_array(m_filter.get(), SCMP_ACT_ALLOW, call, 0, nullptr));
}

void Allowances::allow_where(int call, ::scmp_arg_cmp condition) {
    keep(::seccomp_rule_add_array(m_filter.get(), SCMP_ACT_ALLOW, call, 1, &condition));
}

void Allowances::pretend_absent(int call) {
    keep(::seccomp_rule_add_array(m_filter.get(), SCMP_ACT_ERRNO(ENOSYS), call, 0, nullptr));
}

Result<void> Allowances::enter() {
    return load(m_filter.get(), m_first_failure);
}

} // namespace tamga::sandbox
