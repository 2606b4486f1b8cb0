#include "host/resolver/schedule.h"

#include <algorithm>

namespace tunnel::host {
namespace {

constexpr Clock::time_point kNever = Clock::time_point::max();

}  // namespace

std::optional<tunnel_address> Name::next_address(const Pauses& pauses, Clock::time_point now) {
  if (next_ >= addresses_.size()) {
    addresses_.clear();
    next_ = 0;
    return std::nullopt;
  }
  const tunnel_address address = addresses_[next_++];
  if (addresses_.size() == 1) {
    // Nothing else to try: the core goes on by itself, and says when it gives up.
    due_ = kNever;
  } else if (next_ < addresses_.size()) {
    due_ = now + pauses.patience;
  } else {
    pause(pauses, now + pauses.patience);
  }
  return address;
}

void Name::looked_up(const LookupResult& result, const Pauses& pauses, Clock::time_point now) {
  addresses_ = result.addresses;
  const bool known = std::any_of(addresses_.begin(), addresses_.end(), [&](const auto& address) {
    return base::same_address(address, last_good_);
  });
  if (!addresses_.empty() && !known && last_good_.family != TUNNEL_FAMILY_NONE) {
    addresses_.push_back(last_good_);
  }
  asked_ = true;
  next_ = 0;
  due_ = now;
  if (addresses_.empty()) pause(pauses, now);
}

void Name::pause(const Pauses& pauses, Clock::time_point now) noexcept {
  pause_ = std::clamp(2 * pause_, pauses.first, pauses.longest);
  due_ = now + pause_;
}

void Name::session_made() noexcept {
  good_ = true;
  if (next_ > 0 && next_ <= addresses_.size()) last_good_ = addresses_[next_ - 1];
  pause_ = {};
  due_ = kNever;
}

void Name::handshake_failed(Clock::time_point now) noexcept {
  // What was good once is asked for anew. Otherwise another address of the list may do.
  if (good_) addresses_.clear();
  good_ = false;
  due_ = std::min(due_, now);
}

void Name::network_changed(Clock::time_point now) noexcept {
  if (good_) return;
  pause_ = {};
  due_ = std::min(due_, now);
}

void Name::ask_anew(Clock::time_point now) noexcept {
  if (good_) return;
  addresses_.clear();
  network_changed(now);
}

}  // namespace tunnel::host
