#include "cli/doctor/tls_probe.hpp"

#include "base/unique_fd.hpp"

#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <memory>

namespace tamga::cli {

namespace {

struct FreeContext {
    void operator()(::SSL_CTX* context) const noexcept { ::SSL_CTX_free(context); }
};
struct FreeConnection {
    void operator()(::SSL* connection) const noexcept { ::SSL_free(connection); }
};
struct FreeCertificate {
    void operator()(::X509* certificate) const noexcept { ::X509_free(certificate); }
};

Error no_handshake() {
    std::array<char, 256> reason{};
    auto const code = ::ERR_get_error();
    ::ERR_error_string_n(code, reason.data(), reason.size());
    ::ERR_clear_error();
    return {Errc::system, code == 0 ? "no TLS answer" : reason.data()};
}

Result<UniqueFd> connected(std::uint16_t port) {
    UniqueFd fd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    ::timeval const patience{2, 0}; // for each step
    for (int const direction : {SO_RCVTIMEO, SO_SNDTIMEO})
        ::setsockopt(fd.get(), SOL_SOCKET, direction, &patience, sizeof patience);
    ::sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = ::htons(port);
    address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
    if (::connect(fd.get(), reinterpret_cast<::sockaddr const*>(&address), sizeof address) != 0)
        return system_error("connect", errno);
    return fd;
}

} // namespace

Result<Bytes> served_certificate(std::uint16_t port) {
    auto const fd = connected(port);
    if (!fd) return fd.error();
    std::unique_ptr<::SSL_CTX, FreeContext> const context{::SSL_CTX_new(::TLS_client_method())};
    std::unique_ptr<::SSL, FreeConnection> const connection{context ? ::SSL_new(context.get()) : nullptr};
    if (!connection || ::SSL_set_fd(connection.get(), fd->get()) != 1) return no_handshake();
    if (::SSL_connect(connection.get()) != 1) return no_handshake();
    std::unique_ptr<::X509, FreeCertificate> const certificate{::SSL_get1_peer_certificate(connection.get())};
    unsigned char* octets = nullptr;
    auto const size = ::i2d_X509(certificate.get(), &octets);
    if (size <= 0) return no_handshake();
    Bytes der{octets, octets + size};
    ::OPENSSL_free(octets);
    return der;
}

} // namespace tamga::cli
