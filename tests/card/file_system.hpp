// The file system of the virtual card: directories, elementary files, and files that the card keeps to itself (keys).
#pragma once

#include "tests/card/iso7816.hpp"
#include "tests/card/rsa_key.hpp"

#include <array>
#include <memory>

namespace tamga::card {

enum class FileKind : unsigned char { elementary = 0x01, internal = 0x10, directory = 0x38 };

/// Who is logged in, as a set of bits in access conditions.
enum Person : unsigned char { nobody = 0, officer = 1, user = 2 };

/// What may be done with a file; the number is the place of its condition in the security attributes.
enum class Operation : unsigned char { read_or_create = 0, update = 1, change = 2, use = 3, remove = 6 };

/// Compact security attributes as this family has them: first which operations have a condition, then the conditions.
using Access = std::array<unsigned char, 15>;

struct File {
    std::uint16_t id = 0;
    FileKind kind = FileKind::directory;
    unsigned char structure = 0;
    std::uint16_t size = 0;
    Bytes proprietary;
    Access access{};
    Bytes content;
    std::optional<RsaKey> key;
    File* parent = nullptr;
    std::vector<std::unique_ptr<File>> children;

    [[nodiscard]] bool is_directory() const noexcept { return kind == FileKind::directory; }
    [[nodiscard]] File* child(std::uint16_t wanted) const noexcept;
    File& add(std::unique_ptr<File> file);
    /// What SELECT answers (file control information, ISO/IEC 7816-4 table 12).
    [[nodiscard]] Bytes control_information() const;
};

/// A file as CREATE FILE describes it; nothing where the template is malformed.
[[nodiscard]] std::unique_ptr<File> file_from(View control_information);

/// The tree and the place in it that commands refer to.
class FileSystem {
public:
    static constexpr std::uint16_t root_id = 0x3f00;

    FileSystem() { erase(); }

    void erase();
    void select_root() noexcept { go_to(*m_root); }

    [[nodiscard]] File& root() const noexcept { return *m_root; }
    [[nodiscard]] File& directory() const noexcept { return *m_directory; }
    /// The current elementary or internal file, or none.
    [[nodiscard]] File* file() const noexcept { return m_file; }

    void go_to(File& file) noexcept;
    [[nodiscard]] File* by_id(std::uint16_t id) const noexcept;
    /// Each two octets an identifier, from `start` downwards.
    [[nodiscard]] static File* by_path(File& start, View path) noexcept;
    /// The child of the current directory behind the one of id `previous`; the first where there is none given.
    [[nodiscard]] File* next_child(std::optional<std::uint16_t> previous) const noexcept;
    /// The directory where the card keeps keys: 1000/1000/`leaf`, made where it is missing.
    [[nodiscard]] File& key_directory(std::uint16_t leaf) const;
    void remove(File& file) noexcept;

private:
    std::unique_ptr<File> m_root;
    File* m_directory = nullptr;
    File* m_file = nullptr;
};

} // namespace tamga::card
