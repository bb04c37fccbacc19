#include "daemon/server/status_page.hpp"

#include "base/base64.hpp"
#include "base/text.hpp"
#include "signing/algorithm.hpp"

#include <string_view>

namespace tamga::daemon {

namespace {

constexpr std::string_view style =
    "body{font:1.1rem/1.5 system-ui,sans-serif;max-width:38rem;margin:3rem auto;padding:0 1rem;"
    "color-scheme:light dark}section{margin-bottom:2rem}h1{font-size:1.4rem}h2{font-size:1.1rem}";

std::string section(Language language, std::string_view tag) {
    std::string html = "<section lang=\"";
    html += tag;
    html += "\"><h2>";
    html += text(language, "Tamga is running on this computer");
    html += "</h2><p>";
    html += text(language, "If you see this page without a warning, your browser trusts the connection to Tamga, and "
                           "portals can ask you to sign. Nothing is signed without your consent in Tamga's window.");
    html += "</p><p>";
    html += text(language, "If a portal still says that the program is not running, close the browser completely, open "
                           "it again, and allow the portal to reach other programs on this device when it asks.");
    html += "</p></section>";
    return html;
}

} // namespace

std::string const& status_page() {
    static std::string const page = [] {
        std::string html = "<!DOCTYPE html><html lang=\"kk\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
                           "content=\"width=device-width\"><title>Tamga</title><style>";
        html += style;
        html += "</style></head><body><h1>Tamga</h1>";
        html += section(Language::kk, "kk") + section(Language::ru, "ru") + section(Language::en, "en");
        html += "</body></html>";
        return html;
    }();
    return page;
}

std::string const& content_security_policy() {
    static std::string const policy = "default-src 'none'; style-src 'sha256-" +
                                      to_base64(signing::sha256(as_view(style))) +
                                      "'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
    return policy;
}

} // namespace tamga::daemon
