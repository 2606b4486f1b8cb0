#include "host/control/event_log.h"

#include <algorithm>

namespace tunnel::host {
namespace {

constexpr std::uint64_t kRejectAfterTime_ns = 180'000'000'000;
constexpr std::uint64_t kUnknownPause_ns = 100'000'000;

}  // namespace

// What only the state file needs is not of interest to people.
bool EventLog::is_wanted(const tunnel_event& event) {
  if (event.kind == TUNNEL_EVENT_TIMESTAMP || event.kind == TUNNEL_EVENT_TIMESTAMP_FLOOR) {
    return false;
  }
  if (event.kind != TUNNEL_EVENT_UNKNOWN_KEY) return true;
  if (event.mono_ns < unknown_from_ns_) return false;
  unknown_from_ns_ = event.mono_ns + kUnknownPause_ns;
  return true;
}

std::uint32_t EventLog::kind_of(const tunnel_event& event) {
  if (event.kind == TUNNEL_EVENT_PEER_EXPIRED) handshakes_.erase(public_key_of(event.public_key));
  if (event.kind != TUNNEL_EVENT_HANDSHAKE) return event.kind;
  const auto [last, is_first] =
      handshakes_.try_emplace(public_key_of(event.public_key), event.mono_ns);
  const bool lived = !is_first && event.mono_ns - last->second < kRejectAfterTime_ns;
  last->second = event.mono_ns;
  return lived ? TUNNEL_EVENT_REKEY : TUNNEL_EVENT_HANDSHAKE;
}

void EventLog::add(const tunnel_event& event, std::uint64_t wall_ns) {
  const std::lock_guard lock(mutex_);
  if (!is_wanted(event)) return;
  tunnel_notice notice = TUNNEL_NOTICE_INIT;
  notice.kind = kind_of(event);
  notice.value = event.value;
  notice.address = event.address;
  std::copy_n(event.public_key, TUNNEL_KEY_SIZE, notice.public_key);
  notice.has_key = public_key_of(event.public_key) == PublicKey{} ? 0 : 1;
  keep(notice, wall_ns);
}

void EventLog::keep(tunnel_notice notice, std::uint64_t wall_ns) {
  notice.number = next_++;
  notice.wall_ns = wall_ns;
  kept_.push_back(notice);
  if (kept_.size() > kKept) kept_.pop_front();
  news_.set(true);
}

void EventLog::looked_up(const PublicKey& peer, const std::string& fault, std::uint64_t wall_ns) {
  const std::lock_guard lock(mutex_);
  if (fault.empty()) {
    faults_.erase(peer);
    return;
  }
  const auto [known, is_new] = faults_.try_emplace(peer, fault);
  if (!is_new && known->second == fault) return;
  known->second = fault;
  tunnel_notice notice = TUNNEL_NOTICE_INIT;
  notice.kind = TUNNEL_EVENT_NOT_RESOLVED;
  std::copy(peer.begin(), peer.end(), notice.public_key);
  notice.has_key = 1;
  fault.copy(notice.reason, sizeof(notice.reason) - 1);
  keep(notice, wall_ns);
}

std::string EventLog::fault_of(const PublicKey& peer) const {
  const std::lock_guard lock(mutex_);
  const auto fault = faults_.find(peer);
  return fault == faults_.end() ? std::string() : fault->second;
}

void EventLog::forget(const PublicKey& peer) {
  const std::lock_guard lock(mutex_);
  handshakes_.erase(peer);
  faults_.erase(peer);
}

void EventLog::rest() {
  const std::lock_guard lock(mutex_);
  news_.set(false);
}

std::vector<tunnel_notice> EventLog::from(std::uint64_t& number) const {
  const std::lock_guard lock(mutex_);
  const auto first = std::find_if(kept_.begin(), kept_.end(), [&](const tunnel_notice& notice) {
    return notice.number >= number;
  });
  number = next_;
  return {first, kept_.end()};
}

std::uint64_t EventLog::first_since(std::uint64_t wall_ns) const {
  const std::lock_guard lock(mutex_);
  const auto first = std::find_if(kept_.begin(), kept_.end(), [&](const tunnel_notice& notice) {
    return notice.wall_ns >= wall_ns;
  });
  return first == kept_.end() ? next_ : first->number;
}

}  // namespace tunnel::host
