#include "protocol/handshake.h"

#include "support/catch.hpp"
#include "support/hex.h"
#include "unit/protocol/parties.h"

using namespace tunnel;
using namespace tunnel::protocol;

namespace {

Key counting_key(std::uint8_t first) {
  Key key;
  for (auto& byte : key.writable()) byte = first++;
  return key;
}

// Points of small order, and other encodings of them (RFC 7748, section 6.1).
std::vector<PublicKey> low_order_points() {
  const char* texts[] = {
      "0000000000000000000000000000000000000000000000000000000000000000",
      "0100000000000000000000000000000000000000000000000000000000000000",
      "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
      "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
      "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
      "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
      "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
      "0000000000000000000000000000000000000000000000000000000000000080",
      "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
  };
  std::vector<PublicKey> points;
  for (const char* text : texts) {
    const auto bytes = test::from_hex(text);
    base::copy<32>(points.emplace_back(), test::exactly<32>(bytes));
  }
  return points;
}

// What an attacker computes who knows that a Diffie-Hellman will give zero: the transcript of the
// whitepaper (5.4.2, 5.4.3), written once more.
struct Transcript {
  explicit Transcript(const Identity& responder) : hash(responder.responder_hash) {
    constexpr std::string_view name = "Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s";
    chaining.assign(
        cipher::hash({reinterpret_cast<const std::uint8_t*>(name.data()), name.size()}));
  }
  void mix(base::Bytes bytes) { hash = cipher::hash(hash, bytes); }
  void key(base::Bytes input, Key* out) {
    cipher::kdf(chaining.bytes(), input, &chaining, out, nullptr);
  }
  void ephemeral(base::Bytes point) {
    key(point, nullptr);
    mix(point);
  }
  void seal(const Key& with, base::Bytes text, base::MutableBytes out) {
    cipher::aead_seal(out.data(), with, 0, text, hash);
    mix(out);
  }
  Key chaining;
  Hash hash;
};

template <std::size_t N>
std::array<std::uint8_t, N> with_flipped_bit(std::array<std::uint8_t, N> message, std::size_t bit) {
  message[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
  return message;
}

}  // namespace

TEST_CASE("initiator and responder derive the same keys, with and without a preshared key",
          "[protocol][handshake]") {
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    Handshake h(seed);
    if (seed % 2 == 1) h.random.fill(h.preshared.writable());
    REQUIRE(h.initiate(seed * kSecond));
    REQUIRE(h.read(h.initiation));
    REQUIRE(h.responder->remote() == h.alice->us.public_key);
    REQUIRE(h.responder->timestamp() == encode_timestamp(seed * kSecond));
    REQUIRE(h.respond());
    REQUIRE(receiver_index(h.response) == Handshake::kAliceIndex);
    REQUIRE(sender_index(h.response) == Handshake::kBobIndex);
    REQUIRE(h.finish(h.response));
    REQUIRE(h.keys_agree());
  }
}

TEST_CASE("the handshake is byte for byte that of an independent implementation",
          "[protocol][handshake][vector]") {
  // Private keys 10 11 .., 40 41 .., ephemerals 70 71 .., a0 a1 .., preshared d0 d1 ..
  Identity alice, bob;
  alice.assign(counting_key(0x10).bytes());
  bob.assign(counting_key(0x40).bytes());
  Timestamp stamp;
  base::copy<12>(stamp, test::exactly<12>(test::from_hex("400000000000000a01000000")));
  Key shared;
  REQUIRE(alice.static_static(bob.public_key, shared));

  Initiator initiator;
  std::array<std::uint8_t, kInitiationSize> initiation{};
  REQUIRE(initiator.start({alice, bob.public_key, shared, stamp, 0x01020304, counting_key(0x70)},
                          initiation));
  CHECK(test::to_hex(base::Bytes(initiation).first(116)) ==
        "010000000403020123b7bb8c91ae008711fb12846780bcdf1e065f821bdfec49f57e7c7dcd4c4823"
        "7c9f087a47c7776566936c12f69cdefeb0172eed5225b21ffd5b64d7cbdcc06f5db9067ffb754a97"
        "052851ac628edb82dd2c601dd97e083c6428bd96d7ff8222218c5b429132a01d8804fc31");

  Responder responder;
  REQUIRE(responder.read_static(bob, initiation));
  REQUIRE(responder.read_timestamp(shared, initiation));
  std::array<std::uint8_t, kResponseSize> response{};
  SessionKeys ours, theirs;
  const Key preshared = counting_key(0xd0);
  REQUIRE(responder.respond(preshared, counting_key(0xa0), 0x05060708, response, theirs));
  CHECK(test::to_hex(base::Bytes(response).first(60)) ==
        "020000000807060504030201605a725d2a4adfeeb1a29e17edd621c1b7593ee8cdbc44ac6c4ab6e2"
        "f805d23c8df4862bb19911e45a4cdd16eb7fb414");

  REQUIRE(initiator.finish(alice, preshared, response, ours));
  CHECK(test::to_hex(ours.send.bytes()) ==
        "24538fbb2f7b0840790ff8bf90b1ba327f60abf80e70035d8814528477206e03");
  CHECK(test::to_hex(ours.receive.bytes()) ==
        "5d2d3fc0fc221c39f0fa4884d050609578db6fd101c6eaf565603d96f46ac756");
}

TEST_CASE("every flipped bit from the ephemeral to the timestamp is refused",
          "[protocol][handshake]") {
  Handshake h;
  REQUIRE(h.initiate());
  // The sender index before them is protected by mac1 alone.
  std::size_t accepted = 0;
  for (std::size_t bit = 8 * 8; bit < 116 * 8; ++bit) {
    accepted += h.read(with_flipped_bit(h.initiation, bit));
  }
  CHECK(accepted == 0);
  CHECK(h.read(h.initiation));
}

TEST_CASE("an initiation for somebody else is not read", "[protocol][handshake]") {
  Handshake h, other(99);
  REQUIRE(h.initiate());
  Responder responder;
  CHECK_FALSE(responder.read_static(other.bob->us, h.initiation));
}

TEST_CASE("a forged response leaves the initiator waiting for the true one",
          "[protocol][handshake]") {
  Handshake h;
  REQUIRE(h.initiate());
  REQUIRE(h.read(h.initiation));
  REQUIRE(h.respond());
  std::size_t accepted = 0;
  for (std::size_t bit = 12 * 8; bit < 60 * 8; ++bit) {
    accepted += h.finish(with_flipped_bit(h.response, bit));
  }
  CHECK(accepted == 0);
  CHECK(h.alice_keys.send.is_zero());
  CHECK(h.alice_keys.receive.is_zero());
  REQUIRE(h.finish(h.response));
  CHECK(h.keys_agree());
}

TEST_CASE("nothing of an initiation is left once it was answered", "[protocol][handshake]") {
  Handshake h;
  CHECK_FALSE(h.finish(h.response));  // nothing in flight
  REQUIRE(h.initiate());
  REQUIRE(h.read(h.initiation));
  REQUIRE(h.respond());
  CHECK(h.initiator.in_flight());
  REQUIRE(h.finish(h.response));
  CHECK_FALSE(h.initiator.in_flight());
  CHECK_FALSE(h.finish(h.response));
}

TEST_CASE("a response to an earlier initiation is refused", "[protocol][handshake]") {
  Handshake h;
  REQUIRE(h.initiate());
  REQUIRE(h.read(h.initiation));
  REQUIRE(h.respond());
  REQUIRE(h.initiate());
  CHECK_FALSE(h.finish(h.response));
}

TEST_CASE("preshared keys that differ end in a response that is refused", "[protocol][handshake]") {
  Handshake h;
  REQUIRE(h.initiate());
  REQUIRE(h.read(h.initiation));
  REQUIRE(h.respond());
  h.preshared.writable()[31] = 1;
  CHECK_FALSE(h.finish(h.response));
}

TEST_CASE("a low-order ephemeral is refused although all that follows fits the zero secret",
          "[protocol][handshake]") {
  Handshake h;
  const Key zero;
  for (const auto& point : low_order_points()) {
    std::array<std::uint8_t, kInitiationSize> message{1};
    std::copy(point.begin(), point.end(), message.begin() + 8);
    Transcript transcript(h.bob->us);
    Key key;
    transcript.ephemeral(point);
    transcript.key(zero.bytes(), &key);
    transcript.seal(key, h.alice->us.public_key, base::MutableBytes(message).subspan(40, 48));
    Responder responder;
    CHECK_FALSE(responder.read_static(h.bob->us, message));
  }
}

TEST_CASE("a low-order static key in an initiation is refused before any reply",
          "[protocol][handshake]") {
  Handshake h;
  const Key zero;
  for (const auto& point : low_order_points()) {
    h.alice->us.public_key = point;
    REQUIRE(h.initiator.start(
        {h.alice->us, h.bob->us.public_key, zero, encode_timestamp(0), 1, fresh_key(h.random)},
        h.initiation));
    Responder responder;
    Key shared;
    REQUIRE(responder.read_static(h.bob->us, h.initiation));
    CHECK_FALSE(h.bob->us.static_static(responder.remote(), shared));
    // A core that went on regardless would not get a response either.
    REQUIRE(responder.read_timestamp(zero, h.initiation));
    CHECK_FALSE(responder.respond(zero, fresh_key(h.random), 2, h.response, h.bob_keys));
    CHECK(h.bob_keys.send.is_zero());
  }
}

TEST_CASE("a low-order ephemeral in a response is refused although its tag is right",
          "[protocol][handshake]") {
  Handshake h;
  REQUIRE(h.initiate());
  const base::Bytes initiation(h.initiation);
  Key shared, key;
  for (const auto& point : low_order_points()) {
    Transcript transcript(h.bob->us);
    transcript.ephemeral(initiation.subspan(8, 32));
    REQUIRE(cipher::x25519(h.bob->us.private_key, initiation.subspan<8, 32>(), shared));
    transcript.key(shared.bytes(), &key);
    transcript.mix(initiation.subspan(40, 48));
    REQUIRE(h.bob->us.static_static(h.alice->us.public_key, shared));
    transcript.key(shared.bytes(), &key);
    transcript.mix(initiation.subspan(88, 28));

    std::array<std::uint8_t, kResponseSize> response{2};
    std::copy(point.begin(), point.end(), response.begin() + 12);
    const Key zero;
    Key tau;
    transcript.ephemeral(point);
    transcript.key(zero.bytes(), nullptr);
    transcript.key(zero.bytes(), nullptr);
    cipher::kdf(transcript.chaining.bytes(), h.preshared.bytes(), &transcript.chaining, &tau, &key);
    transcript.mix(tau.bytes());
    transcript.seal(key, {}, base::MutableBytes(response).subspan(44, 16));
    CHECK_FALSE(h.finish(response));
  }
  REQUIRE(h.read(h.initiation));
  REQUIRE(h.respond());
  CHECK(h.finish(h.response));
}

TEST_CASE("nothing is sent to a peer whose configured key is of low order",
          "[protocol][handshake]") {
  Handshake h;
  for (const auto& point : low_order_points()) {
    Key shared;
    CHECK_FALSE(h.alice->us.static_static(point, shared));
    CHECK_FALSE(h.initiator.start(
        {h.alice->us, point, shared, encode_timestamp(0), 1, fresh_key(h.random)}, h.initiation));
  }
}

TEST_CASE("two peers that initiate at the same moment both finish", "[protocol][handshake]") {
  Handshake h;
  REQUIRE(h.initiate());
  Handshake back;
  back.alice->us.assign(h.bob->us.private_key.bytes());
  back.bob->us.assign(h.alice->us.private_key.bytes());
  REQUIRE(back.initiate());

  REQUIRE(h.read(h.initiation));
  REQUIRE(back.read(back.initiation));
  REQUIRE(h.respond());
  REQUIRE(back.respond());
  REQUIRE(h.finish(h.response));
  REQUIRE(back.finish(back.response));
  CHECK(h.keys_agree());
  CHECK(back.keys_agree());
  CHECK_FALSE(base::equal_constant_time(h.alice_keys.send.bytes(), back.bob_keys.receive.bytes()));
}

TEST_CASE("a private key is clamped and forgotten on demand", "[protocol][handshake]") {
  Identity identity;
  identity.assign(std::array<std::uint8_t, 32>{0xff});
  CHECK(identity.private_key.data()[0] == 0xf8);
  CHECK(identity.private_key.data()[31] == 0x40);
  identity.clear();
  CHECK(identity.private_key.is_zero());
  CHECK(identity.public_key == PublicKey{});
}
