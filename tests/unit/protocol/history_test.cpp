// history_test.cpp — what other implementations once got wrong and this room could get wrong, too
// (docs/protocol.md). Faults that need a whole core stand in tests/unit/core.
#include "support/catch.hpp"
#include "unit/protocol/addresses.h"
#include "unit/protocol/parties.h"
#include "unit/protocol/sessions.h"

using namespace tunnel;
using namespace tunnel::protocol;

TEST_CASE("a cookie given to one port is worth nothing from another", "[protocol][history]") {
  Handshake h;
  CookieIssuer issuer;
  CookieJar jar;
  REQUIRE(h.initiate());
  const auto mac1 = jar.write_macs(h.initiation, h.bob->us.public_key, 0);
  auto message = h.initiation;
  issuer.reply(h.bob->us, message, ipv4(192, 0, 2, 1, 1000), 0, h.random);
  REQUIRE(
      jar.accept(base::Bytes(message).first<kCookieReplySize>(), h.bob->us.public_key, mac1, 0));
  jar.write_macs(h.initiation, h.bob->us.public_key, 0);
  CHECK(issuer.check_mac2(h.initiation, ipv4(192, 0, 2, 1, 1000), 0, h.random));
  CHECK_FALSE(issuer.check_mac2(h.initiation, ipv4(192, 0, 2, 1, 1001), 0, h.random));
}

TEST_CASE("a thousand patient handshakes of one source are all allowed", "[protocol][history]") {
  cipher::Random random(kSeed);
  RateLimiter limiter(random);
  for (std::uint64_t i = 0; i < 1000; ++i) {
    REQUIRE(limiter.allow(ipv4(192, 0, 2, 1), i * kSecond / 20));
  }
}

TEST_CASE("one source that floods does not use up what others may ask", "[protocol][history]") {
  cipher::Random random(kSeed);
  RateLimiter limiter(random);
  for (int i = 0; i < 10'000; ++i) (void)limiter.allow(ipv4(203, 0, 113, 1), 0);
  CHECK(limiter.allow(ipv4(192, 0, 2, 1), 0));
}

TEST_CASE("mac1 and mac2 are found in initiations and in responses", "[protocol][history]") {
  Handshake h;
  const CookieJar jar;
  REQUIRE(h.initiate());
  REQUIRE(h.read(h.initiation));
  REQUIRE(h.respond());
  jar.write_macs(h.initiation, h.bob->us.public_key, 0);
  jar.write_macs(h.response, h.alice->us.public_key, 0);
  const auto key = mac1_key_of(h.alice->us.public_key);
  const auto expected = cipher::mac(key, base::Bytes(h.response).first(60));
  CHECK(base::equal_constant_time(expected, base::Bytes(h.response).subspan(60, 16)));
  CHECK(check_mac1(h.alice->us, h.response));
  CHECK(check_mac1(h.bob->us, h.initiation));
  CHECK_FALSE(check_mac1(h.bob->us, h.response));
}

TEST_CASE("a mac1 made for a message of another length is refused", "[protocol][history]") {
  Handshake h;
  REQUIRE(h.initiate());
  const CookieJar jar;
  std::vector<std::uint8_t> longer(h.initiation.begin(), h.initiation.end());
  longer.resize(longer.size() + 8);
  jar.write_macs(longer, h.bob->us.public_key, 0);
  CHECK(check_mac1(h.bob->us, longer));
  CHECK_FALSE(classify(longer));  // comes first
}

TEST_CASE("inside packets are padded", "[protocol][history]") {
  CHECK(padded_length(1, 1420) == 16);
  CHECK(padded_length(1413, 1420) == 1420);
}

TEST_CASE("retries and new handshakes carry their jitter", "[protocol][history]") {
  for (const std::uint64_t jitter : {std::uint64_t{0}, kJitter / 2, kJitter}) {
    Timers retry, silence;
    retry.handshake_initiated(0, jitter);
    CHECK(retry.deadline() == kRekeyTimeout + jitter);
    silence.data_sent(0, jitter);
    CHECK(silence.deadline() == kNewHandshakeTime + jitter);
  }
}

TEST_CASE("a session asks for one rekey, not for one with every packet", "[protocol][history]") {
  Pair pair(0);
  int asked = 0;
  for (auto now = 0 * kSecond; now < kRejectAfterTime; now += kSecond / 10) {
    asked += pair.alice.wants_rekey_after_receive(now);
    asked += pair.bob.wants_rekey_after_receive(now) + pair.bob.wants_rekey_after_send(now);
    if (now < kRekeyAfterTime) asked += pair.alice.wants_rekey_after_send(now);
  }
  CHECK(asked == 1);
}

TEST_CASE("no nonce at or past the message limit is used or accepted", "[protocol][history]") {
  Pair pair(0);
  SessionProbe::set_send_counter(pair.alice, kRejectAfterMessages - 1);
  REQUIRE(pair.alice.can_send(0));
  CHECK(pair.alice.take_counter() == kRejectAfterMessages - 1);
  CHECK_FALSE(pair.alice.can_send(0));
  CHECK(pair.bob.can_open(kRejectAfterMessages - 1, 0) == TUNNEL_OK);
  CHECK(pair.bob.can_open(kRejectAfterMessages, 0) == TUNNEL_DROP_EXPIRED_KEY);
  CHECK(pair.bob.can_open(UINT64_MAX, 0) == TUNNEL_DROP_EXPIRED_KEY);
}

TEST_CASE("counters have 64 bits from the session to the wire", "[protocol][history]") {
  Pair pair(0);
  const std::uint64_t past_32_bits = std::uint64_t{1} << 32;
  SessionProbe::set_send_counter(pair.alice, past_32_bits - 1);
  CHECK(pair.alice.take_counter() == past_32_bits - 1);
  const std::uint64_t counter = pair.alice.take_counter();
  CHECK(counter == past_32_bits);

  std::uint8_t datagram[kDataOverhead + 1] = {};
  write_data_header(datagram, {20, counter});
  pair.seal(pair.alice, counter, datagram + kDataHeaderSize, 1);
  CHECK(read_data_header(datagram).counter == past_32_bits);
  std::uint8_t copy[kDataOverhead + 1];
  std::memcpy(copy, datagram, sizeof copy);
  CHECK(pair.open(pair.bob, 0, copy + kDataHeaderSize, 17) == TUNNEL_DROP_FORGED);
  CHECK(pair.open(pair.bob, counter, datagram + kDataHeaderSize, 17) == TUNNEL_OK);
}

TEST_CASE("a packet that is eight thousand packets late is still accepted", "[protocol][history]") {
  ReplayWindow window;
  REQUIRE(window.accept(20'000));
  CHECK(window.accept(20'000 - 8'000));
}

TEST_CASE("the first packet of every session is accepted", "[protocol][history]") {
  Pair pair(0);
  for (int rekey = 0; rekey < 3; ++rekey) {
    pair.start(static_cast<std::uint64_t>(rekey) * 120 * kSecond);
    CHECK(pair.alice.take_counter() == 0);
    CHECK(pair.bob.window().accept(0));
  }
}

TEST_CASE("the largest datagram is classified like any other", "[protocol][history]") {
  std::vector<std::uint8_t> datagram(65'507);
  for (std::uint8_t type = 0; type < 6; ++type) {
    datagram[0] = type;
    CHECK(classify(datagram).has_value() == (type == 4));
  }
}

TEST_CASE("two idle peers fall silent: a keepalive is no reason for a keepalive",
          "[protocol][history]") {
  Timers peers[2];
  peers[0].data_sent(0, 0);
  peers[0].any_sent();
  peers[1].any_received();
  peers[1].data_received(0);
  int keepalives = 0;
  for (auto now = 0 * kSecond; now < 600 * kSecond; now += kSecond) {
    for (int i = 0; i < 2; ++i) {
      const auto actions = peers[i].expire(now);
      REQUIRE((actions == Timers::kNothing || actions == Timers::kKeepalive));
      if (actions == Timers::kNothing) continue;
      ++keepalives;
      peers[i].any_sent();
      peers[1 - i].any_received();
    }
  }
  CHECK(keepalives == 1);
  CHECK(peers[0].deadline() == Timers::kOff);
  CHECK(peers[1].deadline() == Timers::kOff);
}

TEST_CASE("the keepalive counts from the data received, not from the last data sent",
          "[protocol][history]") {
  Timers timers;
  timers.data_sent(0, 0);
  timers.any_sent();
  timers.any_received();
  timers.data_received(8 * kSecond);
  CHECK(timers.deadline() == 18 * kSecond);
}

TEST_CASE("no persistent keepalive is sent while there is traffic", "[protocol][history]") {
  Timers timers;
  timers.set_persistent_keepalive(25, 0);
  REQUIRE(timers.expire(0) == Timers::kPersistentKeepalive);
  for (auto now = 0 * kSecond; now < 600 * kSecond; now += 20 * kSecond) {
    CHECK(timers.expire(now) == Timers::kNothing);
    timers.any_traversal(now);
  }
}

TEST_CASE("a response that comes just before the retry still finishes the handshake",
          "[protocol][history]") {
  Handshake h;
  Timers timers;
  REQUIRE(h.initiate());
  timers.handshake_initiated(0, 0);
  REQUIRE(h.read(h.initiation));
  REQUIRE(h.respond());
  auto forged = h.response;
  forged[50] ^= 1;
  for (int i = 0; i < 100; ++i) REQUIRE_FALSE(h.finish(forged));

  const auto late = kRekeyTimeout - 1;
  CHECK(timers.expire(late) == Timers::kNothing);
  REQUIRE(h.finish(h.response));
  timers.handshake_complete();
  CHECK(h.keys_agree());
  CHECK(timers.deadline() == Timers::kOff);
}

TEST_CASE("data received never starts a new handshake; only unanswered data sent does",
          "[protocol][history]") {
  Timers timers;
  timers.any_received();
  timers.data_received(0);
  REQUIRE(timers.expire(10 * kSecond) == Timers::kKeepalive);
  timers.any_sent();
  CHECK(timers.deadline() == Timers::kOff);
}

TEST_CASE("a response that was sent makes the keepalive needless", "[protocol][history]") {
  Timers timers;
  timers.data_received(0);
  timers.any_sent();  // the response
  CHECK(timers.deadline() == Timers::kOff);
}

TEST_CASE("coming up again sends a persistent keepalive at once", "[protocol][history]") {
  Timers timers;
  timers.set_persistent_keepalive(25, 0);
  REQUIRE(timers.expire(0) == Timers::kPersistentKeepalive);
  timers.clear();
  REQUIRE(timers.deadline() == Timers::kOff);
  timers.set_persistent_keepalive(timers.persistent_keepalive(), 100 * kSecond);
  CHECK(timers.expire(100 * kSecond) == Timers::kPersistentKeepalive);
}

TEST_CASE("an idle peer has no deadline and nothing to report", "[protocol][history]") {
  Timers timers;
  CHECK(timers.deadline() == Timers::kOff);
  for (std::uint64_t now = 0; now < 10'000; ++now) {
    REQUIRE(timers.expire(now * kSecond) == Timers::kNothing);
  }
}

TEST_CASE("a monotonic clock that steps back harms nobody", "[protocol][history]") {
  const auto born = 1'000 * kSecond, before = born - 100 * kSecond;
  Pair pair(born);
  CHECK(pair.alice.can_send(before));
  CHECK(pair.bob.can_open(0, before) == TUNNEL_OK);
  CHECK_FALSE(pair.alice.wants_rekey_after_send(before));
  CHECK_FALSE(pair.alice.wants_rekey_after_receive(before));

  Timers timers;
  timers.data_received(born);
  timers.any_traversal(before);
  CHECK(timers.expire(before) == Timers::kNothing);
  CHECK(timers.expire(born + kKeepaliveTimeout) == Timers::kKeepalive);

  CookieIssuer issuer;
  Handshake h;
  REQUIRE(h.initiate());
  CHECK_FALSE(issuer.check_mac2(h.initiation, ipv4(192, 0, 2, 1), born, h.random));
  CHECK_FALSE(issuer.check_mac2(h.initiation, ipv4(192, 0, 2, 1), before, h.random));
}

TEST_CASE("timers count the time spent asleep", "[protocol][history]") {
  // The caller's clock counts sleep; ten minutes asleep are ten minutes here.
  Pair pair(0);
  Timers timers;
  timers.session_derived(0);
  CHECK_FALSE(pair.alice.can_send(600 * kSecond));
  CHECK(timers.expire(600 * kSecond) == Timers::kWipe);
}

TEST_CASE("stamps are whitened and stand where the kernel's stand", "[protocol][history]") {
  const auto wall = 1'600'000'000 * kSecond;
  const auto stamp = encode_timestamp(wall + 123'456'789);
  CHECK(base::load_be64(stamp.data()) == 0x400000000000000a + 1'600'000'000);
  CHECK(base::load_be32(&stamp[8]) % kTimestampStep == 0);
  CHECK(stamp < encode_timestamp(wall + 123'456'789 + kTimestampStep));
}
