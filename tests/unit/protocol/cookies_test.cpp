#include "support/catch.hpp"
#include "support/hex.h"
#include "unit/protocol/addresses.h"
#include "unit/protocol/parties.h"

using namespace tunnel;
using namespace tunnel::protocol;

namespace {

// Alice's initiation reaches bob, who is under load and asks for a cookie.
struct Exchange : Handshake {
  Exchange() {
    REQUIRE(initiate());
    mac1 = jar.write_macs(initiation, bob->us.public_key, 0);
  }

  // The reply, as it lies over the first 64 bytes of the message.
  std::array<std::uint8_t, kCookieReplySize> reply_to(const tunnel_address& from,
                                                      std::uint64_t now) {
    auto message = initiation;
    issuer.reply(bob->us, message, from, now, random);
    std::array<std::uint8_t, kCookieReplySize> reply;
    std::copy_n(message.begin(), reply.size(), reply.begin());
    return reply;
  }

  bool accept(CookieReplyBytes reply, std::uint64_t now) {
    return jar.accept(reply, bob->us.public_key, mac1, now);
  }

  void fetch_cookie(const tunnel_address& from, std::uint64_t now) {
    REQUIRE(accept(reply_to(from, now), now));
  }

  // A new initiation sent at `sent` passes bob's check when it arrives from `from` at `arrives`.
  bool retry_passes(const tunnel_address& from, std::uint64_t sent, std::uint64_t arrives) {
    REQUIRE(initiate());
    mac1 = jar.write_macs(initiation, bob->us.public_key, sent);
    return issuer.check_mac2(initiation, from, arrives, random);
  }

  CookieJar jar;
  CookieIssuer issuer;
  Mac mac1;
};

const auto kAlice = ipv4(192, 0, 2, 1, 1111);

}  // namespace

TEST_CASE("mac1 is made for the receiver and covers every bit before mac2", "[protocol][cookies]") {
  Exchange e;
  CHECK(check_mac1(e.bob->us, e.initiation));
  CHECK_FALSE(check_mac1(e.alice->us, e.initiation));
  std::size_t refused = 0;
  for (std::size_t bit = 0; bit < (kInitiationSize - kMacSize) * 8; ++bit) {
    auto flipped = e.initiation;
    flipped[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
    refused += !check_mac1(e.bob->us, flipped);
  }
  CHECK(refused == 1056);
}

TEST_CASE("without a cookie mac2 is zero", "[protocol][cookies]") {
  Exchange e;
  CHECK(base::is_zero_constant_time(base::Bytes(e.initiation).last(kMacSize)));
  CHECK_FALSE(e.issuer.check_mac2(e.initiation, kAlice, 0, e.random));
}

TEST_CASE("a cookie reply makes the next initiation pass", "[protocol][cookies]") {
  Exchange e;
  const auto reply = e.reply_to(kAlice, kSecond);
  CHECK(classify(reply) == MessageType::cookie);
  CHECK(receiver_index(reply) == Handshake::kAliceIndex);
  REQUIRE(e.accept(reply, kSecond));
  CHECK(e.retry_passes(kAlice, 2 * kSecond, 2 * kSecond));
  CHECK(check_mac1(e.bob->us, e.initiation));
}

TEST_CASE("a response is answered with a cookie, too", "[protocol][cookies]") {
  Exchange e;
  REQUIRE(e.read(e.initiation));
  REQUIRE(e.respond());
  CookieJar jar;
  CookieIssuer issuer;
  const auto mac1 = jar.write_macs(e.response, e.alice->us.public_key, 0);
  CHECK(check_mac1(e.alice->us, e.response));

  auto message = e.response;
  issuer.reply(e.alice->us, message, kAlice, 0, e.random);
  const CookieReplyBytes reply = base::Bytes(message).first<kCookieReplySize>();
  CHECK(receiver_index(reply) == Handshake::kBobIndex);
  REQUIRE(jar.accept(reply, e.alice->us.public_key, mac1, 0));
  jar.write_macs(e.response, e.alice->us.public_key, 0);
  CHECK(issuer.check_mac2(e.response, kAlice, 0, e.random));
}

TEST_CASE("a cookie is good for one address and one port only", "[protocol][cookies]") {
  Exchange e;
  e.fetch_cookie(kAlice, 0);
  CHECK(e.retry_passes(kAlice, kSecond, kSecond));
  CHECK_FALSE(e.retry_passes(ipv4(192, 0, 2, 1, 1112), kSecond, kSecond));
  CHECK_FALSE(e.retry_passes(ipv4(192, 0, 2, 2, 1111), kSecond, kSecond));
  CHECK_FALSE(e.retry_passes(ipv6(0xc000020100000000, 0, 1111), kSecond, kSecond));
}

TEST_CASE("an IPv6 cookie is bound to the whole address", "[protocol][cookies]") {
  Exchange e;
  const auto from = ipv6(0x20010db800000000, 1, 1111);
  e.fetch_cookie(from, 0);
  CHECK(e.retry_passes(from, kSecond, kSecond));
  CHECK_FALSE(e.retry_passes(ipv6(0x20010db800000000, 2, 1111), kSecond, kSecond));
}

TEST_CASE("a cookie is used for 115 s and no longer", "[protocol][cookies]") {
  Exchange e;
  e.fetch_cookie(kAlice, 0);
  CHECK(e.retry_passes(kAlice, 115 * kSecond - 1, 115 * kSecond));
  CHECK_FALSE(e.retry_passes(kAlice, 115 * kSecond, 115 * kSecond));
  CHECK(base::is_zero_constant_time(base::Bytes(e.initiation).last(kMacSize)));
}

TEST_CASE("a cookie of a secret older than 120 s is not accepted", "[protocol][cookies]") {
  Exchange e;
  e.fetch_cookie(kAlice, 0);
  CHECK(e.retry_passes(kAlice, kSecond, 120 * kSecond - 1));
  CHECK_FALSE(e.retry_passes(kAlice, kSecond, 120 * kSecond));
  // The new secret gives new cookies.
  e.fetch_cookie(kAlice, 120 * kSecond);
  CHECK(e.retry_passes(kAlice, 121 * kSecond, 121 * kSecond));
}

TEST_CASE("a cookie reply with any flipped bit after its header is refused",
          "[protocol][cookies]") {
  Exchange e;
  const auto reply = e.reply_to(kAlice, 0);
  std::size_t accepted = 0;
  for (std::size_t bit = 8 * 8; bit < reply.size() * 8; ++bit) {
    auto flipped = reply;
    flipped[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
    accepted += e.accept(flipped, 0);
  }
  CHECK(accepted == 0);
  CHECK_FALSE(e.retry_passes(kAlice, 0, 0));
}

TEST_CASE("a cookie reply answers one message of one peer", "[protocol][cookies]") {
  Exchange e;
  const auto reply = e.reply_to(kAlice, 0);
  CHECK_FALSE(e.jar.accept(reply, e.alice->us.public_key, e.mac1, 0));
  REQUIRE(e.initiate());
  e.mac1 = e.jar.write_macs(e.initiation, e.bob->us.public_key, 0);
  CHECK_FALSE(e.accept(reply, 0));  // it answers the initiation before this one
}

TEST_CASE("a second cookie, asked for anew, takes the place of the first", "[protocol][cookies]") {
  Exchange e;
  e.fetch_cookie(kAlice, 0);
  const auto moved = ipv4(203, 0, 113, 9, 1111);
  CHECK_FALSE(e.retry_passes(moved, kSecond, kSecond));
  e.fetch_cookie(moved, kSecond);
  CHECK(e.retry_passes(moved, 2 * kSecond, 2 * kSecond));
  CHECK_FALSE(e.retry_passes(kAlice, 2 * kSecond, 2 * kSecond));
}

TEST_CASE("a refused cookie reply leaves the present cookie in use", "[protocol][cookies]") {
  Exchange e;
  e.fetch_cookie(kAlice, 0);
  auto reply = e.reply_to(kAlice, kSecond);
  reply[63] ^= 1;
  CHECK_FALSE(e.accept(reply, kSecond));
  CHECK(e.retry_passes(kAlice, 2 * kSecond, 2 * kSecond));
}

TEST_CASE("two replies to the same message share no nonce", "[protocol][cookies]") {
  Exchange e;
  CHECK(e.reply_to(kAlice, 0) != e.reply_to(kAlice, 0));
}

TEST_CASE("a cookie reply made elsewhere is understood", "[protocol][cookies][vector]") {
  // Keys 40 41 .., mac1 and reply from an independent implementation.
  const auto reply = test::from_hex(
      "0300000004030201202122232425262728292a2b2c2d2e2f3031323334353637"
      "c1355a8f3b187e449b37a16df16747b6445d76d5ff5c26b60d37612510afb8e9");
  const auto mac1_bytes = test::from_hex("8ea4be64bbf713e23409af81d4602479");
  Key secret;
  for (std::size_t i = 0; i < 32; ++i) secret.writable()[i] = static_cast<std::uint8_t>(0x40 + i);
  Identity bob;
  bob.assign(secret.bytes());
  Mac mac1;
  std::copy(mac1_bytes.begin(), mac1_bytes.end(), mac1.begin());

  CookieJar jar;
  REQUIRE(jar.accept(test::exactly<kCookieReplySize>(reply), bob.public_key, mac1, 0));
  std::array<std::uint8_t, kInitiationSize> message{};
  jar.write_macs(message, bob.public_key, 0);
  std::array<std::uint8_t, 16> cookie;
  for (std::uint8_t i = 0; i < 16; ++i) cookie[i] = i;
  const auto mac2 = cipher::mac(cookie, base::Bytes(message).first(kInitiationSize - kMacSize));
  CHECK(base::equal_constant_time(mac2, base::Bytes(message).last(kMacSize)));
}
