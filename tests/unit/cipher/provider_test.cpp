#include <string>

#include "cipher/cipher.h"
#include "support/catch.hpp"
#include "support/hex.h"
#include "support/providers.h"

using namespace tunnel::cipher;
using tunnel::test::to_hex;

namespace {

tunnel_cipher libsodium() {
  tunnel_cipher cipher{};
  REQUIRE(find_provider("libsodium", cipher) == TUNNEL_OK);
  return cipher;
}

// Each that can be used here, one after the other.
tunnel_cipher any_provider() {
  const auto all = tunnel::test::usable_providers();
  const auto chosen = GENERATE_COPY(range(std::size_t{0}, all.size()));
  INFO(all[chosen].ops->name);
  return all[chosen];
}

std::vector<std::uint8_t> numbered(std::size_t length, std::uint8_t start) {
  std::vector<std::uint8_t> bytes(length);
  for (auto& byte : bytes) byte = start++;
  return bytes;
}

// A key as the provider prepared it.
struct Prepared {
  alignas(16) std::array<std::uint8_t, TUNNEL_CIPHER_KEY_MAX> memory{};

  Prepared(const tunnel_cipher& cipher, std::uint8_t start) {
    REQUIRE(cipher.ops->key_init(cipher.self, memory.data(), numbered(32, start).data()) == 0);
  }
};

tunnel_aead_job job(const Prepared& key, std::uint64_t counter, Bytes in, std::uint8_t* out) {
  tunnel_aead_job result{};
  result.key = key.memory.data();
  result.counter = counter;
  result.in = in.data();
  result.out = out;
  result.length = static_cast<std::uint32_t>(in.size());
  result.result = -1;
  return result;
}

void do_nothing(void*, tunnel_aead_job* jobs, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) jobs[i].result = TUNNEL_OK;
}

}  // namespace

TEST_CASE("libsodium is always found by its name", "[cipher][provider]") {
  const auto cipher = libsodium();
  CHECK(std::string(cipher.ops->name) == "libsodium");
  CHECK(cipher.ops->size == sizeof(tunnel_cipher_ops));
  CHECK(cipher.ops->key_size == 32);
}

TEST_CASE("an unknown provider is not found and leaves the table alone", "[cipher][provider]") {
  tunnel_cipher cipher{};
  CHECK(find_provider("rot13", cipher) == TUNNEL_ERR_NOT_FOUND);
  CHECK(cipher.ops == nullptr);
}

TEST_CASE("the self-check refuses a cipher that does not encrypt", "[cipher][provider]") {
  auto ops = *libsodium().ops;
  ops.seal = do_nothing;
  CHECK_FALSE(passes_self_check({&ops, nullptr}));
}

TEST_CASE("the self-check refuses a cipher that accepts a wrong tag", "[cipher][provider]") {
  auto ops = *libsodium().ops;
  ops.open = [](void*, tunnel_aead_job* jobs, std::size_t count) {
    const auto real = libsodium();
    real.ops->open(real.self, jobs, count);
    do_nothing(nullptr, jobs, count);
  };
  CHECK_FALSE(passes_self_check({&ops, nullptr}));
}

TEST_CASE("the self-check refuses a cipher whose key does not fit", "[cipher][provider]") {
  auto ops = *libsodium().ops;
  ops.key_size = TUNNEL_CIPHER_KEY_MAX + 1;
  CHECK_FALSE(passes_self_check({&ops, nullptr}));
}

TEST_CASE("a batch of many keys equals its jobs one by one", "[cipher][provider]") {
  const auto cipher = any_provider();
  const Prepared keys[] = {{cipher, 1}, {cipher, 77}, {cipher, 200}};
  constexpr std::size_t kJobs = 40;
  std::vector<std::vector<std::uint8_t>> texts, batched, single;
  for (std::size_t i = 0; i < kJobs; ++i) {
    texts.push_back(numbered(i * 37, static_cast<std::uint8_t>(i)));
    batched.emplace_back(texts[i].size() + kTag);
    single.emplace_back(texts[i].size() + kTag);
  }
  std::vector<tunnel_aead_job> jobs;
  for (std::size_t i = 0; i < kJobs; ++i) {
    jobs.push_back(job(keys[i % 3], i << 30, texts[i], batched[i].data()));
    auto alone = job(keys[i % 3], i << 30, texts[i], single[i].data());
    cipher.ops->seal(cipher.self, &alone, 1);
  }
  cipher.ops->seal(cipher.self, jobs.data(), jobs.size());
  for (std::size_t i = 0; i < kJobs; ++i) {
    REQUIRE(jobs[i].result == TUNNEL_OK);
    REQUIRE(to_hex(batched[i]) == to_hex(single[i]));
  }
}

TEST_CASE("sealing in place equals sealing into other memory", "[cipher][provider]") {
  const auto cipher = any_provider();
  const Prepared key(cipher, 9);
  const auto length = GENERATE(std::size_t{0}, 1, 15, 16, 64, 577, 1420);
  const auto text = numbered(length, 3);
  std::vector<std::uint8_t> elsewhere(length + kTag), in_place(length + kTag);
  std::copy(text.begin(), text.end(), in_place.begin());
  tunnel_aead_job jobs[] = {job(key, 5, text, elsewhere.data()),
                            job(key, 5, Bytes(in_place).first(length), in_place.data())};
  cipher.ops->seal(cipher.self, jobs, 2);
  CHECK(to_hex(in_place) == to_hex(elsewhere));

  std::vector<std::uint8_t> opened(length + 1);
  tunnel_aead_job back[] = {job(key, 5, elsewhere, opened.data()),
                            job(key, 5, in_place, in_place.data())};
  cipher.ops->open(cipher.self, back, 2);
  CHECK(back[0].result == TUNNEL_OK);
  CHECK(back[1].result == TUNNEL_OK);
  CHECK(to_hex(Bytes(opened).first(length)) == to_hex(text));
  CHECK(to_hex(Bytes(in_place).first(length)) == to_hex(text));
}

TEST_CASE("only the forged jobs of a batch are refused and none shows plaintext",
          "[cipher][provider]") {
  const auto cipher = any_provider();
  const Prepared key(cipher, 50);
  const auto text = numbered(200, 1);
  const std::size_t damaged[] = {0, 100, 199, 200, 215};  // in the text and in the tag
  std::vector<std::vector<std::uint8_t>> buffers(6, std::vector<std::uint8_t>(200 + kTag));
  std::vector<tunnel_aead_job> jobs;
  for (auto& buffer : buffers) jobs.push_back(job(key, 1, text, buffer.data()));
  cipher.ops->seal(cipher.self, jobs.data(), jobs.size());
  for (std::size_t i = 0; i < 5; ++i) buffers[i][damaged[i]] ^= 1;
  for (std::size_t i = 0; i < 6; ++i) jobs[i] = job(key, 1, buffers[i], buffers[i].data());
  cipher.ops->open(cipher.self, jobs.data(), jobs.size());
  for (std::size_t i = 0; i < 5; ++i) {
    CHECK(jobs[i].result == TUNNEL_DROP_FORGED);
    CHECK(to_hex(Bytes(buffers[i]).first(200)) == std::string(400, '0'));
  }
  CHECK(jobs[5].result == TUNNEL_OK);
  CHECK(to_hex(Bytes(buffers[5]).first(200)) == to_hex(text));
}

TEST_CASE("a message shorter than its tag is forged", "[cipher][provider]") {
  const auto cipher = any_provider();
  const Prepared key(cipher, 50);
  const auto length = GENERATE(std::size_t{0}, 1, 15);
  std::array<std::uint8_t, 16> buffer{};
  auto one = job(key, 0, Bytes(buffer).first(length), buffer.data());
  cipher.ops->open(cipher.self, &one, 1);
  CHECK(one.result == TUNNEL_DROP_FORGED);
}

TEST_CASE("a message opens only under its key and its counter", "[cipher][provider]") {
  const auto cipher = any_provider();
  const Prepared key(cipher, 50), other(cipher, 51);
  std::array<std::uint8_t, kTag> sealed{}, out{};
  auto seal = job(key, std::uint64_t{1} << 60, {}, sealed.data());
  cipher.ops->seal(cipher.self, &seal, 1);
  tunnel_aead_job jobs[] = {job(key, std::uint64_t{1} << 60, sealed, out.data()),
                            job(key, (std::uint64_t{1} << 60) + 1, sealed, out.data()),
                            job(key, 0, sealed, out.data()),
                            job(other, std::uint64_t{1} << 60, sealed, out.data())};
  cipher.ops->open(cipher.self, jobs, 4);
  CHECK(jobs[0].result == TUNNEL_OK);
  for (int i = 1; i < 4; ++i) CHECK(jobs[i].result == TUNNEL_DROP_FORGED);
}
