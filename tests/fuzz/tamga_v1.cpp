// Arbitrary text as a message of tamga.v1: no crash, every answer is a response of JSON-RPC, and what the other half
// reads it writes back.
#include "protocol/json_text.hpp"
#include "protocol/tamga/client.hpp"
#include "protocol/tamga/tamga.hpp"

#include <boost/json.hpp>

#include <cstdlib>

namespace {

using namespace tamga;
namespace v1 = protocol::v1;

void must_be_response(std::string const& text) {
    boost::json::error_code failure;
    auto const value = boost::json::parse(text, failure);
    if (failure || !value.is_object()) std::abort();
    auto const& object = value.get_object();
    if (object.at("jsonrpc") != "2.0" || !object.contains("id")) std::abort();
    if (object.contains("result") == object.contains("error")) std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(unsigned char const* data, std::size_t size) {
    auto const text = std::string{as_text({data, size})};
    if (auto const message = v1::read_message(text)) {
        auto const again = v1::read_message(protocol::json_of(*message));
        if (!again || !(*again == *message)) std::abort();
    }
    auto message = v1::parse(text);
    if (auto const* refusal = std::get_if<v1::Refusal>(&message)) {
        must_be_response(v1::render(refusal->id, refusal->fault, Language::kk));
        return 0;
    }
    auto const& request = std::get<v1::Request>(message);
    for (std::size_t i = 0; i < errc_count; ++i) {
        must_be_response(
            v1::render(request.id, v1::fault_of(Error{static_cast<Errc>(i), "detail \"\\\n"}), Language::ru));
    }
    must_be_response(v1::render(request.id, v1::Reply{v1::Tokens{{{"a", "b", "c", {}}}}}));
    must_be_response(v1::render(request.id, v1::Reply{protocol::ChosenCertificate{}}));
    v1::Signatures made{protocol::Format::raw, {{Bytes(100, 'a'), Bytes{}}, Bytes(3), {}}};
    must_be_response(v1::render(request.id, v1::Reply{std::move(made)}));
    // What is understood is within its limits.
    if (auto const* sign = std::get_if<v1::SignDocuments>(&request.method)) {
        auto const count = sign->sign.documents.size();
        if (count == 0 || count > v1::max_documents || sign->uploads.size() != count) std::abort();
        if (sign->sign.labels.size() != count) std::abort();
        bool const is_request = sign->sign.claim.use == protocol::Use::service_request;
        if (is_request == sign->sign.claim.service.empty()) std::abort();
    }
    return 0;
}
