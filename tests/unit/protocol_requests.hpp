// Requests as pages write them, and what comes of them: shared by the tests of protocol/ncalayer.
#pragma once

#include "protocol/ncalayer/ncalayer.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace tamga::protocol::ncalayer {

namespace json = boost::json;

inline std::string answer_to(std::string frame) {
    auto call = parse(std::move(frame));
    auto* text = std::get_if<Answer>(&call.action);
    return text == nullptr ? "(no answer)" : text->text;
}

/// The Sign of a frame that must be one.
inline Sign sign_of(std::string frame) {
    auto call = parse(std::move(frame));
    auto* sign = std::get_if<Sign>(&call.action);
    if (sign != nullptr) return std::move(*sign);
    ADD_FAILURE() << std::get<Answer>(call.action).text;
    return {};
}

inline std::string common(std::string_view method, std::string_view arguments) {
    return R"({"module":"kz.gov.pki.knca.commonUtils","method":")" + std::string{method} + R"(","args":)" +
           std::string{arguments} + "}";
}

inline std::string basics(std::string_view arguments) {
    return R"({"module":"kz.gov.pki.knca.basics","method":"sign","args":{)" + std::string{arguments} + "}}";
}

/// A basics request for one document with these signingParams, signerParams and further arguments.
inline std::string basics(std::string_view signing, std::string_view signer, std::string_view more) {
    return basics(R"("signingParams":{)" + std::string{signing} + R"(},"signerParams":{)" + std::string{signer} + "}," +
                  std::string{more});
}

inline constexpr std::string_view any_key = R"("extKeyUsageOids":[])";
inline constexpr std::string_view one_cms = R"("format":"cms","data":"MTEK")";

inline std::string render_error(Reply::Shape shape, Errc code) {
    return render({.shape = shape, .uuid = {}}, Error{code, "secret detail"});
}

inline bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

} // namespace tamga::protocol::ncalayer
