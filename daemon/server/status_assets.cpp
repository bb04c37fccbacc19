#include "daemon/server/status_assets.hpp"

#include <array>

extern "C" {
extern char const tamga_status_css[];
extern char const tamga_status_css_end[];
extern char const tamga_status_js[];
extern char const tamga_status_js_end[];
extern char const tamga_status_chromium[];
extern char const tamga_status_chromium_end[];
extern char const tamga_status_firefox[];
extern char const tamga_status_firefox_end[];
}

namespace tamga::daemon::status_assets {

namespace {

std::array<File, 4> const files{{
    {"status.css", "text/css; charset=utf-8", {tamga_status_css, tamga_status_css_end}},
    {"status.js", "text/javascript; charset=utf-8", {tamga_status_js, tamga_status_js_end}},
    {"chromium.png", "image/png", {tamga_status_chromium, tamga_status_chromium_end}},
    {"firefox.png", "image/png", {tamga_status_firefox, tamga_status_firefox_end}},
}};

} // namespace

std::span<File const> all() {
    return files;
}

} // namespace tamga::daemon::status_assets
