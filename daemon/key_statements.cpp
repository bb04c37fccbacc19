#include "daemon/key_statements.hpp"

#include "base/base64.hpp"
#include "base/date.hpp"
#include "policy/key_state.hpp"
#include "signing/digest.hpp"

namespace tamga::daemon {

namespace {

std::string use_words(Language language, KeyUse use) {
    switch (use) {
    case KeyUse::authentication: return std::string{text(language, "to sign in")};
    case KeyUse::signature: return std::string{text(language, "to sign")};
    case KeyUse::both: return std::string{text(language, "to sign in and to sign")};
    }
    return {};
}

void add_key(std::string& out, Language language, ApplicationKey const& key) {
    out += "- " + use_words(language, key.use) + ", " + std::string{signing::algorithm(key.algorithm).name} + '\n';
    if (auto const present = signing::Certificate::parse(key.present)) {
        out += "  " +
               text(language, "after the certificate %1, which ends %2",
                    {present->serial_number(), utc_time(present->not_after())}) +
               '\n';
    }
    out += "  " + text(language, "request (PKCS#10), SHA-256: %1", {to_hex(signing::sha256(key.request))}) + '\n';
}

Tree describe(ApplicationKey const& key) {
    Tree tree;
    tree.add("use", name_of(key.use)).add("algorithm", signing::algorithm(key.algorithm).name);
    tree.add_unless_empty("id", to_hex(key.id)).add_unless_empty("public_key", to_base64(key.public_key));
    tree.add_unless_empty("request", to_base64(key.request));
    tree.add_unless_empty("present", to_base64(key.present));
    return tree.add_unless_empty("certificate", to_base64(key.certificate));
}

} // namespace

std::string application_statement(Application const& application, Language language) {
    std::string out = text(language, "Application for new certificates, number %1", {application.number}) + "\n\n";
    if (auto const present = signing::Certificate::parse(application.keys.front().present))
        out += text(language, "Applicant: %1", {present->subject_dn()}) + '\n';
    if (!application.email.empty()) out += text(language, "E-mail: %1", {application.email}) + '\n';
    auto const& token = application.token;
    out += text(language, "The new keys are on the token: %1, serial number %2",
                {token.family.empty() ? token.storage : token.family, token.serial}) +
           '\n';
    out += text(language, "Made: %1", {utc_time(application.created)}) + "\n\n";
    out += std::string{text(language, "New keys:")} + '\n';
    for (auto const& key : application.keys)
        add_key(out, language, key);
    return out + '\n' +
           std::string{text(language, "I confirm that this is correct, and ask for certificates for these keys.")} +
           '\n';
}

Tree describe(Application const& application) {
    Tree token;
    token.add("storage", application.token.storage).add("family", application.token.family);
    token.add("serial", application.token.serial);
    Tree::List keys;
    for (auto const& key : application.keys)
        keys.push_back(describe(key));
    Tree tree;
    tree.add("number", application.number).add("state", name_of(application.state));
    tree.add_unless_empty("portal_number", application.portal_number);
    tree.add("created", utc_time(application.created)).add("changed", utc_time(application.changed));
    tree.add_unless_empty("email", application.email).add("token", std::move(token)).add("keys", std::move(keys));
    return tree.add_unless_empty("signed_application", to_base64(application.signed_application));
}

} // namespace tamga::daemon
