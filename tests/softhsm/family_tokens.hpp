// Every kind of token of data/families.toml as the fake module plays it: what its library says of itself, and the
// oddities that are known of it. Sources of the strings: data/families.toml, docs/tokens.md.
#pragma once

#include "tests/softhsm/to_be_signed.hpp"
#include "tests/support/throwaway_token.hpp"
#include "tests/support/token_driver.hpp"

#include <gtest/gtest.h>

namespace tamga::test {

/// `%` in `knobs` stands for the slot.
struct Profile {
    char const* family;
    char const* storage;
    char const* library;   ///< file name of the vendor's
    char const* knobs;     ///< of each token
    char const* all = "";  ///< of the module
    bool is_named = false; ///< modules.toml says the family: nothing that the token says does
};

/// Rutoken's library has 15 slots, which stay when a token leaves; a token without a label shows its model.
inline constexpr Profile kaztoken{"kaztoken", "AKKaztokenStore", "librtpkcs11ecp.so",
                                  "maker % Aktiv Co.\nmodel % Rutoken ECP\nreader % Aktiv Rutoken ECP 00 00\n",
                                  "slots 15\n"};
/// Further flags as a listing of SafeNet's library shows them: 0x500200.
inline constexpr Profile etoken_5110{
    "etoken-5110", "AKEToken5110Store", "libeToken.so",
    "maker % SafeNet, Inc.\nmodel % eToken\nreader % SafeNet eToken 5100 [eToken 5110 SC] 00 00\nflags % 500200\n"};
inline constexpr Profile etoken_5110_idprime{"etoken-5110-idprime", "AKEToken5110Store", "libIDPrimePKCS11.so",
                                             "maker % Gemalto\nmodel % ID Prime MD\nflags % 500200\n"};
/// Through JaCarta's library, which names its applet.
inline constexpr Profile etoken_72k{"etoken-72k", "AKEToken72KStore", "libjcPKCS11-2.so",
                                    "maker % Aladdin R.D.\nmodel % PRO\nreader % Aladdin Token JC 00 00\n",
                                    "slots 20\n"};
/// A fixed number of slots, 20 or 32, and one for each applet of a stick.
inline constexpr Profile jacarta{
    "jacarta", "AKJaCartaStore", "libjcPKCS11-2.so",
    "maker % Aladdin R.D.\nmodel % JaCarta Laser\nreader % Aladdin R.D. JaCarta 00 00\nserial % 4E4301\n",
    "slots 32\n"};
/// Nothing but its name is known.
inline constexpr Profile akey{"akey", "AKAKEYStore", "libakey.so", "maker % AKEY\n"};
/// Nothing that it would say is known.
inline constexpr Profile id_card{"id-card", "AKKZIDCardStore", "libidcard.so", "", "", true};

inline constexpr Profile all_profiles[] = {kaztoken, etoken_5110, etoken_5110_idprime, etoken_72k, jacarta,
                                           akey,     id_card};

inline void PrintTo(Profile const& profile, std::ostream* out) {
    *out << profile.family;
}

/// Tokens of one profile, in slots 0, 1 ..., and the shipped table that is to know them.
class FamilyTokens {
public:
    /// `keys`: one token each, with the key of this kind and its certificate.
    FamilyTokens(Profile const& profile, std::vector<KeyKind> const& keys, std::string const& key_word = "")
        : m_token{folder, lines(profile, keys, key_word)} {
        std::filesystem::copy_file(TAMGA_FAMILIES, folder / "config/tamga/families.toml");
        std::filesystem::copy_file(TAMGA_FAKE_MODULE, folder / profile.library);
        folder.write("config/tamga/modules.toml",
                     "[[module]]\nname = \"" + std::string{profile.family} + "\"\npath = \"" +
                         (folder / profile.library).string() + "\"\nenvironment = { TAMGA_FAKE_PKCS11 = \"" +
                         (folder / "knobs").string() + "\" }\n" +
                         (profile.is_named ? "family = \"" + std::string{profile.family} + "\"\n" : ""));
    }

    /// One request from login to logout. @return how it ended.
    Result<void> sign(TokenDriver& driver, ipc::SlotId slot, std::size_t key, std::string const& pin, ipc::Form form,
                      std::string_view signed_text = "document", std::string_view agreed_text = "document") {
        ipc::RequestId const request{++m_last_request};
        auto const& certificate = certificates.at(key);
        auto prompt = driver.prompt(request);
        if (auto const unlocked_now = unlock(prompt, slot, pin).reply.status.result(); !unlocked_now)
            return unlocked_now;
        auto const agreed = signing::digest(certificate.algorithm().digest, as_view(agreed_text));
        if (auto given = give(prompt, mandate_for(request, form, certificate, {*agreed})); !given) return given;
        auto const made = driver.sign(request, {item(form, certificate, signed_text)});
        if (!made) return made.error();
        if (made->size() != 1) return Error{Errc::internal, "one signature"};
        if (!driver.web.send(ipc::FinishLease{request})) return Errc::channel_closed;
        return driver.lease_ended().status.result();
    }

    void knobs(std::string const& lines) const { m_token.knobs(lines); }
    [[nodiscard]] FakeToken const& spy() const noexcept { return m_token; }

    Scratch folder;
    std::vector<signing::Certificate> certificates; ///< of each token

private:
    static Bytes item(ipc::Form form, signing::Certificate const& certificate, std::string_view text) {
        auto const digest = *signing::digest(certificate.algorithm().digest, as_view(text));
        if (form == ipc::Form::raw) return to_bytes(as_view(text));
        if (form == ipc::Form::cms) return *signing::signed_attributes({digest, certificate.fingerprint(), unix_now()});
        auto const children = signing::signed_info_children("", digest, certificate.algorithm());
        return to_bytes(
            as_view("<ds:SignedInfo xmlns:ds=\"" + std::string{signing::xmldsig_namespace} + "\">" + children));
    }

    std::vector<std::string> lines(Profile const& profile, std::vector<KeyKind> const& keys,
                                   std::string const& key_word) {
        std::vector<std::string> lines;
        for (std::size_t slot = 0; slot < keys.size(); ++slot) {
            auto const number = std::to_string(slot);
            auto const name = "key" + number;
            certificates.push_back(make_key(folder, name, keys[slot]));
            lines.push_back(fake_token_line("token" + number));
            lines.push_back("certificate " + number + " 01 " + (folder / (name + ".pem")).string());
            lines.push_back("key " + number + " 01 " + (folder / (name + "-key.pem")).string() + ' ' + key_word);
            std::string own = profile.knobs;
            for (auto place = own.find('%'); place != own.npos; place = own.find('%'))
                own.replace(place, 1, number);
            lines.push_back(own);
        }
        lines.emplace_back(profile.all);
        return lines;
    }

    FakeToken m_token;
    std::uint64_t m_last_request = 0;
};

} // namespace tamga::test
