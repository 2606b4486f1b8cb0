// protocol.cpp — replay window and rate limiter, asked as the core asks them.
#include "protocol/protocol.h"

#include <cstring>

#include "protocol/gate.h"
#include "testhooks.h"

using tunnel::protocol::RateLimiter;
using tunnel::protocol::ReplayWindow;

void* tunnel_test_replay_new(void) {
  return new ReplayWindow;
}

int tunnel_test_replay_check(void* p, uint64_t counter) {
  return static_cast<ReplayWindow*>(p)->accept(counter) ? 1 : 0;
}

int tunnel_test_replay_window(void) {
  return static_cast<int>(ReplayWindow::kWidth);
}

void tunnel_test_replay_free(void* p) {
  delete static_cast<ReplayWindow*>(p);
}

void* tunnel_test_limiter_new(void) {
  tunnel::cipher::Random random;
  return new RateLimiter(random);
}

int tunnel_test_limiter_allow(void* p, int family, const uint8_t* ip, uint64_t now_ns) {
  tunnel_address from{};
  from.family = static_cast<uint8_t>(family);
  std::memcpy(from.bytes, ip, family == TUNNEL_FAMILY_IPV4 ? 4 : 16);
  return static_cast<RateLimiter*>(p)->allow(from, now_ns) ? 1 : 0;
}
