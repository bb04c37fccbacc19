// The commands about PINs and keys.
#include "tests/card/card.hpp"

#include <algorithm>

namespace tamga::card {

namespace {

constexpr std::uint16_t private_key_directory = 0x6002;
constexpr unsigned char private_rsa_key = 0x23; ///< first proprietary octet of such a file

} // namespace

Bytes Card::verify(Command const& command) {
    auto const place = m_references.find(command.p2);
    if (place == m_references.end()) return answer(StatusWord::reference_not_found);
    auto& reference = place->second;
    if (command.data.empty()) {
        if (m_logged_in == command.p2) return answer(StatusWord::ok);
        if (reference.tries == 0) return answer(StatusWord::pin_blocked);
        return answer(
            StatusWord{static_cast<std::uint16_t>(static_cast<unsigned>(StatusWord::tries_left) | reference.tries)});
    }
    if (m_logged_in != nobody) return answer(StatusWord::already_logged_in);
    ++counts.pins;
    if (reference.tries == 0) return answer(StatusWord::pin_blocked);
    if (command.data == reference.value) {
        reference.tries = reference.most_tries;
        m_logged_in = command.p2;
        return answer(StatusWord::ok);
    }
    --reference.tries;
    return answer(reference.tries == 0 ? StatusWord::pin_blocked : StatusWord::wrong_pin);
}

/// CHANGE REFERENCE DATA: a new PIN, or with reference 0 the content of the current key file. Which length in 80, the
/// value in one or more A5.
Bytes Card::change(Command const& command) {
    auto const items = parse_tagged(command.data);
    if (!items) return answer(StatusWord::wrong_data);
    Bytes value;
    std::size_t announced = 0;
    for (auto const& item : *items) {
        if (item.tag == 0x80 && item.value.size() == 2) announced = big_endian(item.value);
        if (item.tag == 0xa5) value.insert(value.end(), item.value.begin(), item.value.end());
    }
    if (value.size() != announced) return answer(StatusWord::wrong_data);
    return command.p2 != 0 ? change_pin(command.p2, std::move(value)) : fill_key_file(std::move(value));
}

Bytes Card::change_pin(unsigned char number, Bytes value) {
    auto const place = m_references.find(number);
    if (place == m_references.end()) return answer(StatusWord::reference_not_found);
    auto& reference = place->second;
    bool const first = reference.value.empty();
    if (!first && !allowed(reference.access, Operation::update)) return answer(StatusWord::not_allowed);
    reference.value = std::move(value);
    reference.tries = reference.most_tries;
    return answer(StatusWord::ok);
}

Bytes Card::fill_key_file(Bytes value) {
    auto* const file = m_files.file();
    if (file == nullptr || file->kind != FileKind::internal) return answer(StatusWord::reference_not_found);
    if (!allowed(file->access, Operation::change)) return answer(StatusWord::not_allowed);
    if (file->proprietary[0] != private_rsa_key) return answer(StatusWord::ok);
    file->key = RsaKey::from_file(value);
    return answer(file->key ? StatusWord::ok : StatusWord::wrong_data);
}

Bytes Card::unblock(Command const& command) {
    auto const place = m_references.find(command.p2);
    if (place == m_references.end()) return answer(StatusWord::reference_not_found);
    if (!m_initialising && m_logged_in != officer) return answer(StatusWord::not_allowed);
    place->second.tries = place->second.most_tries;
    return answer(StatusWord::ok);
}

/// MANAGE SECURITY ENVIRONMENT: the key of the next computation.
Bytes Card::choose_key(Command const& command) {
    if (command.p1 == 0xf3) return answer(StatusWord::ok); // restore: there is one environment
    bool const sets = command.p1 == 0x41 || command.p1 == 0x81 || command.p1 == 0xc1;
    if (!sets || (command.p2 != 0xb6 && command.p2 != 0xb8)) return answer(StatusWord::wrong_parameters);
    auto const items = parse_tagged(command.data);
    if (!items) return answer(StatusWord::wrong_data);
    for (auto const& item : *items) {
        if ((item.tag == 0x83 || item.tag == 0x84) && item.value.size() == 1) m_chosen_key = item.value[0];
    }
    return answer(StatusWord::ok);
}

Bytes Card::generate(Command const& command) {
    auto* const file = m_files.key_directory(private_key_directory).child(command.p2);
    if (file == nullptr || file->proprietary.empty()) return answer(StatusWord::reference_not_found);
    if (!allowed(file->access, Operation::change)) return answer(StatusWord::not_allowed);
    if (file->proprietary[0] != private_rsa_key) return answer(StatusWord::unsupported);
    file->key = RsaKey::generate(modulus_bits(file->size));
    return file->key ? answer(file->key->modulus()) : answer(StatusWord::failure);
}

/// PERFORM SECURITY OPERATION: a signature (9E 9A) or a decryption (80 86), both the same bare RSA here.
Bytes Card::compute(Command const& command) {
    if (command.parameters() != 0x9e9a && command.parameters() != 0x8086) return answer(StatusWord::wrong_parameters);
    auto* const file = m_chosen_key ? m_files.key_directory(private_key_directory).child(*m_chosen_key) : nullptr;
    if (file == nullptr || !file->key) return answer(StatusWord::reference_not_found);
    if (!allowed(file->access, Operation::use)) return answer(StatusWord::not_allowed);
    auto result = file->key->raise_to_private(command.data);
    if (!result) return answer(StatusWord::wrong_data);
    m_computed = true;
    return answer(std::move(*result));
}

} // namespace tamga::card
