// Expected values of HMAC and KDF come from Python's hmac and hashlib.blake2s.
#include <numeric>

#include "cipher/cipher.h"
#include "support/catch.hpp"
#include "support/hex.h"

using namespace tunnel::cipher;
using tunnel::test::from_hex;
using tunnel::test::to_hex;

namespace {

std::vector<std::uint8_t> counting(std::size_t length) {
  std::vector<std::uint8_t> bytes(length);
  std::iota(bytes.begin(), bytes.end(), std::uint8_t{0});
  return bytes;
}

std::vector<std::uint8_t> text(std::string_view characters) {
  return {characters.begin(), characters.end()};
}

}  // namespace

TEST_CASE("hash and mac take their input in two parts", "[cipher][kdf]") {
  const auto key = counting(32);
  CHECK(to_hex(hash(text("a"), text("bc"))) == to_hex(hash(text("abc"))));
  CHECK(to_hex(mac(key, text("ab"), text("c"))) == "61ba5f165c194692e09d12520cc4c74a");
  CHECK(to_hex(mac(key, text("abc"))) == "61ba5f165c194692e09d12520cc4c74a");
}

TEST_CASE("the first two hashes of every handshake are the known ones", "[cipher][kdf]") {
  const auto chain = hash(text("Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s"));
  CHECK(to_hex(chain) == "60e26daef327efc02ec335e2a025d2d016eb4206f87277f52d38d1988b78cd36");
  CHECK(to_hex(hash(chain, text("WireGuard v1 zx2c4 Jason@zx2c4.com"))) ==
        "2211b361081ac566691243db458ad5322d9c6c662293e8b70ee19c65ba079ef3");
}

TEST_CASE("hmac is right for short, block-sized and long keys", "[cipher][kdf]") {
  const auto [length, expected] = GENERATE(table<std::size_t, std::string>({
      {0, "5e3417d647c3e59c76ab07a4a2ce6428409e3b479027ee646059275715c5ecf3"},
      {32, "db1ebbda189c6ec2d7755c2592537050e44264aa57a3d4f825f451ebcdff4cd3"},
      {64, "ff8bca3074af8b7a53b76b5b69fe511d796ef1253beac4259f83cc9b5d1b7855"},
      {65, "7cca1aaf33f2ae03171de093085c551bd7c7a236868613cfe5b8ecf59228db76"},
      {100, "0d91cbef198cf7e3847de5efd2c35fa5e8b8f90b5d751a12f7c76154a6d0b56f"},
  }));
  Hash out;
  hmac(counting(length), text("message"), out);
  CHECK(to_hex(out) == expected);
}

TEST_CASE("kdf gives one, two or three keys", "[cipher][kdf]") {
  const auto key = counting(32);
  const std::string expected[] = {
      "87b7f70b24183c6db5dc4f6d9f4c47cdb203321aa2a0bef714896adb3107a040",
      "538a02e1eb2e31b7e4d4b82476d1fe2acf50085d3fb584537279195f5d1f5824",
      "9ad858025593be88de0f9442a589cfe84a88dc19e4753d93684d1c5efc4837f9"};
  const auto count = GENERATE(1, 2, 3);
  Key out[3];
  kdf(key, text("input"), &out[0], count > 1 ? &out[1] : nullptr, count > 2 ? &out[2] : nullptr);
  for (int i = 0; i < 3; ++i) {
    CHECK(to_hex(out[i].bytes()) == (i < count ? expected[i] : std::string(64, '0')));
  }
}

TEST_CASE("kdf works without input, as transport keys are derived", "[cipher][kdf]") {
  Key first, second;
  kdf(counting(32), {}, &first, &second, nullptr);
  CHECK(to_hex(first.bytes()) ==
        "7a38c34bf2b8738d7374ca77c44ecb309a11d2b2528304fa86052c365e722624");
  CHECK(to_hex(second.bytes()) ==
        "1a17621f346abdc520746a9fb64d8eb03231d674fc15687537b0780fd9c060fd");
}

TEST_CASE("kdf may write over its own key", "[cipher][kdf]") {
  Key chain(tunnel::test::exactly<32>(counting(32))), other;
  kdf(chain.bytes(), text("input"), &chain, &other, nullptr);
  CHECK(to_hex(chain.bytes()) ==
        "87b7f70b24183c6db5dc4f6d9f4c47cdb203321aa2a0bef714896adb3107a040");
  CHECK(to_hex(other.bytes()) ==
        "538a02e1eb2e31b7e4d4b82476d1fe2acf50085d3fb584537279195f5d1f5824");
}
