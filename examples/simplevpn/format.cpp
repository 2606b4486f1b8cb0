#include "format.h"

#include <array>
#include <cstdio>
#include <ctime>

#include <tunnel/host/text.h>

namespace simplevpn {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;

std::string two_units(std::uint64_t large, char large_unit, std::uint64_t small, char small_unit) {
  std::string text = std::to_string(large) + large_unit;
  if (small != 0) text += std::to_string(small) + small_unit;
  return text;
}

}  // namespace

std::uint64_t wall_now_ns() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * kSecond + static_cast<std::uint64_t>(now.tv_nsec);
}

std::string rfc3339(std::uint64_t wall_ns) {
  const auto seconds = static_cast<time_t>(wall_ns / kSecond);
  tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 32> date{};
  std::strftime(date.data(), date.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), "%s.%03uZ", date.data(),
                static_cast<unsigned>(wall_ns % kSecond / 1'000'000));
  return text.data();
}

std::string duration_text(std::uint64_t seconds) {
  const std::uint64_t minutes = seconds / 60;
  const std::uint64_t hours = minutes / 60;
  if (minutes == 0) return std::to_string(seconds) + "s";
  if (hours == 0) return two_units(minutes, 'm', seconds % 60, 's');
  if (hours < 24) return two_units(hours, 'h', minutes % 60, 'm');
  return two_units(hours / 24, 'd', hours % 24, 'h');
}

std::string bytes_text(std::uint64_t bytes) {
  constexpr std::array kUnits{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1023.5 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  std::array<char, 32> text{};
  const int digits = unit != 0 && value < 9.95 ? 1 : 0;
  std::snprintf(text.data(), text.size(), "%.*f %s", digits, value, kUnits[unit]);
  return text.data();
}

std::string address_text(const tunnel_address& address) {
  std::array<char, TUNNEL_ADDRESS_TEXT_SIZE> text{};
  tunnel_address_to_text(&address, text.data());
  return text.data();
}

std::string prefix_text(const tunnel_prefix& prefix) {
  std::array<char, TUNNEL_PREFIX_TEXT_SIZE> text{};
  tunnel_prefix_to_text(&prefix, text.data());
  return text.data();
}

std::string public_key_text(const std::uint8_t key[TUNNEL_KEY_SIZE]) {
  std::array<char, TUNNEL_KEY_TEXT_SIZE> text{};
  tunnel_key_to_text(key, text.data());
  return text.data();
}

std::string shell_quoted(const std::string& argument) {
  constexpr const char* kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=.,:/@%";
  if (!argument.empty() && argument.find_first_not_of(kPlain) == std::string::npos) return argument;
  std::string quoted = "'";
  for (const char c : argument) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

}  // namespace simplevpn
