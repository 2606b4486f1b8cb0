#include "core/keyring.h"

namespace tunnel::core {

PeerSession* Keyring::keep(PeerSession* session) noexcept {
  if (session == nullptr) return nullptr;
  for (auto& place : previous_) {
    if (place == nullptr) {
      place = session;
      return nullptr;
    }
  }
  auto& stalest =
      previous_[0]->received_at <= previous_[1]->received_at ? previous_[0] : previous_[1];
  if (session->received_at < stalest->received_at) return session;
  return std::exchange(stalest, session);
}

Keyring::Retired Keyring::initiated(PeerSession* fresh) noexcept {
  const auto old_current = std::exchange(current_, fresh);
  const auto old_next = std::exchange(next_, nullptr);
  return {keep(old_current), keep(old_next)};
}

Keyring::Retired Keyring::responded(PeerSession* fresh) noexcept {
  return {std::exchange(next_, fresh), nullptr};
}

Keyring::Retired Keyring::confirmed() noexcept {
  const auto old_current = std::exchange(current_, std::exchange(next_, nullptr));
  return {keep(old_current), nullptr};
}

std::array<PeerSession*, 4> Keyring::take_expired(std::uint64_t now) noexcept {
  std::array<PeerSession*, 4> expired{};
  auto out = expired.begin();
  for (auto* place : {&current_, &next_, &previous_[0], &previous_[1]}) {
    if (*place != nullptr && (*place)->session.expired(now)) {
      *out++ = std::exchange(*place, nullptr);
    }
  }
  return expired;
}

std::array<PeerSession*, 4> Keyring::take_all() noexcept {
  const std::array<PeerSession*, 4> all{current_, next_, previous_[0], previous_[1]};
  *this = {};
  return all;
}

}  // namespace tunnel::core
