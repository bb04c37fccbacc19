// prompt/files: what the chooser lists, opens and remembers.
#include "prompt/files.hpp"
#include "tests/support/scratch.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

namespace tamga::prompt {
namespace {

class FilesTest : public ::testing::Test {
protected:
    std::vector<std::string> names(FileUse use) const {
        std::vector<std::string> names;
        for (auto const& entry : entries_of(m_folder.path(), use))
            names.push_back(entry.path.filename().string() + (entry.is_folder ? "/" : ""));
        return names;
    }
    bool is_key_file(std::string_view content) const {
        m_folder.write("suspect", content);
        return looks_like_key_file(*open_file(m_folder / "suspect"));
    }
    test::Scratch m_folder;
};

TEST_F(FilesTest, OfAFolderAreListedWithFoldersFirstAndHiddenOnesLeftOut) {
    for (char const* name : {"b.txt", "a.P12", "c.pfx", ".hidden.p12", "folder/inside.p12", "ключ.p12"})
        m_folder.write(name, "content");
    m_folder.run("mkfifo pipe.p12");

    EXPECT_EQ(names(FileUse::key), (std::vector<std::string>{"folder/", "a.P12", "c.pfx", "ключ.p12"}));
    EXPECT_EQ(names(FileUse::document), (std::vector<std::string>{"folder/", "a.P12", "b.txt", "c.pfx", "ключ.p12"}));
    EXPECT_TRUE(entries_of(m_folder / "nowhere", FileUse::key).empty());
}

TEST_F(FilesTest, AreOpenedWhereTheyAreFiles) {
    m_folder.write("file", "content");
    m_folder.run("mkfifo pipe && mkdir folder");

    EXPECT_TRUE(open_file(m_folder / "file"));
    for (char const* name : {"pipe", "folder", "nothing"})
        EXPECT_EQ(open_file(m_folder / name).error().code, Errc::file_not_found) << name;
    EXPECT_EQ(open_file("/dev/null").error().code, Errc::file_not_found);
}

TEST_F(FilesTest, WithKeysAreRecognised) {
    m_folder.run("openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=x -keyout key.pem -out cert.pem 2>&1 && "
                 "openssl pkcs12 -export -inkey key.pem -in cert.pem -passout pass:x -out key.p12 && "
                 "openssl rsa -in key.pem -traditional -outform DER -out rsa.der 2>&1 && "
                 "openssl pkcs8 -in key.pem -topk8 -nocrypt -outform DER -out open.der && "
                 "openssl pkcs8 -in key.pem -topk8 -passout pass:x -outform DER -out pbes2.der && "
                 "openssl pkcs8 -in key.pem -topk8 -passout pass:x -v1 PBE-SHA1-3DES -outform DER -out pbe.der && "
                 "openssl ecparam -name prime256v1 -genkey -noout -outform DER -out ec.der && "
                 "openssl x509 -in cert.pem -outform DER -out cert.der && "
                 "openssl cms -sign -in cert.pem -signer cert.pem -inkey key.pem -outform DER -out signed.p7s && "
                 "for i in 1 2 3 4 5 6 7 8; do cat cert.pem; done > behind.pem && cat key.pem >> behind.pem");

    for (char const* name :
         {"key.p12", "key.pem", "rsa.der", "open.der", "pbes2.der", "pbe.der", "ec.der", "behind.pem"})
        EXPECT_TRUE(is_key_file(m_folder.read(name))) << name;
    for (char const* name : {"cert.pem", "cert.der", "signed.p7s"})
        EXPECT_FALSE(is_key_file(m_folder.read(name))) << name;
    EXPECT_TRUE(is_key_file("\x30\x80\x02\x01\x03\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01")) << "as the NCA's";
    EXPECT_TRUE(is_key_file("\xfe\xed\xfe\xed and some more octets"));
    EXPECT_FALSE(is_key_file("%PDF-1.7 and some more octets"));
    EXPECT_FALSE(is_key_file(""));
}

TEST_F(FilesTest, OpenedLastAreRememberedNewestFirstAndWithoutDoubles) {
    auto const list = m_folder / "state/tamga/recent-key-files";
    for (char const* name : {"a.p12", "b.p12"})
        m_folder.write(name, "content");
    auto recent = RecentFiles::load(list);
    recent.add(m_folder / "a.p12");
    recent.add(m_folder / "b.p12");
    recent.add(m_folder / "a.p12");

    struct stat info {};
    ASSERT_EQ(::stat(list.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777U, 0600U);
    EXPECT_EQ(RecentFiles::load(list).paths(),
              (std::vector<std::filesystem::path>{m_folder / "a.p12", m_folder / "b.p12"}));
    recent.clear();
    EXPECT_FALSE(std::filesystem::exists(list));
    EXPECT_TRUE(RecentFiles::load(list).paths().empty());
}

TEST_F(FilesTest, OpenedLastAreFewAndStillThere) {
    auto const list = m_folder / "recent";
    auto recent = RecentFiles::load(list);
    for (std::size_t i = 0; i < RecentFiles::most + 3; ++i) {
        m_folder.write(std::to_string(i), "content");
        recent.add(m_folder / std::to_string(i));
    }
    recent.add("/two\nlines");
    EXPECT_EQ(recent.paths().size(), RecentFiles::most);
    std::filesystem::remove(m_folder / "7");

    EXPECT_EQ(RecentFiles::load(list).paths().size(), RecentFiles::most - 1);
    m_folder.write("recent", "relative/path\n/nonexistent\n");
    EXPECT_TRUE(RecentFiles::load(list).paths().empty());
}

} // namespace
} // namespace tamga::prompt
