#include "log.h"

#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/sinks/syslog_sink.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "format.h"

namespace simplevpn {
namespace {

using nlohmann::ordered_json;

const char* name_of(Level level) {
  switch (level) {
    case Level::debug:
      return "debug";
    case Level::info:
      return "info";
    case Level::warning:
      return "warning";
    case Level::error:
    case Level::silent:
      break;
  }
  return "error";
}

spdlog::level::level_enum spdlog_level(Level level) {
  switch (level) {
    case Level::debug:
      return spdlog::level::debug;
    case Level::info:
      return spdlog::level::info;
    case Level::warning:
      return spdlog::level::warn;
    case Level::error:
    case Level::silent:
      break;
  }
  return spdlog::level::err;
}

std::string dump(const ordered_json& value) {
  return value.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

// A text without spaces and quotes stands as it is: peer=laptop, but reason="no such host".
std::string text_value(const ordered_json& value) {
  if (!value.is_string()) return dump(value);
  const auto& text = value.get_ref<const std::string&>();
  const bool plain = !text.empty() && text.find_first_of(" \t\r\n\"\\=") == std::string::npos;
  return plain ? text : dump(value);
}

std::string text_line(const ordered_json& line) {
  std::string text;
  for (const auto& [key, value] : line.items()) {
    if (!text.empty()) text += ' ';
    text += key == "time" || key == "level" ? text_value(value) : key + "=" + text_value(value);
  }
  return text;
}

}  // namespace

bool RateLimit::allow(Clock::time_point now) {
  const double passed = std::chrono::duration<double>(now - last_).count();
  tokens_ = std::min(burst_, tokens_ + passed * rate_);
  last_ = now;
  if (tokens_ < 1) {
    ++suppressed_;
    return false;
  }
  tokens_ -= 1;
  return true;
}

std::uint64_t RateLimit::take_suppressed() {
  const std::uint64_t count = suppressed_;
  suppressed_ = 0;
  return count;
}

Log::Log(std::string tunnel, bool json, Level lowest)
    : tunnel_(std::move(tunnel)), json_(json), lowest_(lowest) {
  auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  logger_ = std::make_unique<spdlog::logger>("simplevpn", std::move(sink));
  logger_->set_pattern("%v");
  logger_->set_level(spdlog::level::debug);
}

Log::~Log() = default;

void Log::write(Level level, const char* event) {
  write(level, event, ordered_json::object());
}

void Log::write(Level level, const char* event, const ordered_json& fields) {
  if (level < lowest_) return;
  const std::lock_guard lock(mutex_);
  if (level < Level::error && !limit_.allow(RateLimit::Clock::now())) return;
  ordered_json line = ordered_json::object();
  if (timestamps_) line["time"] = rfc3339(wall_now_ns());
  line["level"] = name_of(level);
  line["tunnel"] = tunnel_;
  line["event"] = event;
  line.update(fields);
  if (const std::uint64_t suppressed = limit_.take_suppressed()) line["suppressed"] = suppressed;
  logger_->log(spdlog_level(level), "{}", json_ ? dump(line) : text_line(line));
}

void Log::move_to_syslog() {
  const std::lock_guard lock(mutex_);
  constexpr int kDaemonFacility = 3 << 3;  // LOG_DAEMON; <syslog.h> clashes with spdlog's names
  auto sink =
      std::make_shared<spdlog::sinks::syslog_sink_mt>("simplevpn", 0, kDaemonFacility, true);
  logger_ = std::make_unique<spdlog::logger>("simplevpn", std::move(sink));
  logger_->set_pattern("%v");
  logger_->set_level(spdlog::level::debug);
  timestamps_ = false;  // syslog adds its own
}

}  // namespace simplevpn
