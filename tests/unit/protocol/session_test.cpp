#include "protocol/session.h"

#include "support/catch.hpp"
#include "unit/protocol/sessions.h"

using namespace tunnel;
using namespace tunnel::protocol;

TEST_CASE("what one end seals the other opens, both ways", "[protocol][session]") {
  Pair pair(0);
  for (auto [from, to] : {std::pair{&pair.alice, &pair.bob}, std::pair{&pair.bob, &pair.alice}}) {
    std::uint8_t bytes[5 + 16] = {'h', 'e', 'l', 'l', 'o'};
    const auto counter = from->take_counter();
    pair.seal(*from, counter, bytes, 5);
    REQUIRE(to->can_open(counter, kSecond) == TUNNEL_OK);
    CHECK(pair.open(*to, counter, bytes, sizeof bytes) == 0);
    CHECK(std::memcmp(bytes, "hello", 5) == 0);
  }
  CHECK(pair.alice.remote_index() == pair.bob.local_index());
  CHECK(pair.bob.remote_index() == pair.alice.local_index());
}

TEST_CASE("a session sends and opens for 180 seconds and no longer", "[protocol][session]") {
  const auto born = 1'000 * kSecond;
  Pair pair(born);
  const auto end = born + kRejectAfterTime;
  CHECK(pair.alice.can_send(end - 1));
  CHECK(pair.bob.can_open(0, end - 1) == TUNNEL_OK);
  CHECK_FALSE(pair.alice.can_send(end));
  CHECK(pair.bob.can_open(0, end) == TUNNEL_DROP_EXPIRED_KEY);
}

TEST_CASE("the initiator rekeys on sending after 120 s", "[protocol][session]") {
  Pair pair(0);
  const auto due = kRekeyAfterTime;
  CHECK_FALSE(pair.alice.wants_rekey_after_send(due - 1));
  CHECK(pair.alice.wants_rekey_after_send(due));
  CHECK(pair.alice.wants_rekey_after_send(due + kSecond));
}

TEST_CASE("the responder never rekeys for age", "[protocol][session]") {
  Pair pair(0);
  CHECK_FALSE(pair.bob.wants_rekey_after_send(179 * kSecond));
  CHECK_FALSE(pair.bob.wants_rekey_after_receive(179 * kSecond));
}

TEST_CASE("the initiator rekeys on receiving past 165 s, once per session", "[protocol][session]") {
  Pair pair(0);
  CHECK_FALSE(pair.alice.wants_rekey_after_receive(165 * kSecond - 1));
  CHECK(pair.alice.wants_rekey_after_receive(165 * kSecond));
  CHECK_FALSE(pair.alice.wants_rekey_after_receive(166 * kSecond));
}

TEST_CASE("either side rekeys after 2^60 messages", "[protocol][session]") {
  Pair pair(0);
  for (auto* session : {&pair.alice, &pair.bob}) {
    SessionProbe::set_send_counter(*session, kRekeyAfterMessages - 1);
    CHECK_FALSE(session->wants_rekey_after_send(kSecond));
    CHECK(session->take_counter() == kRekeyAfterMessages - 1);
    CHECK(session->wants_rekey_after_send(kSecond));
    CHECK(session->can_send(kSecond));
  }
}

TEST_CASE("a wiped session neither sends nor opens and holds no key", "[protocol][session]") {
  Session never;
  CHECK_FALSE(never.can_send(0));
  CHECK(never.can_open(0, 0) == TUNNEL_DROP_EXPIRED_KEY);

  Pair pair(0);
  pair.alice.wipe();
  CHECK_FALSE(pair.alice.can_send(1));
  CHECK(pair.alice.can_open(0, 1) == TUNNEL_DROP_EXPIRED_KEY);
  const auto* key = static_cast<const std::uint8_t*>(pair.alice.send_key());
  CHECK(base::is_zero_constant_time({key, TUNNEL_CIPHER_KEY_MAX}));
}

TEST_CASE("a session that is started again begins with fresh counters", "[protocol][session]") {
  Pair pair(0);
  REQUIRE(pair.alice.take_counter() == 0);
  REQUIRE(pair.alice.window().accept(0));
  REQUIRE(pair.alice.wants_rekey_after_receive(170 * kSecond));
  pair.start(200 * kSecond);
  CHECK(pair.alice.take_counter() == 0);
  CHECK(pair.alice.window().accept(0));
  CHECK_FALSE(pair.alice.wants_rekey_after_receive(201 * kSecond));
  CHECK(pair.alice.wants_rekey_after_receive(370 * kSecond));
}

TEST_CASE("a cipher that cannot take the key leaves no session", "[protocol][session]") {
  tunnel_cipher_ops ops{};
  ops.key_init = [](void*, void*, const std::uint8_t*) -> std::int32_t {
    return TUNNEL_ERR_UNSUPPORTED;
  };
  const SessionKeys keys;
  Session session;
  CHECK(session.start({&ops, nullptr}, {keys, 1, 2, true}, 0) == TUNNEL_ERR_UNSUPPORTED);
  CHECK_FALSE(session.can_send(0));
}
