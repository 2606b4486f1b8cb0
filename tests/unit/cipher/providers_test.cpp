// Every provider that can be used here, held against libsodium and against the edges of memory; and
// what becomes of one that is wrong.
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <thread>

#include "cipher/aead.h"
#include "cipher/cipher.h"
#include "cipher/provider.h"
#include "support/catch.hpp"
#include "support/hex.h"
#include "support/providers.h"

using namespace tunnel::cipher;
using tunnel::test::usable_providers;

namespace {

using Memory = std::vector<std::uint8_t>;
using Prepared = std::array<std::uint8_t, TUNNEL_CIPHER_KEY_MAX>;

constexpr std::uint32_t kTagLength = 16;

Memory random_bytes(std::size_t length) {
  Memory bytes(length);
  if (length > 0) Random().fill(bytes);
  return bytes;
}

struct TestKey {
  Memory plain = random_bytes(32);
  alignas(16) Prepared prepared{};

  explicit TestKey(const tunnel_cipher& cipher) {
    REQUIRE(cipher.ops->key_init(cipher.self, prepared.data(), plain.data()) == TUNNEL_OK);
  }
};

Memory sealed_by_libsodium(const TestKey& key, std::uint64_t counter, Bytes text) {
  Memory out(text.size() + kTag);
  seal_with_nonce(out.data(), key.plain.data(), make_nonce(counter), text, {});
  return out;
}

// Memory between two pages that must not be touched.
class Fenced {
 public:
  explicit Fenced(std::size_t size) : page_(static_cast<std::size_t>(::sysconf(_SC_PAGESIZE))) {
    inside_ = (size + page_ - 1) / page_ * page_;
    auto* memory =
        ::mmap(nullptr, inside_ + 2 * page_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE(memory != MAP_FAILED);
    base_ = static_cast<std::uint8_t*>(memory);
    REQUIRE(::mprotect(base_ + page_, inside_, PROT_READ | PROT_WRITE) == 0);
  }
  ~Fenced() { ::munmap(base_, inside_ + 2 * page_); }
  Fenced(const Fenced&) = delete;
  Fenced& operator=(const Fenced&) = delete;

  std::uint8_t* begin() const { return base_ + page_; }
  std::uint8_t* end() const { return begin() + inside_; }

 private:
  std::size_t page_, inside_;
  std::uint8_t* base_;
};

constexpr std::size_t kThereAndBack = 20;

// Seals and opens a batch, and returns how many messages came back as they were.
std::size_t there_and_back(const tunnel_cipher& cipher, const TestKey& key, const Memory& text) {
  std::vector<Memory> buffers(kThereAndBack, Memory(text.size() + kTag));
  std::vector<tunnel_aead_job> jobs;
  for (std::size_t i = 0; i < kThereAndBack; ++i) {
    jobs.push_back({.key = key.prepared.data(),
                    .counter = i,
                    .in = text.data(),
                    .out = buffers[i].data(),
                    .length = static_cast<std::uint32_t>(35 * i)});
  }
  cipher.ops->seal(cipher.self, jobs.data(), jobs.size());
  for (auto& job : jobs) {
    job.in = job.out;
    job.length += kTagLength;
  }
  cipher.ops->open(cipher.self, jobs.data(), jobs.size());
  return static_cast<std::size_t>(std::count_if(jobs.begin(), jobs.end(), [&](const auto& job) {
    return job.result == TUNNEL_OK &&
           std::equal(job.out, job.out + job.length - kTag, text.begin());
  }));
}

// A table that damages one byte of what libsodium makes, now and then.
class Wrong {
 public:
  explicit Wrong(std::uint32_t wrong_length) : wrong_length_(wrong_length) {
    ops_ = *libsodium_provider().ops;
    ops_.seal = [](void* self, tunnel_aead_job* jobs, std::size_t count) {
      libsodium_provider().ops->seal(nullptr, jobs, count);
      const auto wrong = static_cast<Wrong*>(self)->wrong_length_;
      for (std::size_t i = 0; i < count; ++i) {
        if (jobs[i].length >= wrong) jobs[i].out[wrong - 1] ^= 1;
      }
    };
  }

  tunnel_cipher table() { return {&ops_, this}; }

 private:
  std::uint32_t wrong_length_;
  tunnel_cipher_ops ops_;
};

Wrong& wrong_provider() {
  static Wrong wrong(1000);  // longer than the known answers
  return wrong;
}

const Provider& broken() noexcept {
  static const Provider provider = checked({TUNNEL_OK, wrong_provider().table()});
  return provider;
}

const Provider& absent() noexcept {
  static const Provider provider = checked({TUNNEL_ERR_UNAVAILABLE, {}});
  return provider;
}

const Provider& sound() noexcept {
  static const Provider provider = checked({TUNNEL_OK, libsodium_provider()});
  return provider;
}

}  // namespace

TEST_CASE("every provider agrees with libsodium on random messages", "[cipher][provider]") {
  for (const auto& cipher : usable_providers()) {
    INFO(cipher.ops->name);
    CHECK(compare_with_libsodium(cipher, 100) == TUNNEL_OK);
  }
}

TEST_CASE("every provider agrees with libsodium on every length", "[cipher][provider]") {
  constexpr std::uint32_t kLengths = 2200, kAtOnce = 45;
  const auto text = random_bytes(kLengths + kAtOnce);
  for (const auto& cipher : usable_providers()) {
    INFO(cipher.ops->name);
    const TestKey key(cipher);
    for (std::uint32_t first = 0; first < kLengths; first += kAtOnce) {
      std::vector<Memory> sealed;
      std::vector<tunnel_aead_job> jobs;
      for (std::uint32_t length = first; length < first + kAtOnce; ++length) {
        sealed.emplace_back(length + kTag);
        jobs.push_back({.key = key.prepared.data(),
                        .counter = length,
                        .in = text.data(),
                        .out = sealed.back().data(),
                        .length = length,
                        .result = -1});
      }
      cipher.ops->seal(cipher.self, jobs.data(), jobs.size());
      for (std::size_t i = 0; i < jobs.size(); ++i) {
        REQUIRE(jobs[i].result == TUNNEL_OK);
        const auto length = jobs[i].length;
        REQUIRE(sealed[i] == sealed_by_libsodium(key, length, Bytes(text).first(length)));
        jobs[i].in = jobs[i].out;
        jobs[i].length = length + kTagLength;
      }
      cipher.ops->open(cipher.self, jobs.data(), jobs.size());
      for (std::size_t i = 0; i < jobs.size(); ++i) {
        REQUIRE(jobs[i].result == TUNNEL_OK);
        REQUIRE(std::equal(jobs[i].out, jobs[i].out + first + i, text.begin()));
      }
    }
  }
}

TEST_CASE("every provider takes batches of any size", "[cipher][provider]") {
  const auto text = random_bytes(300);
  for (const auto& cipher : usable_providers()) {
    INFO(cipher.ops->name);
    const TestKey key(cipher);
    for (const std::size_t count :
         {0UL, 1UL, 2UL, 15UL, 16UL, 17UL, 63UL, 64UL, 65UL, 128UL, 500UL}) {
      std::vector<Memory> out(count, Memory(text.size() + kTag));
      std::vector<tunnel_aead_job> jobs;
      for (std::size_t i = 0; i < count; ++i) {
        jobs.push_back({.key = key.prepared.data(),
                        .counter = i,
                        .in = text.data(),
                        .out = out[i].data(),
                        .length = static_cast<std::uint32_t>(i % 301)});
      }
      cipher.ops->seal(cipher.self, jobs.data(), count);
      for (std::size_t i = 0; i < count; ++i) {
        out[i].resize(i % 301 + kTag);
        REQUIRE(out[i] == sealed_by_libsodium(key, i, Bytes(text).first(i % 301)));
      }
    }
  }
}

TEST_CASE("every provider takes messages of 64 KiB", "[cipher][provider]") {
  const auto text = random_bytes(65'536);
  for (const auto& cipher : usable_providers()) {
    INFO(cipher.ops->name);
    const TestKey key(cipher);
    for (const std::uint32_t length : {65'535U, 65'536U, 65'520U}) {
      Memory buffer(length + kTag);
      std::copy_n(text.begin(), length, buffer.begin());
      tunnel_aead_job job{.key = key.prepared.data(),
                          .counter = UINT64_MAX,
                          .in = buffer.data(),
                          .out = buffer.data(),
                          .length = length};
      cipher.ops->seal(cipher.self, &job, 1);
      REQUIRE(buffer == sealed_by_libsodium(key, UINT64_MAX, Bytes(text).first(length)));
      job.length = length + kTagLength;
      cipher.ops->open(cipher.self, &job, 1);
      REQUIRE(job.result == TUNNEL_OK);
      REQUIRE(std::equal(buffer.begin(), buffer.end() - kTag, text.begin()));
    }
  }
}

TEST_CASE("no provider reads or writes beside its messages", "[cipher][provider]") {
  const Fenced in(4096), out(4096);
  for (const auto& cipher : usable_providers()) {
    INFO(cipher.ops->name);
    const TestKey key(cipher);
    for (std::uint32_t length = 0; length < 1700; length += 1 + length / 97) {
      const auto sealed_length = length + kTagLength;
      const auto text = random_bytes(length);
      // Up to the last byte of a page, and from the first.
      for (const bool at_end : {true, false}) {
        auto* from = at_end ? in.end() - length : in.begin();
        auto* to = at_end ? out.end() - sealed_length : out.begin();
        std::copy(text.begin(), text.end(), from);
        std::memset(out.begin(), 0x5a, 4096);
        tunnel_aead_job job{
            .key = key.prepared.data(), .counter = length, .in = from, .out = to, .length = length};
        cipher.ops->seal(cipher.self, &job, 1);
        REQUIRE(Memory(to, to + sealed_length) == sealed_by_libsodium(key, length, text));
        REQUIRE(std::count(out.begin(), to, 0x5a) == to - out.begin());
        REQUIRE(std::count(to + sealed_length, out.end(), 0x5a) == out.end() - to - sealed_length);
        // Back again, the text ends with the page now.
        auto* back = at_end ? in.end() - length : in.begin();
        std::memset(in.begin(), 0x5a, 4096);
        job.in = to;
        job.out = back;
        job.length = sealed_length;
        cipher.ops->open(cipher.self, &job, 1);
        REQUIRE(job.result == TUNNEL_OK);
        REQUIRE(std::equal(text.begin(), text.end(), back));
        REQUIRE(std::count(in.begin(), back, 0x5a) == back - in.begin());
        REQUIRE(std::count(back + length, in.end(), 0x5a) == in.end() - back - length);
      }
    }
  }
}

TEST_CASE("every bit of a message is protected by every provider", "[cipher][provider]") {
  for (const auto& cipher : usable_providers()) {
    INFO(cipher.ops->name);
    const TestKey key(cipher);
    const auto sealed = sealed_by_libsodium(key, 7, random_bytes(100));
    for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
      auto damaged = sealed;
      damaged[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
      tunnel_aead_job job{.key = key.prepared.data(),
                          .counter = 7,
                          .in = damaged.data(),
                          .out = damaged.data(),
                          .length = static_cast<std::uint32_t>(damaged.size())};
      cipher.ops->open(cipher.self, &job, 1);
      REQUIRE(job.result == TUNNEL_DROP_FORGED);
    }
  }
}

TEST_CASE("threads may use one table at once", "[cipher][provider]") {
  constexpr int kThreads = 4, kTimes = 50;
  for (const auto& cipher : usable_providers()) {
    INFO(cipher.ops->name);
    const TestKey key(cipher);
    const auto text = random_bytes(700);
    std::array<std::size_t, kThreads> good{};
    std::vector<std::thread> threads;
    for (auto& count : good) {
      threads.emplace_back([&] {
        for (int time = 0; time < kTimes; ++time) count += there_and_back(cipher, key, text);
      });
    }
    for (auto& thread : threads) thread.join();
    for (const auto count : good) CHECK(count == kTimes * kThereAndBack);
  }
}

TEST_CASE("a provider that gives a wrong answer is refused and passed over", "[cipher][provider]") {
  const Entry list[] = {{"broken", broken}, {"absent", absent}, {"sound", sound}};
  tunnel_cipher cipher{};
  CHECK(choose(list, "broken", cipher) == TUNNEL_ERR_SELF_TEST);
  CHECK(choose(list, "absent", cipher) == TUNNEL_ERR_UNAVAILABLE);
  CHECK(cipher.ops == nullptr);
  CHECK(choose(list, nullptr, cipher) == TUNNEL_OK);
  CHECK(std::string(cipher.ops->name) == "libsodium");
  CHECK(choose(std::span(list).first(1), nullptr, cipher) == TUNNEL_ERR_SELF_TEST);
}

TEST_CASE("a mistake in long messages only is found by random ones", "[cipher][provider]") {
  CHECK(passes_self_check(wrong_provider().table()));
  CHECK(compare_with_libsodium(wrong_provider().table(), 1) == TUNNEL_ERR_SELF_TEST);
}

TEST_CASE("a table that accepts a wrong tag does not agree with libsodium", "[cipher][provider]") {
  auto ops = *libsodium_provider().ops;
  ops.open = [](void*, tunnel_aead_job* jobs, std::size_t count) {
    libsodium_provider().ops->open(nullptr, jobs, count);
    for (std::size_t i = 0; i < count; ++i) jobs[i].result = TUNNEL_OK;
  };
  CHECK(compare_with_libsodium({&ops, nullptr}, 1) == TUNNEL_ERR_SELF_TEST);
}

TEST_CASE("the list names every provider once, and libsodium last", "[cipher][provider]") {
  std::vector<std::string> names;
  for (const auto& entry : entries()) names.emplace_back(entry.name);
  REQUIRE_FALSE(names.empty());
  CHECK(names.back() == "libsodium");
  std::sort(names.begin(), names.end());
  CHECK(std::adjacent_find(names.begin(), names.end()) == names.end());
}
