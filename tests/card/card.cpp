// Dispatch, and the commands about files. Those about PINs and keys are in card_secrets.cpp.
#include "tests/card/card.hpp"

#include <algorithm>
#include <utility>

namespace tamga::card {

namespace {

constexpr std::uint16_t public_key_directory = 0x6001;
constexpr std::uint16_t private_key_directory = 0x6002;

} // namespace

void Card::reset() {
    m_files.select_root();
    m_logged_in = nobody;
    m_chosen_key.reset();
    m_chain.clear();
}

Card::Answer Card::transmit(View apdu) {
    ++counts.commands;
    auto command = parse_command(apdu);
    if (!command) return {answer(StatusWord::wrong_length)};
    if (is_meant(*command)) {
        --whims.statuses;
        return {answer(StatusWord{whims.status})};
    }
    m_chain.insert(m_chain.end(), command->data.begin(), command->data.end());
    if (command->is_chained()) return {answer(StatusWord::ok)};
    command->data = std::exchange(m_chain, {});

    m_computed = false;
    Answer result{execute(*command)};
    if (!m_computed) return result;
    ++counts.signatures;
    result.time = whims.signing_time;
    result.leaves = whims.leave_in_signature > 0 && --whims.leave_in_signature == 0;
    return result;
}

bool Card::is_meant(Command const& command) const {
    return whims.statuses > 0 && (whims.instruction == 0 || whims.instruction == command.ins);
}

Bytes Card::execute(Command const& command) {
    if (command.cla == 0x80) return execute_own(command);
    if (command.cla != 0x00) return answer(StatusWord::unknown_class);
    switch (command.ins) {
    case 0x20: return verify(command);
    case 0x22: return choose_key(command);
    case 0x24: return change(command);
    case 0x2a: return compute(command);
    case 0x2c: return unblock(command);
    case 0x46: return generate(command);
    case 0x84: return answer(Bytes(command.le.value_or(8), 0x5a)); // GET CHALLENGE: nobody relies on its randomness
    case 0xa4: return select(command);
    case 0xb0: return read(command);
    case 0xca: return answer_data(command);
    case 0xd6: return update(command);
    case 0xe0: return create(command);
    case 0xe4: return remove(command);
    default: return answer(StatusWord::unknown_instruction);
    }
}

Bytes Card::execute_own(Command const& command) {
    switch (command.ins) {
    case 0x40: m_logged_in = nobody; return answer(StatusWord::ok);
    case 0x84: m_initialising = false; return answer(StatusWord::ok);
    case 0x8a:
        m_files.erase();
        m_references.clear();
        m_initialising = true;
        m_logged_in = nobody;
        return answer(StatusWord::ok);
    default: return answer(StatusWord::unknown_instruction);
    }
}

bool Card::allowed(Access const& access, Operation operation) const {
    auto const place = static_cast<unsigned>(operation);
    if (m_initialising || (access[0] & (1U << place)) == 0) return true;
    auto const condition = access[1 + place];
    if (condition == 0xff) return false;
    return condition == 0 || (condition & m_logged_in) != 0;
}

Bytes Card::answer_data(Command const& command) const {
    if (command.parameters() != 0x0181) return answer(StatusWord::reference_not_found);
    Bytes serial;
    for (unsigned shift = 0; shift < 32; shift += 8)
        serial.push_back(static_cast<unsigned char>(m_serial >> shift));
    return answer(serial);
}

Bytes Card::selected(File* file, Command const& command) {
    if (file == nullptr) return answer(StatusWord::file_not_found);
    m_files.go_to(*file);
    bool const silently = (command.p2 & 0x0c) == 0x0c;
    return silently ? answer(StatusWord::ok) : answer(file->control_information());
}

/// A selection without an identifier, or for "the next": how the host learns what is in a directory.
Bytes Card::enumerate(Command const& command) {
    std::optional<std::uint16_t> previous;
    if (command.data.size() == 2) previous = big_endian(command.data);
    auto* const file = m_files.next_child(previous);
    if (file == nullptr) return answer(StatusWord::file_not_found);
    m_files.go_to(*file);
    return answer(file->control_information());
}

Bytes Card::select(Command const& command) {
    auto const& data = command.data;
    auto& directory = m_files.directory();
    switch (command.p1) {
    case 0x00:
        if (data.empty() || command.p2 == 0x02) return enumerate(command);
        if (data.size() != 2) return answer(StatusWord::wrong_data);
        return selected(m_files.by_id(big_endian(data)), command);
    case 0x03: return selected(directory.parent != nullptr ? directory.parent : &directory, command);
    case 0x08: return selected(FileSystem::by_path(m_files.root(), data), command);
    case 0x09: return selected(FileSystem::by_path(directory, data), command);
    default: return answer(StatusWord::file_not_found); // by name: there are no applications
    }
}

Bytes Card::read(Command const& command) const {
    auto const* const file = m_files.file();
    if (file == nullptr) return answer(StatusWord::no_current_file);
    if (file->kind == FileKind::internal) return answer(StatusWord::wrong_file_kind);
    if (!allowed(file->access, Operation::read_or_create)) return answer(StatusWord::not_allowed);
    std::size_t const offset = command.parameters();
    if (offset >= file->content.size()) return answer(StatusWord::outside_file);
    auto const size = std::min(command.le.value_or(256), file->content.size() - offset);
    return answer(to_bytes(View{file->content}.subspan(offset, size)));
}

Bytes Card::update(Command const& command) {
    auto* const file = m_files.file();
    if (file == nullptr || file->kind == FileKind::internal) return answer(StatusWord::no_current_file);
    if (!allowed(file->access, Operation::update)) return answer(StatusWord::not_allowed);
    std::size_t const offset = command.parameters();
    if (offset + command.data.size() > file->content.size()) return answer(StatusWord::not_enough_room);
    std::copy(command.data.begin(), command.data.end(), file->content.begin() + static_cast<std::ptrdiff_t>(offset));
    return answer(StatusWord::ok);
}

Bytes Card::create(Command const& command) {
    auto file = file_from(command.data);
    if (!file) return answer(StatusWord::wrong_data);
    if (file->id == FileSystem::root_id) {
        if (!m_initialising) return answer(StatusWord::file_exists);
        m_files.root().access = file->access;
        m_files.root().proprietary = file->proprietary;
        m_files.select_root();
        return answer(StatusWord::ok);
    }
    bool const internal = file->kind == FileKind::internal;
    if (internal && file->proprietary.empty()) return answer(StatusWord::wrong_data);
    if (internal && file->proprietary[0] == 0x01) return create_reference(*file);

    auto* parent = &m_files.directory();
    if (internal) {
        // Keys lie in directories of the card's own, wherever the host stands.
        bool const is_public = (file->proprietary[0] & 0x10) != 0;
        parent = &m_files.key_directory(is_public ? public_key_directory : private_key_directory);
        if (!m_initialising && m_logged_in != user) return answer(StatusWord::not_allowed);
    } else if (!allowed(parent->access, Operation::read_or_create)) {
        return answer(StatusWord::not_allowed);
    }
    if (parent->child(file->id) != nullptr) return answer(StatusWord::file_exists);
    auto& created = parent->add(std::move(file));
    if (!internal) m_files.go_to(created);
    return answer(StatusWord::ok);
}

Bytes Card::create_reference(File const& file) {
    auto const number = static_cast<unsigned char>(file.id & 0xff);
    Reference reference;
    reference.access = file.access;
    if (file.proprietary.size() > 3) reference.tries = reference.most_tries = file.proprietary[3] & 0x0fU;
    bool const is_new = m_references.emplace(number, std::move(reference)).second;
    return answer(is_new ? StatusWord::ok : StatusWord::file_exists);
}

Bytes Card::remove(Command const& command) {
    auto* file = m_files.file() != nullptr ? m_files.file() : &m_files.directory();
    if (command.data.size() == 2) file = m_files.directory().child(big_endian(command.data));
    if (file == nullptr || file->parent == nullptr) return answer(StatusWord::file_not_found);
    if (!allowed(file->access, Operation::remove)) return answer(StatusWord::not_allowed);
    m_files.remove(*file);
    return answer(StatusWord::ok);
}

} // namespace tamga::card
