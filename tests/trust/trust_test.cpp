// trust/: the local authority, its generations and the browsers' stores. Certificates are judged by the openssl and
// certutil programs, not by our own code.
#include "cli/trust.hpp"
#include "tests/support/scratch.hpp"

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <sys/stat.h>

#include <cstdio>
#include <fstream>
#include <set>
#include <sstream>

namespace tamga::trust {
namespace {

namespace fs = std::filesystem;
using std::chrono::days;
using namespace std::chrono_literals;

struct Ran {
    int exit_code = -1;
    std::string output;
};

Ran run(std::string const& command) {
    Ran ran;
    auto* const pipe = ::popen((command + " 2>&1 </dev/null").c_str(), "r");
    std::array<char, 4096> buffer{};
    for (std::size_t size = 0; (size = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) {
        ran.output.append(buffer.data(), size);
    }
    ran.exit_code = WEXITSTATUS(::pclose(pipe));
    return ran;
}

void write(fs::path const& path, ::X509* certificate) {
    auto* const file = std::fopen(path.c_str(), "w");
    ::PEM_write_X509(file, certificate);
    std::fclose(file);
}

mode_t mode_of(fs::path const& path) {
    struct ::stat status {};
    return ::stat(path.c_str(), &status) == 0 ? status.st_mode & 07777 : 0;
}

std::string contents(fs::path const& path) {
    std::ostringstream text;
    text << std::ifstream{path}.rdbuf();
    return text.str();
}

class LocalCa : public ::testing::Test {
protected:
    LocalTls at(TimePoint time) {
        auto tls = load_or_create(folder, time);
        EXPECT_TRUE(tls) << tls.error().detail;
        return tls ? *tls : LocalTls{};
    }
    Ran verify(fs::path const& certificate, fs::path const& authority, std::string const& more = {}) {
        return run("openssl verify -purpose sslserver -x509_strict " + more + " -CAfile " + authority.string() + " " +
                   certificate.string());
    }

    test::Scratch home;
    fs::path folder = home.path() / "state/tamga/tls";
    TimePoint now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
};

TEST_F(LocalCa, IssuesACertificateForThisComputersNamesThatOpensslAccepts) {
    auto const tls = at(now);

    for (char const* name : {"-verify_ip 127.0.0.1", "-verify_ip ::1", "-verify_hostname localhost"}) {
        auto const verified = verify(tls.served.chain, tls.served.authority, name);
        EXPECT_EQ(verified.exit_code, 0) << name << verified.output;
    }
    EXPECT_NE(verify(tls.served.chain, tls.served.authority, "-verify_hostname portal.test").exit_code, 0);
}

TEST_F(LocalCa, CertificateLivesAtMost397Days) {
    auto const tls = at(now);

    EXPECT_LE(tls.served.valid_to - tls.served.valid_from, days{397});
    EXPECT_GT(tls.served.valid_to - now, days{396});
}

TEST_F(LocalCa, EveryAuthorityHasAnotherName) {
    auto const other = load_or_create(home.path() / "other", now);

    ASSERT_TRUE(other);
    EXPECT_NE(at(now).served.nickname, other->served.nickname);
}

TEST_F(LocalCa, ServesTheSameCertificateUntil30DaysBeforeItsEnd) {
    auto const first = at(now);

    auto const later = at(first.served.valid_to - days{31});

    EXPECT_EQ(later.trusted.size(), 1U);
    EXPECT_EQ(later.served.nickname, first.served.nickname);
}

TEST_F(LocalCa, AddsANewAuthority29DaysAheadAndServesTheOldOne) {
    auto const first = at(now);

    auto const later = at(first.served.valid_to - days{29});

    EXPECT_EQ(later.trusted.size(), 2U);
    EXPECT_EQ(later.served.nickname, first.served.nickname);
    EXPECT_EQ(at(first.served.valid_to - days{28}).trusted.size(), 2U);
}

TEST_F(LocalCa, ServesTheNewOneOnTheLastDayAndRemovesTheOldOneAfterIt) {
    auto const first = at(now);
    at(first.served.valid_to - days{29});

    auto const last_day = at(first.served.valid_to - 12h);
    auto const after = at(first.served.valid_to);

    EXPECT_EQ(last_day.trusted.size(), 2U);
    EXPECT_NE(last_day.served.nickname, first.served.nickname);
    EXPECT_EQ(after.trusted.size(), 1U);
    EXPECT_EQ(after.served.nickname, last_day.served.nickname);
    EXPECT_FALSE(fs::exists(first.served.authority.parent_path()));
}

TEST_F(LocalCa, MakesANewGenerationWhereTheClockWasAhead) {
    auto const ahead = at(now + days{1000});

    auto const tls = at(now);

    EXPECT_NE(tls.served.nickname, ahead.served.nickname);
    EXPECT_LE(tls.served.valid_from, now);
}

TEST_F(LocalCa, ReplacesADamagedGeneration) {
    auto const first = at(now);
    std::ofstream{first.served.key} << "damaged";

    auto const second = at(now);

    EXPECT_NE(second.served.nickname, first.served.nickname);
    EXPECT_FALSE(fs::exists(first.served.key));
}

TEST_F(LocalCa, S14AuthorityKeyIsNowhereOnDisk) {
    auto const tls = at(now);

    auto const authority_key = run("openssl x509 -noout -pubkey -in " + tls.served.authority.string()).output;
    auto keys = 0;
    for (auto const& entry : fs::recursive_directory_iterator{folder}) {
        if (!entry.is_regular_file() || contents(entry.path()).find("PRIVATE KEY") == std::string::npos) continue;
        ++keys;
        EXPECT_NE(run("openssl pkey -pubout -in " + entry.path().string()).output, authority_key);
    }
    EXPECT_EQ(keys, 1);
}

TEST_F(LocalCa, S14AuthorityCannotVouchForAnotherNameInOpensslOrNss) {
    Validity const validity{now - 1h, now + days{1}};
    auto const authority = make_authority(validity);
    ASSERT_TRUE(authority);
    auto const good = make_server_certificate(*authority, "IP:127.0.0.1,DNS:localhost", validity);
    auto const ca = home.path() / "ca.pem";
    write(ca, authority->certificate.get());
    write(home.path() / "good.pem", good->certificate.get());
    auto const database = " -d sql:" + home.path().string() + " ";
    ASSERT_EQ(run("certutil -N --empty-password" + database).exit_code, 0);
    ASSERT_EQ(run("certutil -A -n ca -t C,, -a -i " + ca.string() + database).exit_code, 0);
    ASSERT_EQ(run("certutil -A -n good -t ,, -a -i " + (home.path() / "good.pem").string() + database).exit_code, 0);
    ASSERT_EQ(run("certutil -V -n good -u V" + database).exit_code, 0);

    for (char const* names :
         {"DNS:portal.test", "IP:127.0.0.1,DNS:portal.test", "IP:192.0.2.1", "DNS:localhost.test"}) {
        auto const bad = make_server_certificate(*authority, names, validity);
        auto const path = home.path() / "bad.pem";
        write(path, bad->certificate.get());

        auto const verified = verify(path, ca);
        EXPECT_NE(verified.output.find("permitted subtree violation"), std::string::npos) << names << verified.output;
        run("certutil -D -n bad" + database);
        ASSERT_EQ(run("certutil -A -n bad -t ,, -a -i " + path.string() + database).exit_code, 0);
        auto const in_nss = run("certutil -V -n bad -u V" + database);
        EXPECT_NE(in_nss.exit_code, 0) << names;
        EXPECT_NE(in_nss.output.find("not permitted to issue a certificate with this name"), std::string::npos)
            << names << in_nss.output;
    }
}

TEST_F(LocalCa, S24FilesArePrivateWhateverTheUmask) {
    auto const before = ::umask(0);
    at(now);
    ::umask(before);

    for (auto const& entry : fs::recursive_directory_iterator{home.path()}) {
        EXPECT_EQ(mode_of(entry.path()), mode_t{entry.is_directory() ? 0700U : 0600U}) << entry.path();
    }
}

class Trust : public LocalCa {
protected:
    void SetUp() override {
        if (::access("/usr/bin/certutil", X_OK) != 0) GTEST_SKIP() << "certutil (libnss3-tools) is missing";
        fs::create_directories(firefox);
        std::ofstream{home.path() / ".mozilla/firefox/profiles.ini"}
            << "[Install4F96D1932A9F858E]\nDefault=elsewhere\n\n[Profile0]\nName=default\nIsRelative=1\nPath=a."
               "default\n"
            << "\n[Profile1]\nName=gone\nIsRelative=1\nPath=gone\n";
    }

    int trust(cli::TrustAction action, cli::TrustWish wish = cli::TrustWish::of_the_person) {
        out.str({});
        return cli::run_trust(action, {Language::en, home.path(), folder, certutil, now, wish}, out);
    }
    /// "nickname|flags" of every entry in the store, as certutil lists them.
    std::set<std::string> entries(fs::path const& store) {
        std::set<std::string> found;
        std::istringstream lines{run("certutil -L -d sql:" + store.string()).output};
        for (std::string line; std::getline(lines, line);) {
            auto const end_of_name = line.find("  ");
            line.erase(line.find_last_not_of(' ') + 1);
            auto const flags = line.substr(line.rfind(' ') + 1);
            if (flags.find(',') == std::string::npos || flags == "SSL,S/MIME,JAR/XPI") continue;
            found.insert(line.substr(0, end_of_name) + "|" + flags);
        }
        return found;
    }

    fs::path chromium = home.path() / ".pki/nssdb";
    fs::path firefox = home.path() / ".mozilla/firefox/a.default";
    fs::path certutil = "/usr/bin/certutil";
    std::ostringstream out;
};

TEST_F(Trust, S15InstallsWithTheFlagsOfAServerAuthorityAndNoOther) {
    EXPECT_EQ(trust(cli::TrustAction::install), 0) << out.str();

    std::set<std::string> const expected{at(now).served.nickname + "|C,,"};
    EXPECT_EQ(entries(chromium), expected);
    EXPECT_EQ(entries(firefox), expected);
    EXPECT_NE(out.str().find("Restart your browser"), std::string::npos) << out.str();
}

TEST_F(Trust, InstallingTwiceChangesNothing) {
    trust(cli::TrustAction::install);

    EXPECT_EQ(trust(cli::TrustAction::install), 0);

    EXPECT_EQ(entries(chromium).size(), 1U);
    EXPECT_NE(out.str().find("trusted already"), std::string::npos) << out.str();
    EXPECT_EQ(out.str().find("Restart"), std::string::npos) << out.str();
}

TEST_F(Trust, StatusSaysWhereTrustIsMissingAndMakesNothing) {
    EXPECT_EQ(trust(cli::TrustAction::status), 1);
    EXPECT_NE(out.str().find("there is no certificate yet"), std::string::npos) << out.str();
    EXPECT_FALSE(fs::exists(folder));
    EXPECT_FALSE(fs::exists(chromium));

    trust(cli::TrustAction::install);
    EXPECT_EQ(trust(cli::TrustAction::status), 0) << out.str();

    run("certutil -M -t C,C, -n '" + at(now).served.nickname + "' -d sql:" + firefox.string());
    EXPECT_EQ(trust(cli::TrustAction::status), 1);
    EXPECT_NE(out.str().find("the certificate is not trusted"), std::string::npos) << out.str();
}

TEST_F(Trust, MendsFlagsThatSomebodyChanged) {
    trust(cli::TrustAction::install);
    run("certutil -M -t C,C,C -n '" + at(now).served.nickname + "' -d sql:" + firefox.string());

    EXPECT_EQ(trust(cli::TrustAction::install), 0);

    EXPECT_EQ(entries(firefox), std::set{at(now).served.nickname + "|C,,"});
}

TEST_F(Trust, S15RemovesOurAuthoritiesAndNoOther) {
    trust(cli::TrustAction::install);
    auto const other = make_authority({now - 1h, now + days{1}});
    write(home.path() / "other.pem", other->certificate.get());
    run("certutil -A -n 'Somebody else' -t C,, -a -i " + (home.path() / "other.pem").string() +
        " -d sql:" + chromium.string());

    EXPECT_EQ(trust(cli::TrustAction::remove), 0) << out.str();

    EXPECT_EQ(entries(chromium), std::set<std::string>{"Somebody else|C,,"});
    EXPECT_TRUE(entries(firefox).empty());
}

TEST_F(Trust, WhatThePersonTookOutIsNotPutBackByItselfUntilThePersonInstallsIt) {
    trust(cli::TrustAction::install);
    trust(cli::TrustAction::remove);

    EXPECT_EQ(trust(cli::TrustAction::install, cli::TrustWish::automatic), 0);
    EXPECT_TRUE(entries(chromium).empty());
    EXPECT_NE(out.str().find("stays so"), std::string::npos) << out.str();

    trust(cli::TrustAction::install);
    EXPECT_EQ(entries(chromium).size(), 1U);
}

TEST_F(Trust, S15WhatTheRemovalOfThePackageTookOutIsPutBackByTheNextStart) {
    trust(cli::TrustAction::install);

    EXPECT_EQ(trust(cli::TrustAction::remove, cli::TrustWish::automatic), 0);
    EXPECT_TRUE(entries(chromium).empty());

    EXPECT_EQ(trust(cli::TrustAction::install, cli::TrustWish::automatic), 0);
    EXPECT_EQ(entries(chromium).size(), 1U);
}

TEST_F(Trust, AfterRenewalBothAreTrustedAndAtTheEndOnlyTheNewOne) {
    trust(cli::TrustAction::install);
    auto const first = at(now).served;

    now = first.valid_to - days{29};
    EXPECT_EQ(trust(cli::TrustAction::install), 0);
    EXPECT_EQ(entries(chromium).size(), 2U);

    now = first.valid_to + 1h;
    EXPECT_EQ(trust(cli::TrustAction::install), 0);
    EXPECT_EQ(entries(chromium).size(), 1U);
    EXPECT_FALSE(entries(chromium).contains(first.nickname + "|C,,"));
}

TEST_F(Trust, UsesTheSharedStoreWhereChromiumDoes) {
    auto const shared = home.path() / ".local/share/pki/nssdb";
    fs::create_directories(shared);

    EXPECT_EQ(trust(cli::TrustAction::install), 0);

    EXPECT_EQ(entries(shared).size(), 1U);
    EXPECT_FALSE(fs::exists(chromium));
}

TEST_F(Trust, S24TheStoreItCreatesIsPrivate) {
    auto const before = ::umask(0);
    trust(cli::TrustAction::install);
    ::umask(before);

    EXPECT_EQ(mode_of(chromium.parent_path()), mode_t{0700});
    EXPECT_EQ(mode_of(chromium), mode_t{0700});
    for (auto const& entry : fs::directory_iterator{chromium})
        EXPECT_EQ(mode_of(entry.path()), mode_t{0600}) << entry;
}

TEST_F(Trust, NamesTheStoreItCannotChangeAndGoesOn) {
    std::ofstream password{home.path() / "password"};
    password << "1234567\n";
    password.close();
    ASSERT_EQ(run("certutil -N -f " + (home.path() / "password").string() + " -d sql:" + firefox.string()).exit_code,
              0);

    EXPECT_EQ(trust(cli::TrustAction::install), 1);

    EXPECT_NE(out.str().find("Firefox: " + firefox.string() + ": failed: certutil: could not authenticate"),
              std::string::npos)
        << out.str();
    EXPECT_EQ(entries(chromium).size(), 1U);
}

TEST_F(Trust, NamesThePackageWhereCertutilIsMissing) {
    certutil = "/nonexistent/certutil";

    EXPECT_EQ(trust(cli::TrustAction::install), 1);

    EXPECT_NE(out.str().find("libnss3-tools"), std::string::npos) << out.str();
}

} // namespace
} // namespace tamga::trust
