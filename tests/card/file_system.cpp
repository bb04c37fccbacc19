#include "tests/card/file_system.hpp"

#include <algorithm>

namespace tamga::card {

namespace {

constexpr unsigned char tag_template = 0x6f;
constexpr unsigned char tag_size = 0x80;
constexpr unsigned char tag_descriptor = 0x82;
constexpr unsigned char tag_id = 0x83;
constexpr unsigned char tag_proprietary = 0x85;
constexpr unsigned char tag_access = 0x86;

Bytes two_octets(std::uint16_t number) {
    Bytes octets;
    append_big_endian(octets, number);
    return octets;
}

bool apply(File& file, Tagged const& item) {
    auto const& value = item.value;
    switch (item.tag) {
    case tag_size:
        if (value.size() != 2) return false;
        file.size = big_endian(value);
        return true;
    case tag_descriptor:
        if (value.empty()) return false;
        file.kind = FileKind{value[0]};
        file.structure = value.size() > 1 ? value[1] : 0;
        return true;
    case tag_id:
        if (value.size() != 2) return false;
        file.id = big_endian(value);
        return true;
    case tag_proprietary: file.proprietary = to_bytes(value); return true;
    case tag_access:
        if (value.size() != file.access.size()) return false;
        std::copy(value.begin(), value.end(), file.access.begin());
        return true;
    default: return true;
    }
}

} // namespace

File* File::child(std::uint16_t wanted) const noexcept {
    auto const place =
        std::find_if(children.begin(), children.end(), [&](auto const& each) { return each->id == wanted; });
    return place == children.end() ? nullptr : place->get();
}

File& File::add(std::unique_ptr<File> file) {
    file->parent = this;
    return *children.emplace_back(std::move(file));
}

Bytes File::control_information() const {
    Bytes inner;
    append_tagged(inner, tag_size, two_octets(size));
    append_tagged(inner, tag_descriptor, Bytes{static_cast<unsigned char>(kind), structure});
    append_tagged(inner, tag_id, two_octets(id));
    if (!proprietary.empty()) append_tagged(inner, tag_proprietary, proprietary);
    append_tagged(inner, tag_access, access);
    Bytes whole;
    append_tagged(whole, tag_template, inner);
    return whole;
}

std::unique_ptr<File> file_from(View control_information) {
    auto const outer = parse_tagged(control_information);
    if (!outer || outer->size() != 1 || outer->front().tag != tag_template) return nullptr;
    auto const items = parse_tagged(outer->front().value);
    if (!items) return nullptr;
    auto file = std::make_unique<File>();
    auto const fits = std::all_of(items->begin(), items->end(), [&](auto const& item) { return apply(*file, item); });
    if (!fits) return nullptr;
    if (file->kind == FileKind::elementary) file->content.resize(file->size);
    return file;
}

void FileSystem::erase() {
    m_root = std::make_unique<File>();
    m_root->id = root_id;
    select_root();
}

void FileSystem::go_to(File& file) noexcept {
    m_directory = file.is_directory() || file.parent == nullptr ? &file : file.parent;
    m_file = file.is_directory() ? nullptr : &file;
}

File* FileSystem::by_id(std::uint16_t id) const noexcept {
    if (id == root_id) return m_root.get();
    if (auto* const found = m_directory->child(id)) return found;
    return m_directory->id == id ? m_directory : nullptr;
}

File* FileSystem::by_path(File& start, View path) noexcept {
    auto* place = &start;
    for (; path.size() >= 2 && place != nullptr; path = path.subspan(2))
        place = place->child(big_endian(path));
    return path.empty() ? place : nullptr;
}

File* FileSystem::next_child(std::optional<std::uint16_t> previous) const noexcept {
    auto const& all = m_directory->children;
    auto place = all.begin();
    if (previous) {
        place = std::find_if(all.begin(), all.end(), [&](auto const& each) { return each->id == *previous; });
        if (place != all.end()) ++place;
    }
    return place == all.end() ? nullptr : place->get();
}

File& FileSystem::key_directory(std::uint16_t leaf) const {
    auto* place = m_root.get();
    for (std::uint16_t const id : {std::uint16_t{0x1000}, std::uint16_t{0x1000}, leaf}) {
        auto* next = place->child(id);
        if (next == nullptr) {
            auto made = std::make_unique<File>();
            made->id = id;
            next = &place->add(std::move(made));
        }
        place = next;
    }
    return *place;
}

void FileSystem::remove(File& file) noexcept {
    auto* const parent = file.parent;
    std::erase_if(parent->children, [&](auto const& each) { return each.get() == &file; });
    go_to(*parent);
}

} // namespace tamga::card
