// net: who is at the other end of a connection, and who listens.
#include "net/sock_diag.hpp"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <chrono>
#include <cstring>
#include <utility>

namespace tamga::net {
namespace {

struct Address {
    ::sockaddr_storage storage{};
    ::socklen_t size = 0;
};

enum class Kind : std::uint8_t { ipv4, ipv6, ipv4_mapped };

Address address_of(Kind kind, std::uint16_t port_net) {
    Address address;
    if (kind == Kind::ipv4) {
        ::sockaddr_in name{};
        name.sin_family = AF_INET;
        name.sin_port = port_net;
        name.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
        std::memcpy(&address.storage, &name, address.size = sizeof name);
    } else {
        ::sockaddr_in6 name{};
        name.sin6_family = AF_INET6;
        name.sin6_port = port_net;
        name.sin6_addr = IN6ADDR_LOOPBACK_INIT;
        if (kind == Kind::ipv4_mapped) {
            name.sin6_addr = {};
            name.sin6_addr.s6_addr[10] = name.sin6_addr.s6_addr[11] = 0xff;
            name.sin6_addr.s6_addr[12] = 127;
            name.sin6_addr.s6_addr[15] = 1;
        }
        std::memcpy(&address.storage, &name, address.size = sizeof name);
    }
    return address;
}

::sockaddr* generic(Address& address) {
    return reinterpret_cast<::sockaddr*>(&address.storage);
}

/// A loopback connection: the listener, the accepted end and the connecting end.
struct Connection {
    UniqueFd listener;
    UniqueFd accepted;
    UniqueFd connecting;
    std::uint16_t port = 0;
};

Connection connection(Kind listening, Kind connecting) {
    Connection made;
    auto address = address_of(listening, 0);
    made.listener.reset(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::bind(made.listener.get(), generic(address), address.size), 0);
    EXPECT_EQ(::listen(made.listener.get(), 1), 0);
    ::getsockname(made.listener.get(), generic(address), &address.size);
    std::uint16_t port_net = 0;
    std::memcpy(&port_net, reinterpret_cast<char*>(&address.storage) + sizeof(::sa_family_t), sizeof port_net);
    made.port = ::ntohs(port_net);
    auto target = address_of(connecting, port_net);
    made.connecting.reset(::socket(target.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::connect(made.connecting.get(), generic(target), target.size), 0);
    made.accepted.reset(::accept(made.listener.get(), nullptr, nullptr));
    return made;
}

TEST(SockDiag, NamesTheUserAtTheOtherEndOverEitherProtocol) {
    auto diag = SockDiag::open();
    ASSERT_TRUE(diag);

    for (auto const& [listening, connecting] : {std::pair{Kind::ipv4, Kind::ipv4},
                                                {Kind::ipv6, Kind::ipv6},
                                                {Kind::ipv4, Kind::ipv4_mapped},
                                                {Kind::ipv4_mapped, Kind::ipv4}}) {
        auto const made = connection(listening, connecting);
        auto const uid = diag->peer_uid(made.accepted.get());
        ASSERT_TRUE(uid) << uid.error().detail;
        EXPECT_EQ(*uid, ::getuid());
    }
}

TEST(SockDiag, TellsAnotherUserFromOurs) {
    if (::getuid() != 0) GTEST_SKIP() << "only root can connect as another user";
    constexpr uid_t other = 65534;
    auto const made = connection(Kind::ipv4, Kind::ipv4);
    ASSERT_EQ(::fchown(made.connecting.get(), other, other), 0); // as if `other` had made it

    auto const uid = SockDiag::open()->peer_uid(made.accepted.get());

    ASSERT_TRUE(uid);
    EXPECT_EQ(*uid, other);
}

TEST(SockDiag, DoesNotTakeAClosedPeerForRoot) {
    auto made = connection(Kind::ipv4, Kind::ipv4);
    made.connecting.reset();

    auto const uid = SockDiag::open()->peer_uid(made.accepted.get());

    ASSERT_FALSE(uid);
    EXPECT_EQ(uid.error().code, Errc::channel_closed);
}

TEST(SockDiag, NamesWhoListensOnAPort) {
    auto diag = SockDiag::open();
    auto made = connection(Kind::ipv6, Kind::ipv6);

    auto const owner = diag->listener_owner(made.port);
    made.listener.reset();
    auto const nobody = diag->listener_owner(made.port);

    ASSERT_TRUE(owner && *owner);
    EXPECT_EQ((*owner)->uid, ::getuid());
    ASSERT_TRUE(nobody);
    EXPECT_FALSE(*nobody);
}

TEST(SockDiag, FindsTheProgramThatHoldsASocket) {
    auto const made = connection(Kind::ipv4, Kind::ipv4);
    auto const owner = SockDiag::open()->listener_owner(made.port);
    ASSERT_TRUE(owner && *owner);

    EXPECT_EQ(socket_holder((*owner)->inode), "process-net (pid " + std::to_string(::getpid()) + ")");
    EXPECT_EQ(socket_holder(1), "");
}

TEST(SockDiag, AnswersInMicroseconds) {
    auto diag = SockDiag::open();
    auto const made = connection(Kind::ipv4, Kind::ipv4);
    constexpr int rounds = 1000;

    auto const began = std::chrono::steady_clock::now();
    for (int i = 0; i < rounds; ++i)
        ASSERT_TRUE(diag->peer_uid(made.accepted.get()));
    auto const each = std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - began) / rounds;

    RecordProperty("microseconds", std::to_string(each.count()));
    EXPECT_LT(each.count(), 200.0);
}

} // namespace
} // namespace tamga::net
