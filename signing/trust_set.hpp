// The authorities this computer trusts for signatures: certificates in folders, of the package, of the computer and of
// the person. Whoever put one there has decided; nothing is trusted because a document or a page brought it along.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "signing/certificate.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace tamga::signing {

struct CertificateFile {
    std::vector<Certificate> certificates;
    std::vector<std::string> left_out; ///< common names of those whose kind of key is not in the registry

    /// To one of the two. Error: bad_request.
    Result<void> add(View der);
};

/// The certificates of a file, PEM (any number) or DER (one). Errors: bad_request.
Result<CertificateFile> read_certificates(View file);

/// Whether it may issue certificates (basicConstraints).
[[nodiscard]] bool is_authority(Certificate const& certificate);

struct TrustFolders {
    std::filesystem::path shipped;  ///< of the package
    std::filesystem::path computer; ///< /etc/tamga/ca
    std::filesystem::path person;   ///< $XDG_CONFIG_HOME/tamga/ca, mostly ~/.config/...; empty without a home

    /// Where they lie for this process's environment.
    [[nodiscard]] static TrustFolders here();
};

enum class UserAuthorities : bool { left_out, counted };

/// Immutable; cheap to copy. Thread-safe.
class TrustSet {
public:
    TrustSet() = default;
    explicit TrustSet(std::vector<Certificate> certificates) : m_certificates{std::move(certificates)} {}

    /// Reads every *.pem, *.cer, *.crt and *.der there. What cannot be read, is no authority, or could be written by
    /// others is left out with a line in the log. Blocking.
    [[nodiscard]] static TrustSet load(TrustFolders const& folders, UserAuthorities user);

    [[nodiscard]] std::vector<Certificate> const& certificates() const noexcept { return m_certificates; }

private:
    std::vector<Certificate> m_certificates;
};

} // namespace tamga::signing
