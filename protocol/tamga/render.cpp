#include "base/date.hpp"
#include "base/explain.hpp"
#include "protocol/json_text.hpp"
#include "protocol/tamga/words.hpp"

#include <algorithm>

namespace tamga::protocol::v1 {

namespace {

template <class... Fs>
struct Overloaded : Fs... {
    using Fs::operator()...;
};
template <class... Fs>
Overloaded(Fs...) -> Overloaded<Fs...>;

Tree tree_of(Id const& id) {
    if (auto const* number = std::get_if<std::int64_t>(&id)) return *number;
    return std::get<std::string>(id);
}

std::string_view name_of(Language language) {
    switch (language) {
    case Language::kk: return "kk";
    case Language::ru: return "ru";
    case Language::en: return "en";
    }
    return "en";
}

std::string_view name_of(Format format) {
    for (auto const& [word, value] : formats) {
        if (value == format) return word;
    }
    return "authenticate";
}

std::string_view name_of(Stage stage) {
    switch (stage) {
    case Stage::asking: return "asking";
    case Stage::signing: return "signing";
    case Stage::stamping: return "stamping";
    case Stage::key_work: return "key_work";
    }
    return "";
}

std::string digest_word(std::string_view oid) {
    auto const found = std::ranges::find(digest_words, oid, &DigestWord::oid);
    return std::string{found == digest_words.end() ? oid : found->word};
}

template <class Items, class Make>
Tree list_of(Items const& items, Make make) {
    Tree::List list;
    for (auto const& item : items)
        list.push_back(make(item));
    return list;
}
Tree words_of(std::vector<std::string> const& words) {
    return list_of(words, [](std::string const& word) { return Tree{word}; });
}

Tree tree_of(Token const& token) {
    Tree tree;
    tree.add("storage", token.storage).add("family", token.family).add("name", token.name);
    if (!token.details) return tree;
    auto const& details = *token.details;
    tree.add("label", details.label).add("manufacturer", details.manufacturer).add("model", details.model);
    tree.add("serial", details.serial).add("pin_locked", details.pin_locked);
    if (details.attempts_left) tree.add("attempts_left", std::int64_t{*details.attempts_left});
    return tree;
}

Tree tokens_tree(std::vector<Token> const& tokens) {
    return Tree{}.add("tokens", list_of(tokens, [](Token const& token) { return tree_of(token); }));
}

Tree tree_of(Greeting const& greeting) {
    Tree limits;
    limits.add("message", static_cast<std::int64_t>(greeting.message_octets));
    limits.add("shown_document", static_cast<std::int64_t>(greeting.kept_octets));
    limits.add("documents", static_cast<std::int64_t>(max_documents));
    Tree capabilities;
    capabilities.add("formats", list_of(formats, [](auto const& each) { return Tree{each.first}; }));
    capabilities.add("algorithms", words_of(greeting.algorithms));
    capabilities.add("digests", list_of(greeting.digests, [](auto const& oid) { return Tree{digest_word(oid)}; }));
    capabilities.add("limits", std::move(limits));
    Tree tree;
    tree.add("name", "tamga").add("version", version).add("build", greeting.build);
    tree.add("language", name_of(greeting.language)).add("site", greeting.site);
    return tree.add("capabilities", std::move(capabilities));
}

Tree tree_of(ChosenCertificate const& certificate) {
    Tree tree;
    tree.add("subject", certificate.subject_dn).add("common_name", certificate.subject_cn);
    tree.add_unless_empty("iin", certificate.iin).add_unless_empty("bin", certificate.bin);
    tree.add("issuer", certificate.issuer_dn).add("serial_number", certificate.serial_number);
    tree.add("algorithm", certificate.algorithm).add("not_before", utc_time(certificate.not_before_ms / 1000));
    tree.add("not_after", utc_time(certificate.not_after_ms / 1000)).add("usages", words_of(certificate.usages));
    return tree.add("pem", certificate.pem);
}

Tree tree_of(Uploaded const& uploaded) {
    Tree digests;
    for (auto const& digest : uploaded.digests)
        digests.add(digest_word(digest.algorithm), to_hex(digest.value));
    Tree tree;
    tree.add("upload", uploaded.upload).add("size", static_cast<std::int64_t>(uploaded.size));
    return tree.add("shown", uploaded.digests.empty()).add("digests", std::move(digests));
}

/// Everything up to the value of `member`, which ends the object.
std::string opening(std::optional<Id> const& id, std::string_view member) {
    std::string out = R"({"jsonrpc":"2.0","id":)";
    if (id)
        append_json(out, tree_of(*id));
    else
        out += "null";
    return out.append(",\"").append(member).append("\":");
}

std::string response(Id const& id, Tree const& result) {
    auto out = opening(id, "result");
    append_json(out, result);
    return out += '}';
}

std::string signatures(Id const& id, Signatures reply) {
    auto& documents = reply.documents;
    auto out = opening(id, "result");
    out.append(R"({"format":")").append(name_of(reply.format)).append(R"(","certificate":)");
    append_base64_string(out, documents.certificate);
    if (reply.format == Format::authenticate) {
        out += R"(,"statement":)";
        append_string(out, as_text(documents.statement));
        out += R"(,"signature":)";
        append_base64_string(out, documents.values.empty() ? View{} : View{documents.values.front()});
        return out += "}}";
    }
    out += R"(,"signatures":[)";
    for (std::size_t i = 0; i < documents.values.size(); ++i) {
        auto const value = std::move(documents.values[i]);
        out += i == 0 ? "" : ",";
        if (reply.format == Format::xml)
            append_string(out, as_text(value));
        else
            append_base64_string(out, value);
    }
    return out += "]}}";
}

std::string notification(std::string_view method, Tree const& params) {
    auto out = R"({"jsonrpc":"2.0","method":")" + std::string{method} + R"(","params":)";
    append_json(out, params);
    return out += '}';
}

} // namespace

std::string render(Id const& id, Reply reply) {
    return std::visit(Overloaded{
                          [&](Signatures& made) { return signatures(id, std::move(made)); },
                          [&](Greeting const& greeting) { return response(id, tree_of(greeting)); },
                          [&](Tokens const& tokens) { return response(id, tokens_tree(tokens.tokens)); },
                          [&](ChosenCertificate const& chosen) {
                              return response(id, Tree{}.add("certificates", Tree::List{tree_of(chosen)}));
                          },
                          [&](Uploading const& upload) { return response(id, Tree{}.add("upload", upload.upload)); },
                          [&](Uploaded const& uploaded) { return response(id, tree_of(uploaded)); },
                          [&](Cancelled const& done) { return response(id, Tree{}.add("cancelled", done.cancelled)); },
                          [&](Verified const& verified) { return response(id, verified.report); },
                          [&](KeysTold const& told) { return response(id, told.report); },
                          [&](StatusLink const& link) {
                              return response(id, Tree{}.add("url", link.url).add("seconds", link.seconds));
                          },
                          [&](Done) { return response(id, Tree{}); },
                      },
                      reply);
}

std::string render(std::optional<Id> const& id, Fault const& fault, Language language) {
    Tree data;
    data.add("error", wire_name(fault.word)).add("message", explain(language, fault.word));
    data.add("language", name_of(language)).add_unless_empty("detail", fault.detail);
    Tree error;
    error.add("code", std::int64_t{fault.code}).add("message", wire_name(fault.word)).add("data", std::move(data));
    auto out = opening(id, "error");
    append_json(out, error);
    return out += '}';
}

std::string tokens_changed(std::vector<Token> const& tokens) {
    return notification("tokens.changed", tokens_tree(tokens));
}

std::string sign_progress(Id const& id, Stage stage, std::uint32_t done, std::uint32_t total) {
    Tree params;
    params.add("id", tree_of(id)).add("stage", name_of(stage));
    params.add("done", std::int64_t{done}).add("total", std::int64_t{total});
    return notification("sign.progress", params);
}

} // namespace tamga::protocol::v1
