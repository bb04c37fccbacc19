// One use of a key, as the journal keeps it: who asked, for what, with which certificate, and what came of it. No
// content, no signature.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tamga::journal {

/// Of how many documents of a request title and digest are kept. How many there were is kept in any case.
inline constexpr std::size_t most_documents = 1000;
/// Longer texts of a page are cut, at a whole letter.
inline constexpr std::size_t longest_text = 400;

struct Document {
    std::string title;     ///< the page's; mostly empty
    std::string algorithm; ///< dotted identifier of the digest's; empty where no key was chosen, so none was made
    std::string digest;    ///< lower-case hexadecimal

    bool operator==(Document const&) const = default;
};

struct Entry {
    std::int64_t id = 0;            ///< given by the journal; counts up
    std::int64_t at = 0;            ///< seconds since 1970, as the next: when it was asked for
    std::int64_t until = 0;         ///< the last use; later than `at` where a remembered login signed several times
    std::string site;               ///< origin, or "local" for a command of this computer
    std::string service;            ///< identifier in the catalogue; mostly empty
    std::string use;                ///< sign_in, service_request, key_account, document; unnamed where nobody said
    std::string form;               ///< cms, xml, raw, authenticate
    std::string certificate;        ///< SHA-256, lower-case hexadecimal; empty where none was chosen
    std::string subject;            ///< distinguished name
    std::string outcome;            ///< "signed", or the word of docs/errors.md
    std::int64_t documents = 0;     ///< asked for
    std::int64_t signatures = 0;    ///< made by the key, whatever became of them
    bool remembered = false;        ///< without a window: the person had the login kept for this site
    std::vector<Document> listed{}; ///< the first of the documents

    bool operator==(Entry const&) const = default;
};

} // namespace tamga::journal
