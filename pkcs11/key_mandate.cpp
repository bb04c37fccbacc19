#include "pkcs11/key_mandate.hpp"

#include "base/utf8.hpp"
#include "signing/certificate.hpp"

namespace tamga::pkcs11 {

namespace {

constexpr std::size_t longest_label = 64;
constexpr std::size_t longest_id = 255;

Error violated(std::string_view why) {
    return {Errc::mandate_violated, std::string{why}};
}

Result<void> meant(bool is_meant, char const* what) {
    return is_meant ? ok() : Result<void>{Error{Errc::bad_request, what}};
}

/// What a person can read as it is.
bool is_label(std::string_view label) {
    if (label.empty() || label.size() > longest_label) return false;
    while (!label.empty()) {
        auto const character = first_character(label);
        if (!character.valid || is_deceptive(character.code)) return false;
        label.remove_prefix(character.size);
    }
    return true;
}

bool is_id(Bytes const& id) {
    return !id.empty() && id.size() <= longest_id;
}

/// Whether an operation says all that it has to.
struct Judge {
    Result<void> operator()(ipc::GeneratePair const& wanted) const {
        ipc::PairFound pair;
        pair.id = wanted.id;
        if (auto fits = meant(pair.is_ours(), "identifier of a new pair"); !fits) return fits;
        return meant(is_label(wanted.label), "label of a new pair");
    }
    Result<void> operator()(ipc::SignCertificationRequest const& wanted) const {
        return meant(is_id(wanted.id) && !wanted.subject.empty(), "pair or subject of a certification request");
    }
    Result<void> operator()(ipc::StoreCertificate const& wanted) const {
        auto const certificate = signing::Certificate::parse(wanted.certificate);
        return certificate ? ok() : Result<void>{certificate.error()};
    }
    Result<void> operator()(ipc::DeletePair const& wanted) const {
        return meant(is_id(wanted.id) && !wanted.public_key.empty(), "pair to be deleted");
    }
    Result<void> operator()(ipc::SetLabel const& wanted) const {
        return meant(is_id(wanted.id) && is_label(wanted.label), "pair or its label");
    }
    Result<void> operator()(ipc::ListPairs const& /*wanted*/) const { return ok(); }
};

} // namespace

Result<KeyMandate> KeyMandate::begin(ipc::KeyMandate const& message, SteadyTime now) {
    if (message.operations.empty() || message.operations.size() > ipc::max_key_operations) {
        return violated("number of operations");
    }
    KeyMandate mandate{now + std::chrono::seconds{message.expires_in_s}};
    for (auto const& operation : message.operations) {
        if (auto judged = std::visit(Judge{}, operation); !judged) return judged.error();
        mandate.m_operations.emplace_back(operation);
    }
    return mandate;
}

Result<ipc::KeyOperation> KeyMandate::redeem(std::uint32_t index, View octets, SteadyTime now) {
    if (now >= m_expiry) return violated("mandate expired");
    if (index >= m_operations.size() || !m_operations[index]) return violated("no such operation, or done before");
    bool const signs = std::holds_alternative<ipc::SignCertificationRequest>(*m_operations[index]);
    if (signs == octets.empty()) return violated("octets to be signed");
    return *std::exchange(m_operations[index], std::nullopt);
}

} // namespace tamga::pkcs11
