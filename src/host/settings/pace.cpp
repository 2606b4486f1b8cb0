#include "host/settings/pace.h"

#include <algorithm>

namespace tunnel::host {
namespace {

constexpr std::chrono::milliseconds kFirstRetry{500};
constexpr std::uint32_t kMostDoublings = 6;

Pace::Clock::duration doubled(std::chrono::milliseconds first, std::uint32_t times) {
  return first * (1u << std::min(times, kMostDoublings));
}

}  // namespace

std::vector<std::string> Pace::looked(const Look& look) {
  std::vector<std::string> fights;
  next_ = look.end + pause_after(look, fights);
  failures_ = look.failed ? failures_ + 1 : 0;
  retry_ = look.failed ? look.end + doubled(kFirstRetry, failures_ - 1) : Clock::time_point::max();
  return fights;
}

Pace::Clock::duration Pace::pause_after(const Look& look, std::vector<std::string>& fights) {
  std::erase_if(losses_,
                [&](const auto& each) { return look.end - each.second.last > kForgotten; });
  std::uint32_t worst = 0;
  for (const std::string& step : look.restored) {
    Loss& loss = losses_[step];
    loss.last = look.end;
    worst = std::max(worst, ++loss.times);
    if (loss.times == kPatience) fights.push_back(step);
  }
  const Clock::duration fair =
      std::max<Clock::duration>(kMoment, (look.end - look.begin) * kBusyShare);
  if (worst < kPatience) return fair;
  return std::max(
      fair, std::min<Clock::duration>(kLongestPause, doubled(kMoment, worst - kPatience + 1)));
}

}  // namespace tunnel::host
