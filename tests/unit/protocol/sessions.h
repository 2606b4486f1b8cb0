// sessions.h — two sessions with mirrored keys, and a probe that moves a send counter.
#pragma once

#include "protocol/session.h"

namespace tunnel::protocol {

// 2^60 messages cannot be sent in a test.
struct SessionProbe {
  static void set_send_counter(Session& session, std::uint64_t counter) {
    session.send_counter_ = counter;
  }
};

// Alice initiated, bob answered.
struct Pair {
  explicit Pair(std::uint64_t now) {
    [[maybe_unused]] const auto status = cipher::find_provider(nullptr, cipher);
    start(now);
  }

  void start(std::uint64_t now) {
    SessionKeys a, b;
    a.send.writable()[0] = b.receive.writable()[0] = 1;
    a.receive.writable()[0] = b.send.writable()[0] = 2;
    (void)alice.start(cipher, {a, 10, 20, true}, now);
    (void)bob.start(cipher, {b, 20, 10, false}, now);
  }

  // Seals `length` bytes in place; the tag follows them.
  void seal(const Session& by, std::uint64_t counter, std::uint8_t* bytes, std::uint32_t length) {
    tunnel_aead_job job{by.send_key(), counter, bytes, bytes, length, 0, {}};
    cipher.ops->seal(cipher.self, &job, 1);
  }

  std::int32_t open(const Session& by, std::uint64_t counter, std::uint8_t* bytes,
                    std::uint32_t length) {
    tunnel_aead_job job{by.receive_key(), counter, bytes, bytes, length, 0, {}};
    cipher.ops->open(cipher.self, &job, 1);
    return job.result;
  }

  tunnel_cipher cipher{};
  Session alice, bob;
};

}  // namespace tunnel::protocol
