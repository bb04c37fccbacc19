// The kinds of token, as data: which storage name, which words and which modules belong to a token. docs/tokens.md
// tells how the table is written; families_file.hpp reads it.
#pragma once

#include "base/messages.hpp"
#include "base/result.hpp"
#include "pkcs11/sandbox.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace tamga::pkcs11 {

/// The storage names that pages know for tokens (docs/ncalayer.md).
[[nodiscard]] bool is_token_storage(std::string_view name) noexcept;
/// All of them, for whoever typed another.
[[nodiscard]] std::string token_storages();

/// An answer to reset, with a mask: "3B D5 18 ?? 81". Blanks and colons part octets, "?" stands for any half octet.
class AtrPattern {
public:
    /// Nothing where it is no pattern of 2 to 33 octets (ISO 7816-3).
    static std::optional<AtrPattern> parse(std::string_view text);

    [[nodiscard]] bool matches(View atr) const noexcept;
    [[nodiscard]] Bytes const& value() const noexcept { return m_value; } ///< 0 where the mask is
    [[nodiscard]] Bytes const& mask() const noexcept { return m_mask; }   ///< 1 where the value counts

private:
    Bytes m_value;
    Bytes m_mask;
};

/// "*" stands for any text, case does not count in ASCII; an empty pattern matches everything.
[[nodiscard]] bool matches_text(std::string_view pattern, std::string_view text) noexcept;

/// Strings a token or its reader says of itself; all that are not empty must match (matches_text).
struct TokenPattern {
    std::string manufacturer;
    std::string model;
    std::string reader;
};

/// What is known of the token before its family is: everything here may be missing.
struct Seen {
    Bytes atr;          ///< empty: nobody told
    std::string reader; ///< of PC/SC, which is CK_SLOT_INFO's slotDescription for modules over PC/SC
    std::string manufacturer;
    std::string model;
};

/// How OpenSC is to see tokens of a family; with an empty driver it finds its own.
struct OpenScDriver {
    std::string driver;
    std::int64_t type = 0; ///< SC_CARD_TYPE_..., where the driver needs to be told
};

/// What modules of a family are not to be trusted with.
struct Quirks {
    bool single_threaded = false; ///< never called by two threads at once, whatever C_Initialize says
    std::optional<Permit> allow;  ///< the one thing its sandbox leaves it
};

struct Family {
    std::string id;
    std::string storage; ///< empty: not shown to pages
    ipc::FamilyName name;
    std::vector<AtrPattern> atrs;
    std::vector<TokenPattern> tokens;
    std::vector<std::string> usb;               ///< "0529:0620", vendor and product
    std::vector<std::filesystem::path> modules; ///< the vendor's, in the order to look for them; absolute
    std::string program;                        ///< whose modules these are, as it is asked for; empty: not known
    std::optional<OpenScDriver> opensc;         ///< OpenSC's module is a candidate too, the last one
    std::vector<std::string> default_pins;      ///< what tokens are delivered with; never typed by a program
    Unblocking unblocking{};
    std::optional<std::uint8_t> pin_tries; ///< wrong PINs in a row that lock it, as delivered
    Quirks quirks;

    [[nodiscard]] bool has_atr(View atr) const noexcept;
    [[nodiscard]] bool has_strings(Seen const& seen) const noexcept;
    [[nodiscard]] bool is_default_pin(View pin) const noexcept;
};

class Families {
public:
    Families() = default;
    Families(std::vector<Family> rows, std::vector<std::filesystem::path> opensc_modules, std::string other_storage);

    /// The family of a token, in this order: the rows that have its ATR, of these the first one whose strings match
    /// too, else the first; without such a row the first one whose strings match; else `other`. Never fails: a wrong
    /// guess shows as another storage name than the page asked for.
    [[nodiscard]] Family const& classify(Seen const& seen) const noexcept;

    /// In the order in which they are asked: the person's, the computer's, the shipped ones.
    [[nodiscard]] std::vector<Family> const& rows() const noexcept { return m_rows; }
    [[nodiscard]] Family const* find(std::string_view id) const noexcept;
    [[nodiscard]] std::vector<std::filesystem::path> const& opensc_modules() const noexcept { return m_opensc_modules; }
    [[nodiscard]] Family const& other() const noexcept { return m_other; }

private:
    std::vector<Family> m_rows;
    std::vector<std::filesystem::path> m_opensc_modules;
    Family m_other;
};

/// The id of Families::other, which no row may have.
inline constexpr std::string_view other_family = "other";

} // namespace tamga::pkcs11
