// pace.h — how soon the machine is looked at again. Time is an argument; nothing here waits.
//
// A change is acted upon at once, what comes within a moment after it together at its end. Whoever
// undoes the same thing again and again is answered ever later, so that two programs that do not
// agree do not eat a processor.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace tunnel::host {

class Pace {
 public:
  using Clock = std::chrono::steady_clock;

  static constexpr std::chrono::milliseconds kMoment{100};
  static constexpr unsigned kBusyShare = 10;     // of the time at most a tenth is spent on looking
  static constexpr std::uint32_t kPatience = 4;  // so often the same is put back at once
  static constexpr std::chrono::milliseconds kLongestPause{6400};
  static constexpr std::chrono::seconds kForgotten{30};  // that somebody took something away

  struct Look {
    Clock::time_point begin, end;
    std::vector<std::string> restored;  // by a text that is the same for the same
    bool failed = false;                // something wanted is not there
  };

  // Returns those of `restored` over which a fight has just begun.
  std::vector<std::string> looked(const Look& look);

  Clock::time_point next() const noexcept { return next_; }  // not before
  // When to look although nobody said that anything changed; max() = never.
  Clock::time_point retry() const noexcept { return retry_; }

 private:
  struct Loss {
    std::uint32_t times = 0;
    Clock::time_point last;
  };

  Clock::duration pause_after(const Look& look, std::vector<std::string>& fights);

  std::unordered_map<std::string, Loss> losses_;
  std::uint32_t failures_ = 0;  // in a row
  Clock::time_point next_{};
  Clock::time_point retry_ = Clock::time_point::max();
};

}  // namespace tunnel::host
