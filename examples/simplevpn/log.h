// log.h - what the daemon tells, one line per event: text for people or JSON for programs.
//
// Lines go to standard error in the foreground and to syslog in the background. Any thread may
// write. An attacker must not be able to fill a disk: below errors, lines are limited to a burst of
// 20 and 10 a second; the next line that passes tells how many did not. Keys are never given to it,
// except public ones.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include <nlohmann/json_fwd.hpp>

namespace spdlog {
class logger;
}

namespace simplevpn {

enum class Level { debug, info, warning, error, silent };  // no line is `silent`

// A bucket of tokens: `burst` at first, `per_second` new ones.
class RateLimit {
 public:
  using Clock = std::chrono::steady_clock;

  RateLimit(double burst, double per_second) : burst_(burst), rate_(per_second), tokens_(burst) {}

  // True when a line may pass now; otherwise counts it.
  [[nodiscard]] bool allow(Clock::time_point now);
  // How many did not pass since the last question.
  [[nodiscard]] std::uint64_t take_suppressed();

 private:
  double burst_;
  double rate_;
  double tokens_;
  Clock::time_point last_{};
  std::uint64_t suppressed_ = 0;
};

class Log {
 public:
  Log(std::string tunnel, bool json, Level lowest);
  ~Log();

  // `event` is a stable word ("handshake"); `fields` an object of numbers and texts.
  void write(Level level, const char* event, const nlohmann::ordered_json& fields);
  void write(Level level, const char* event);

  // From now on to syslog: standard error is about to be closed.
  void move_to_syslog();

 private:
  std::string tunnel_;
  bool json_;
  Level lowest_;
  bool timestamps_ = true;
  std::mutex mutex_;
  RateLimit limit_{20, 10};
  std::unique_ptr<spdlog::logger> logger_;
};

}  // namespace simplevpn
