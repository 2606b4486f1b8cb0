// sysctl.cpp — kernel settings below /proc/sys.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>

#include "host/settings/changes.h"

namespace tunnel::host {
namespace {

constexpr std::string_view kBlanks = " \t\n";

// Nothing climbs out of /proc/sys; the kernel's own names are harmless.
bool is_sysctl(const std::string& name) noexcept {
  return !name.empty() && name.front() != '/' && ("/" + name + "/").find("/../") == name.npos &&
         name.find('\0') == name.npos;
}

base::Descriptor open_sysctl(const std::string& name, int how) {
  if (!is_sysctl(name)) {
    errno = EINVAL;
    return {};
  }
  return base::Descriptor(::open(("/proc/sys/" + name).c_str(), how | O_CLOEXEC | O_NOFOLLOW));
}

// Values of several words are written with blanks and read with tabs.
std::string normal(std::string_view text) {
  std::string words;
  for (;;) {
    const std::size_t begin = text.find_first_not_of(kBlanks);
    if (begin == text.npos) return words;
    const std::size_t end = std::min(text.find_first_of(kBlanks, begin), text.size());
    if (!words.empty()) words += ' ';
    words += text.substr(begin, end - begin);
    text.remove_prefix(end);
  }
}

Answer read_sysctl(const std::string& name, std::string& value) {
  const base::Descriptor file = open_sysctl(name, O_RDONLY);
  if (!file.valid()) return {errno, {}};
  std::array<char, 4096> bytes;
  const ssize_t size = ::read(file.get(), bytes.data(), bytes.size());
  if (size < 0) return {errno, {}};
  value = normal({bytes.data(), static_cast<std::size_t>(size)});
  return {};
}

Answer write_sysctl(const std::string& name, const std::string& value) {
  const base::Descriptor file = open_sysctl(name, O_WRONLY);
  if (!file.valid()) return {errno, {}};
  const ssize_t size = ::write(file.get(), value.data(), value.size());
  return {size == static_cast<ssize_t>(value.size()) ? 0 : size < 0 ? errno : EIO, {}};
}

bool is_writable(const std::string& name) {
  return open_sysctl(name, O_WRONLY).valid();
}

}  // namespace

// A value that is right already is never written: writing may do more than it says, and /proc/sys
// may be read-only.
Look look_at(Tools&, const SysctlStep& step) {
  Look look;
  look.answer = read_sysctl(step.name, look.before);
  look.needed = look.before != normal(step.value);
  if (step.optional && !is_writable(step.name)) look.needed = false;
  return look;
}

Answer change(Tools&, const SysctlStep& step) {
  return write_sysctl(step.name, step.value);
}

Answer restore(Tools&, const SysctlStep& step, const std::string& before) {
  std::string now;
  const Answer answer = read_sysctl(step.name, now);
  if (answer.error != 0 || now != normal(step.value)) return answer;
  return write_sysctl(step.name, before);
}

}  // namespace tunnel::host
