#include "journal/forms.hpp"

#include "base/date.hpp"

namespace tamga::journal {

namespace {

void append_field(std::string& line, std::string_view field) {
    if (!line.empty() && line.back() != '\n') line += ',';
    line += '"';
    if (!field.empty() && std::string_view{"=+-@\t\r"}.find(field.front()) != std::string_view::npos) line += '\'';
    for (char const c : field)
        line.append(c == '"' ? 2 : 1, c);
    line += '"';
}

void append_line(std::string& out, std::initializer_list<std::string_view> fields) {
    for (auto const field : fields)
        append_field(out, field);
    out += "\r\n";
}

void append_document(std::string& out, Entry const& entry, std::string const& number, Document const& document) {
    append_line(out, {utc_time(entry.at), utc_time(entry.until), entry.site, entry.service, entry.use, entry.form,
                      entry.outcome, entry.certificate, entry.subject, std::to_string(entry.documents),
                      std::to_string(entry.signatures), entry.remembered ? "yes" : "no", number, document.title,
                      document.algorithm, document.digest});
}

} // namespace

Tree tree_of(Entry const& entry) {
    Tree tree;
    tree.add("time", utc_time(entry.at));
    if (entry.until != entry.at) tree.add("until", utc_time(entry.until));
    tree.add("site", entry.site).add_unless_empty("service", entry.service);
    tree.add("use", entry.use).add("format", entry.form).add("outcome", entry.outcome);
    tree.add_unless_empty("certificate", entry.certificate).add_unless_empty("subject", entry.subject);
    tree.add("count", entry.documents).add("signatures", entry.signatures);
    if (entry.remembered) tree.add("remembered", true);
    Tree::List documents;
    for (auto const& document : entry.listed) {
        Tree each;
        each.add_unless_empty("title", document.title).add_unless_empty("algorithm", document.algorithm);
        documents.push_back(std::move(each.add_unless_empty("digest", document.digest)));
    }
    tree.add("documents", std::move(documents));
    return tree;
}

std::string csv_of(std::vector<Entry> const& entries) {
    std::string out;
    append_line(out, {"time", "until", "site", "service", "use", "format", "outcome", "certificate", "subject", "count",
                      "signatures", "remembered", "document", "title", "algorithm", "digest"});
    for (auto const& entry : entries) {
        if (entry.listed.empty()) append_document(out, entry, "", {});
        for (std::size_t i = 0; i < entry.listed.size(); ++i)
            append_document(out, entry, std::to_string(i + 1), entry.listed[i]);
    }
    return out;
}

} // namespace tamga::journal
