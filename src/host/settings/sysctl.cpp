// sysctl.cpp — kernel settings below /proc/sys.
#include <fcntl.h>
#include <net/if.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <string_view>
#include <vector>

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

// ---- the one setting that sets others: IPv6's `all` writes the value of every interface

constexpr std::string_view kFolder = "net/ipv6/conf/";

bool sets_others(const SysctlStep& step) {
  return step.name == std::string(kFolder) + "all/forwarding";
}

std::string forwarding_of(std::string_view link) {
  return std::string(kFolder) + std::string(link) + "/forwarding";
}

// " eth1 docker0": those whose value is right already, and shall be so afterwards.
std::string already_right(const SysctlStep& step) {
  const std::unique_ptr<struct if_nameindex, void (*)(struct if_nameindex*)> links(
      ::if_nameindex(), ::if_freenameindex);
  std::vector<std::string> names = {"default"};
  for (auto* link = links.get(); link != nullptr && link->if_index != 0; ++link) {
    names.emplace_back(link->if_name);
  }
  std::string right, value;
  for (const std::string& name : names) {
    if (read_sysctl(forwarding_of(name), value).error == 0 && value == normal(step.value)) {
      right += " " + name;
    }
  }
  return right;
}

// `before` is the former value, and what already_right() said then.
Answer restore_all(const SysctlStep& step, std::string_view before) {
  const std::size_t end = std::min(before.find(' '), before.size());
  Answer answer = write_sysctl(step.name, std::string(before.substr(0, end)));
  for (before.remove_prefix(end); answer.error == 0 && !before.empty();) {
    before.remove_prefix(1);
    const std::size_t size = std::min(before.find(' '), before.size());
    answer = write_sysctl(forwarding_of(before.substr(0, size)), step.value);
    if (answer.error == ENOENT) answer = {};  // the interface is gone
    before.remove_prefix(size);
  }
  return answer;
}

}  // namespace

// A value that is right already is never written: writing may do more than it says, and /proc/sys
// may be read-only.
Look look_at(Tools&, const SysctlStep& step) {
  Look look;
  look.answer = read_sysctl(step.name, look.before);
  look.needed = look.before != normal(step.value);
  if (look.needed && sets_others(step)) look.before += already_right(step);
  if (step.optional && !is_writable(step.name)) look.needed = false;
  return look;
}

Answer change(Tools&, const SysctlStep& step, const std::string&) {
  return write_sysctl(step.name, step.value);
}

Answer restore(Tools&, const SysctlStep& step, const std::string& before) {
  std::string now;
  const Answer answer = read_sysctl(step.name, now);
  if (answer.error != 0 || now != normal(step.value)) return answer;
  return sets_others(step) ? restore_all(step, before) : write_sysctl(step.name, before);
}

}  // namespace tunnel::host
