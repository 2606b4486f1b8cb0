// trial.cpp — random messages, sealed and opened by a table and by libsodium: they must agree.
//
// Known answers are few and fixed; here lengths, keys, counters, alignment, places and damage are
// drawn anew in every process, so what is seldom wrong is found by somebody.
#include <algorithm>
#include <memory>
#include <new>

#include "cipher/aead.h"
#include "cipher/cipher.h"

namespace tunnel::cipher {

namespace {

constexpr std::size_t kMessages = 48;
constexpr std::size_t kKeys = 3;
constexpr std::uint32_t kShort = 2048;      // most lengths are below
constexpr std::uint32_t kLargest = 65'535;  // one of each batch may have up to this
constexpr std::size_t kGap = 16;            // bytes before a message that move its alignment
constexpr std::size_t kPool = (kMessages - 1) * kShort + kLargest + kMessages * (kTag + kGap);

// A message: three buffers of its own, and how it is treated.
struct Message {
  std::uint8_t* plain;
  std::uint8_t* sealed;  // by the table under test
  std::uint8_t* other;   // sealed by libsodium, later opened by the table
  std::uint32_t length;
  std::uint8_t key;
  bool in_place;
  bool damaged;
};

class Trial {
 public:
  Trial(const tunnel_cipher& cipher, Random& random, std::uint8_t* memory) noexcept
      : cipher_(cipher), random_(random), memory_(memory) {}
  ~Trial() { base::wipe(prepared_.data(), sizeof prepared_); }

  bool run() noexcept {
    if (!draw_keys()) return false;
    draw_messages();
    return seal_agrees() && open_agrees();
  }

 private:
  bool draw_keys() noexcept {
    for (std::size_t i = 0; i < kKeys; ++i) {
      random_.fill(keys_[i].writable());
      const auto status = cipher_.ops->key_init(cipher_.self, prepared_[i].data(), keys_[i].data());
      if (status != TUNNEL_OK) return false;
    }
    return true;
  }

  // Blocks of ChaCha20 and Poly1305 have 64 and 16 bytes: short lengths meet their borders often.
  std::uint32_t draw_length(std::size_t i) noexcept {
    if (i == 0) return static_cast<std::uint32_t>(random_.below(kLargest + 1));
    return static_cast<std::uint32_t>(random_.below(i % 3 == 0 ? 320 : kShort + 1));
  }

  void draw_messages() noexcept {
    random_.fill({memory_, kPool});
    std::size_t at = 0;
    for (std::size_t i = 0; i < kMessages; ++i) {
      auto& message = messages_[i];
      at += random_.below(kGap);
      message = {.plain = memory_ + at,
                 .sealed = memory_ + kPool + at,
                 .other = memory_ + 2 * kPool + at,
                 .length = draw_length(i),
                 .key = static_cast<std::uint8_t>(random_.below(kKeys)),
                 .in_place = random_.below(2) == 0,
                 .damaged = random_.below(4) == 0};
      counters_[i] = random_.below(UINT64_MAX) >> random_.below(64);
      at += message.length + kTag;
    }
  }

  tunnel_aead_job job(std::size_t i) const noexcept {
    return {.key = prepared_[messages_[i].key].data(), .counter = counters_[i], .result = -1};
  }

  bool seal_agrees() noexcept {
    std::array<tunnel_aead_job, kMessages> jobs;
    for (std::size_t i = 0; i < kMessages; ++i) {
      const auto& message = messages_[i];
      seal_with_nonce(message.other, keys_[message.key].data(), make_nonce(counters_[i]),
                      {message.plain, message.length}, {});
      if (message.in_place) std::copy_n(message.plain, message.length, message.sealed);
      jobs[i] = job(i);
      jobs[i].in = message.in_place ? message.sealed : message.plain;
      jobs[i].out = message.sealed;
      jobs[i].length = message.length;
    }
    cipher_.ops->seal(cipher_.self, jobs.data(), kMessages);
    return all_of([&](std::size_t i) {
      const auto& message = messages_[i];
      return jobs[i].result == TUNNEL_OK &&
             std::equal(message.sealed, message.sealed + message.length + kTag, message.other);
    });
  }

  bool open_agrees() noexcept {
    std::array<tunnel_aead_job, kMessages> jobs;
    for (std::size_t i = 0; i < kMessages; ++i) {
      const auto& message = messages_[i];
      if (message.damaged) damage(message);
      jobs[i] = job(i);
      jobs[i].in = message.sealed;
      jobs[i].out = message.in_place ? message.sealed : message.other;
      jobs[i].length = message.length + static_cast<std::uint32_t>(kTag);
    }
    cipher_.ops->open(cipher_.self, jobs.data(), kMessages);
    return all_of([&](std::size_t i) {
      const auto& message = messages_[i];
      if (message.damaged) return jobs[i].result == TUNNEL_DROP_FORGED;
      return jobs[i].result == TUNNEL_OK &&
             std::equal(message.plain, message.plain + message.length, jobs[i].out);
    });
  }

  // One bit: half of the time of the tag, else anywhere.
  void damage(const Message& message) noexcept {
    const std::uint64_t first = random_.below(2) == 0 ? message.length : 0;
    const auto byte = first + random_.below(message.length + kTag - first);
    message.sealed[byte] ^= static_cast<std::uint8_t>(1 << random_.below(8));
  }

  template <class Predicate>
  static bool all_of(Predicate holds) noexcept {
    for (std::size_t i = 0; i < kMessages; ++i) {
      if (!holds(i)) return false;
    }
    return true;
  }

  const tunnel_cipher& cipher_;
  Random& random_;
  std::uint8_t* memory_;
  std::array<Key, kKeys> keys_;
  alignas(16) std::array<std::array<std::uint8_t, TUNNEL_CIPHER_KEY_MAX>, kKeys> prepared_{};
  std::array<Message, kMessages> messages_{};
  std::array<std::uint64_t, kMessages> counters_{};
};

}  // namespace

std::int32_t compare_with_libsodium(const tunnel_cipher& cipher, std::uint32_t trials) noexcept {
  const std::unique_ptr<std::uint8_t[]> memory(new (std::nothrow) std::uint8_t[3 * kPool]);
  if (memory == nullptr) return TUNNEL_ERR_MEMORY;
  Key seed;
  Random().fill(seed.writable());
  Random random(seed.bytes());  // a stream: the system's generator would cost more than the rest
  for (std::uint32_t i = 0; i < trials; ++i) {
    if (!Trial(cipher, random, memory.get()).run()) return TUNNEL_ERR_SELF_TEST;
  }
  return TUNNEL_OK;
}

}  // namespace tunnel::cipher
