// The text of a catalogue: whatever is read keeps what the gate and the window rely on.
#include "base/utf8.hpp"
#include "policy/gate.hpp"

#include <cstdlib>

namespace {

using namespace tamga;
using namespace tamga::policy;

void expect(bool condition) {
    if (!condition) std::abort();
}

void expect_plain(Names const& names) {
    for (std::string_view text : {names.kk, names.ru, names.en}) {
        expect(!text.empty());
        while (!text.empty()) {
            auto const character = first_character(text);
            expect(character.valid && !is_deceptive(character.code));
            text.remove_prefix(character.size);
        }
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(unsigned char const* data, std::size_t size) {
    auto const catalogue = parse_catalogue(as_text({data, size}));
    if (!catalogue) {
        expect(catalogue.error().code == Errc::config_invalid && catalogue.error().detail.starts_with("line "));
        return 0;
    }
    expect(catalogue->version != 0 && catalogue->valid_from <= catalogue->valid_until && is_name(catalogue->body));
    KnownServices known;
    for (auto const& service : catalogue->services) {
        expect(service.id.starts_with(catalogue->body + '/') && !service.origins.empty());
        expect_plain(service.name);
        expect_plain(service.provider);
        auto classification = classify(service.criteria, service.flags, service.channel);
        expect(classification.score >= 1 && classification.score <= 6);
        known.push_back({service, std::move(classification), service.provider, catalogue->id, 0, 1});
    }
    for (auto const& each : known) {
        auto const origin = "https://" + *each.service.origins.begin();
        auto const passed = judge_service(known, each.service.id, {origin, Language::en, 1});
        expect(passed.has_value() == (each.classification.method != Method::login_and_password));
        expect(!judge_service(known, each.service.id, {"https://elsewhere.invalid", Language::en, 1}) ||
               each.service.origins.contains("elsewhere.invalid"));
    }
    return 0;
}
