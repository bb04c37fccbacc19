#include "protocol/tamga/client.hpp"

#include "protocol/json_file.hpp"
#include "protocol/json_text.hpp"

namespace tamga::protocol::v1 {

std::string request(std::int64_t id, std::string_view method, Tree const& params) {
    Tree tree;
    tree.add("jsonrpc", "2.0").add("id", id).add("method", method).add("params", params);
    return json_of(tree);
}

Result<Tree> read_message(std::string_view text) {
    return read_json(text, Strange::refused);
}

} // namespace tamga::protocol::v1
