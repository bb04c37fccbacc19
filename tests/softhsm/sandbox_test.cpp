// What a module can do to the machine: tried from inside one, in the real tamga-token.
#include "tests/fake_module/attempts.hpp"
#include "tests/softhsm/fake_tokens.hpp"

#include <algorithm>
#include <cerrno>

namespace tamga::test {
namespace {

class TokenSandbox : public FakeTokens {
protected:
    explicit TokenSandbox(std::string const& module = "") : FakeTokens{{.module = module}} {}

    /// What the module wrote of its attempt: errno, or "" where it made none.
    std::string attempt(std::string const& what) {
        token.knobs("attempt C_GetTokenInfo " + what + "\n");
        driver.list(ipc::Depth::tokens);
        for (auto const& line : token.log()) {
            if (line.starts_with(what + " ")) return line.substr(what.size() + 1);
        }
        return "";
    }
    std::string const refused = std::to_string(EPERM);
    std::string const done = "0";
};

class PermittedSandbox : public TokenSandbox {
protected:
    PermittedSandbox() : TokenSandbox{"allow = \"network\"\n"} {}
};

TEST(Attempts, AreRealOutsideTheSandbox) {
    EXPECT_EQ(fake::attempt("inet"), 0);
    EXPECT_EQ(fake::attempt("unix"), 0);
    EXPECT_EQ(fake::attempt("netlink"), 0);
    EXPECT_EQ(fake::attempt("execute"), ENOENT);
    EXPECT_EQ(fake::attempt("fork"), 0);
    EXPECT_EQ(fake::attempt("signal_parent"), 0);
    EXPECT_EQ(fake::attempt("dumpable"), 0);
    EXPECT_EQ(fake::attempt("nonsense"), -1);
}

TEST_F(TokenSandbox, S12_RefusesAModuleTheNetwork) {
    for (char const* what : {"inet", "inet6", "packet", "io_uring"})
        EXPECT_EQ(attempt(what), refused) << what;
}

TEST_F(TokenSandbox, LeavesItWhatTokensNeed) {
    EXPECT_EQ(attempt("unix"), done);
    EXPECT_EQ(attempt("netlink"), done);
}

TEST_F(TokenSandbox, RefusesItOtherProcessesAndTheMachine) {
    for (char const* what : {"execute", "ptrace", "read_memory", "write_memory", "mount", "keys", "bpf"})
        EXPECT_EQ(attempt(what), refused) << what;
    EXPECT_EQ(attempt("parent_memory"), std::to_string(EACCES));
}

TEST_F(TokenSandbox, S12_LetsItMakeNoProcessThatOutlivesItAndEndNoOther) {
    for (char const* what : {"fork", "session", "signal_parent"})
        EXPECT_EQ(attempt(what), refused) << what;
}

TEST_F(TokenSandbox, S6_LeavesNoCoreDumpAndNobodyToLookAtIt) {
    EXPECT_EQ(attempt("core_limit"), refused);
    EXPECT_EQ(attempt("dumpable"), refused);
}

TEST_F(PermittedSandbox, IsOpenWhereTheConfigurationSaysSoAndNowhereElse) {
    EXPECT_EQ(attempt("inet"), done);
    EXPECT_EQ(attempt("ptrace"), refused);
    EXPECT_EQ(attempt("execute"), refused);
}

} // namespace
} // namespace tamga::test
