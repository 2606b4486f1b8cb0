#include "host/resolver/own_query.h"

#include <cerrno>

#include "base/base.h"
#include "fake_resolver.h"
#include "support/netns.h"

namespace host = tunnel::host;
using tunnel::test::FakeResolver;

namespace {

std::vector<std::string> texts(const host::LookupResult& result) {
  std::vector<std::string> found;
  for (const tunnel_address& address : result.addresses) {
    std::array<char, TUNNEL_ADDRESS_TEXT_SIZE> text{};
    REQUIRE(tunnel_address_to_text(&address, text.data()) == TUNNEL_OK);
    found.emplace_back(text.data());
  }
  std::sort(found.begin(), found.end());
  return found;
}

tunnel_address nobody() {
  tunnel_address address{};
  address.family = TUNNEL_FAMILY_IPV4;
  const std::array<std::uint8_t, 4> bytes{127, 0, 0, 1};
  std::copy(bytes.begin(), bytes.end(), address.bytes);
  address.port = 9;
  return address;
}

}  // namespace

TEST_CASE("own queries find addresses of both families", "[host][resolver]") {
  test::in_namespace([] {
    const FakeResolver resolver("127.0.0.1", {{"vpn.test", {"192.0.2.1", "2001:db8::1"}}});
    const auto ask = host::own_query({resolver.address()}, 0);
    REQUIRE(texts(ask("vpn.test", 51820)) ==
            std::vector<std::string>{"192.0.2.1:51820", "[2001:db8::1]:51820"});
    REQUIRE(resolver.asked() == 2);
  });
}

TEST_CASE("own queries find a name that has one family only", "[host][resolver]") {
  test::in_namespace([] {
    const FakeResolver resolver("[::1]",
                                {{"four.test", {"192.0.2.1"}}, {"six.test", {"2001:db8::1"}}});
    const auto ask = host::own_query({resolver.address()}, 0);
    REQUIRE(texts(ask("four.test", 7)) == std::vector<std::string>{"192.0.2.1:7"});
    REQUIRE(texts(ask("six.test", 7)) == std::vector<std::string>{"[2001:db8::1]:7"});
  });
}

TEST_CASE("a resolver that is dead is followed by the next", "[host][resolver]") {
  test::in_namespace([] {
    const FakeResolver resolver("127.0.0.1", {{"vpn.test", {"192.0.2.1"}}});
    const auto ask = host::own_query({nobody(), resolver.address()}, 0);
    REQUIRE(texts(ask("vpn.test", 7)) == std::vector<std::string>{"192.0.2.1:7"});
  });
}

TEST_CASE("a name that does not exist is said so, and never looked for elsewhere",
          "[host][resolver]") {
  test::in_namespace([] {
    const FakeResolver resolver("127.0.0.1", {});
    const auto result = host::own_query({resolver.address()}, 0)("vpn.test", 7);
    REQUIRE(result.addresses.empty());
    REQUIRE_FALSE(result.reason.empty());
    REQUIRE(resolver.asked() == 2);  // once for each family: no search list
    REQUIRE_FALSE(host::own_query({nobody()}, 0)("vpn.test", 7).reason.empty());
  });
}

TEST_CASE("own queries read the hosts file before they ask", "[host][resolver]") {
  test::in_namespace([] {
    const FakeResolver resolver("127.0.0.1", {});
    const auto result = host::own_query({resolver.address()}, 0)("localhost", 7);
    REQUIRE_FALSE(result.addresses.empty());
    REQUIRE(resolver.asked() == 0);
  });
}

TEST_CASE("own queries carry the mark, and only when there is one", "[host][resolver]") {
  test::in_namespace([] {
    const test::Neighbour neighbour;
    test::run_command("ip address add 10.7.0.1/24 dev near");
    neighbour.run([] { test::run_command("ip address add 10.7.0.2/24 dev far"); });
    test::run_command("ip rule add pref 10 not fwmark 7 to 10.7.0.2 unreachable");
    std::unique_ptr<FakeResolver> resolver;
    neighbour.run([&] {
      resolver = std::make_unique<FakeResolver>(
          "10.7.0.2", std::map<std::string, FakeResolver::Addresses>{{"vpn.test", {"192.0.2.1"}}});
    });
    REQUIRE(host::own_query({resolver->address()}, 0)("vpn.test", 7).addresses.empty());
    REQUIRE(resolver->asked() == 0);
    REQUIRE(host::own_query({resolver->address()}, 7)("vpn.test", 7).addresses.size() == 1);
  });
}

TEST_CASE("a resolver with a link-local address is reached through its interface",
          "[host][resolver]") {
  test::in_namespace([] {
    const test::Neighbour neighbour;
    test::run_command("ip -6 address flush dev near scope link");
    test::run_command("ip address add fe80::1/64 dev near nodad");
    std::unique_ptr<FakeResolver> resolver;
    neighbour.run([&] {
      test::run_command("ip address add fe80::53/64 dev far nodad");
      resolver = std::make_unique<FakeResolver>(
          "[::]", std::map<std::string, FakeResolver::Addresses>{{"vpn.test", {"192.0.2.1"}}});
    });
    tunnel_address there{};
    const std::string_view text = "fe80::53%near";
    REQUIRE(tunnel_address_from_text(text.data(), text.size(), &there) == TUNNEL_OK);
    there.port = resolver->address().port;
    REQUIRE(host::own_query({there}, 0)("vpn.test", 7).addresses.size() == 1);
  });
}

TEST_CASE("a mark that is not allowed is the reason told", "[host][resolver]") {
  test::in_namespace([] {
    test::drop_privileges();
    const auto result = host::own_query({nobody()}, 7)("vpn.test", 7);
    REQUIRE(result.addresses.empty());
    REQUIRE(result.reason.find("not permitted") != std::string::npos);
  });
}

TEST_CASE("a server that hangs up is an error, and no signal", "[host][resolver]") {
  std::array<int, 2> ends{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
  const tunnel::base::Descriptor ours(ends[0]);
  ::close(ends[1]);
  std::array<char, 2> question{};
  const std::array<iovec, 1> parts{{{question.data(), question.size()}}};
  CHECK(host::send_parts(ours.get(), parts.data(), 1) == -1);
  CHECK(errno == EPIPE);
}
