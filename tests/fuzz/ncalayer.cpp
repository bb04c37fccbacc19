// Arbitrary text as a frame: no crash, every answer is JSON, and every reply to what was understood is JSON too.
#include "protocol/ncalayer/ncalayer.hpp"

#include <boost/json.hpp>

#include <cstdlib>

namespace {

using namespace tamga;

void must_be_object(std::string const& text) {
    boost::json::error_code failure;
    auto const value = boost::json::parse(text, failure);
    if (failure || !value.is_object()) std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(unsigned char const* data, std::size_t size) {
    using namespace tamga::protocol;
    auto const call = ncalayer::parse(std::string{as_text({data, size})});
    if (std::holds_alternative<Silence>(call.action)) return 0;
    if (auto const* answered = std::get_if<Answer>(&call.action)) {
        must_be_object(answered->text);
        return 0;
    }
    for (std::size_t i = 0; i < errc_count; ++i) {
        must_be_object(ncalayer::render(call.reply, Error{static_cast<Errc>(i), "detail \"\\\n"}));
    }
    must_be_object(ncalayer::render(call.reply, Outcome{Storages{{"AKKaztokenStore"}}}));
    must_be_object(ncalayer::render(call.reply, Outcome{ChosenCertificate{}}));
    must_be_object(ncalayer::render(call.reply, Outcome{SignedDocuments{{Bytes(100, 'a')}, Bytes(3)}}));
    return 0;
}
