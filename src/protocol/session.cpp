#include "protocol/session.h"

#include <cassert>

namespace tunnel::protocol {

std::int32_t Session::start(const tunnel_cipher& cipher, const Start& start,
                            std::uint64_t now) noexcept {
  assert(cipher.ops->key_size <= TUNNEL_CIPHER_KEY_MAX);
  wipe();
  auto status = cipher.ops->key_init(cipher.self, send_key_, start.keys.send.data());
  if (status == TUNNEL_OK) {
    status = cipher.ops->key_init(cipher.self, receive_key_, start.keys.receive.data());
  }
  if (status != TUNNEL_OK) {
    wipe();
    return status;
  }
  created_at_ = now;
  local_index_ = start.local_index;
  remote_index_ = start.remote_index;
  initiator_ = start.initiator;
  live_ = true;
  return TUNNEL_OK;
}

void Session::wipe() noexcept {
  base::wipe(send_key_, sizeof send_key_);
  base::wipe(receive_key_, sizeof receive_key_);
  send_counter_ = created_at_ = 0;
  local_index_ = remote_index_ = 0;
  live_ = initiator_ = asked_for_rekey_ = false;
  window_ = ReplayWindow();
}

// A clock that steps back makes a session young again, never suddenly old.
std::uint64_t Session::age(std::uint64_t now) const noexcept {
  return now > created_at_ ? now - created_at_ : 0;
}

bool Session::can_send(std::uint64_t now) const noexcept {
  return is_fresh(now) && send_counter_ < kRejectAfterMessages;
}

bool Session::wants_rekey_after_send(std::uint64_t now) const noexcept {
  return send_counter_ >= kRekeyAfterMessages || (initiator_ && age(now) >= kRekeyAfterTime);
}

std::int32_t Session::can_open(std::uint64_t counter, std::uint64_t now) const noexcept {
  const bool allowed = is_fresh(now) && counter < kRejectAfterMessages;
  return allowed ? TUNNEL_OK : TUNNEL_DROP_EXPIRED_KEY;
}

bool Session::wants_rekey_after_receive(std::uint64_t now) noexcept {
  if (!initiator_ || asked_for_rekey_ || age(now) < kRekeyOnReceiveTime) return false;
  asked_for_rekey_ = true;
  return true;
}

}  // namespace tunnel::protocol
