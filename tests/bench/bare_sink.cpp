// tamga-bare-sink CHAIN KEY: what streaming is held against. A TLS WebSocket server by Beast for one connection after
// the other, which hashes binary messages with SHA-256 and says the digest when a text message comes, and nothing else.
// Prints its port.
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <openssl/evp.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

namespace asio = boost::asio;
namespace websocket = boost::beast::websocket;
using Stream = websocket::stream<boost::beast::ssl_stream<asio::ip::tcp::socket>, false>;

namespace {

using Digest = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;

Digest begin() {
    Digest digest{EVP_MD_CTX_new(), EVP_MD_CTX_free};
    EVP_DigestInit_ex(digest.get(), EVP_sha256(), nullptr);
    return digest;
}

std::string end(Digest const& digest) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> value{};
    unsigned size = 0;
    EVP_DigestFinal_ex(digest.get(), value.data(), &size);
    std::string hex;
    for (unsigned i = 0; i < size; ++i) {
        std::array<char, 3> digits{};
        std::snprintf(digits.data(), digits.size(), "%02x", unsigned{value[i]});
        hex += digits.data();
    }
    return hex;
}

void serve(Stream& stream) {
    stream.next_layer().handshake(asio::ssl::stream_base::server);
    stream.read_message_max(0);
    stream.accept();
    auto digest = begin();
    std::vector<unsigned char> buffer(512 * 1024);
    while (true) {
        auto const size = stream.read_some(asio::buffer(buffer));
        if (stream.got_binary()) {
            EVP_DigestUpdate(digest.get(), buffer.data(), size);
            continue;
        }
        if (!stream.is_message_done()) continue;
        stream.text(true);
        stream.write(asio::buffer(end(digest)));
        digest = begin();
    }
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 3) return EXIT_FAILURE;
    asio::io_context context;
    asio::ssl::context tls{asio::ssl::context::tls_server};
    tls.use_certificate_chain_file(argv[1]);
    tls.use_private_key_file(argv[2], asio::ssl::context::pem);
    asio::ip::tcp::acceptor acceptor{context, {asio::ip::address_v4::loopback(), 0}};
    std::cout << acceptor.local_endpoint().port() << std::endl;
    while (true) {
        Stream stream{acceptor.accept(), tls};
        try {
            serve(stream);
        } catch (boost::system::system_error const&) {
            continue; // the client is gone: the next one
        }
    }
}
