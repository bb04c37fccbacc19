#include "daemon/key_description.hpp"

namespace tamga::daemon {

protocol::ChosenCertificate describe(signing::Certificate const& certificate) {
    protocol::ChosenCertificate words;
    // NCALayer's alias and keyId name the key, not the token: 8 octets of the certificate's digest are stable over
    // both.
    words.alias = to_hex(View{certificate.fingerprint()}.first(8));
    words.key_id = words.alias;
    words.algorithm = certificate.algorithm().name;
    words.subject_cn = certificate.common_name();
    words.subject_dn = certificate.subject_dn();
    words.issuer_cn = certificate.issuer_common_name();
    words.issuer_dn = certificate.issuer_dn();
    words.iin = certificate.iin();
    words.bin = certificate.bin();
    words.usages = certificate.extended_key_usages();
    words.serial_number = certificate.serial_number();
    words.not_before_ms = certificate.not_before() * 1000;
    words.not_after_ms = certificate.not_after() * 1000;
    words.authority_key_identifier = certificate.authority_key_identifier();
    words.pem = certificate.pem();
    return words;
}

} // namespace tamga::daemon
