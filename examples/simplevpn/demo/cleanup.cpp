#include "cleanup.h"

#include <net/if.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cstdlib>
#include <filesystem>

#include "host.h"

namespace simplevpn::demo {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDirectories[] = {"/run/wireguard", "/run/simplevpn", "/run/netns",
                                        "/var/lib/simplevpn"};
constexpr std::array kOurInterfaces{"uplink", "to-client", "to-server", "lan", "wg0"};

// Directories themselves and their entries.
std::vector<std::string> list_files() {
  std::vector<std::string> found;
  for (const char* directory : kDirectories) {
    std::error_code error;
    if (fs::exists(directory, error)) found.emplace_back(directory);
    for (auto entry = fs::directory_iterator(directory, error); !error && entry != fs::end(entry);
         entry.increment(error)) {
      found.push_back(entry->path());
    }
  }
  return found;
}

std::vector<std::string> list_interfaces() {
  std::vector<std::string> found;
  for (const char* name : kOurInterfaces) {
    if (if_nametoindex(name) != 0) found.emplace_back(name);
  }
  return found;
}

void add_new(const std::vector<std::string>& before, const std::vector<std::string>& now,
             std::vector<std::string>& leftovers) {
  for (const std::string& each : now) {
    if (std::find(before.begin(), before.end(), each) == before.end()) leftovers.push_back(each);
  }
}

// The session is the sixth word of /proc/PID/stat; the second, in parentheses, may have blanks.
pid_t session_of(const fs::path& process) {
  const std::string stat = read_file(process / "stat");
  std::size_t at = stat.rfind(')');
  if (at == std::string::npos) return -1;
  for (int word = 2; word < 6 && at != std::string::npos; ++word) at = stat.find(' ', at + 1);
  return at == std::string::npos ? -1 : static_cast<pid_t>(std::atol(stat.c_str() + at));
}

bool holds_one_of(const fs::path& process, const std::vector<std::string>& spaces) {
  for (const char* kind : {"net", "mnt", "pid"}) {
    std::error_code error;
    const fs::path space = fs::read_symlink(process / "ns" / kind, error);
    if (!error && std::find(spaces.begin(), spaces.end(), space) != spaces.end()) return true;
  }
  return false;
}

bool is_number(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
}

// Everything the script starts stays in its session.
std::vector<std::string> processes_of(pid_t script, const std::vector<std::string>& spaces) {
  std::vector<std::string> found;
  std::error_code error;
  for (auto entry = fs::directory_iterator("/proc", error); !error && entry != fs::end(entry);
       entry.increment(error)) {
    const fs::path process = entry->path();
    if (!is_number(process.filename())) continue;
    if (session_of(process) != script && !holds_one_of(process, spaces)) continue;
    found.push_back("process " + process.filename().string());
  }
  return found;
}

}  // namespace

Inventory::Inventory() : files_(list_files()), interfaces_(list_interfaces()) {}

std::vector<std::string> Inventory::leftovers(pid_t script,
                                              const std::vector<std::string>& spaces) const {
  std::vector<std::string> found = processes_of(script, spaces);
  add_new(files_, list_files(), found);
  add_new(interfaces_, list_interfaces(), found);
  const std::string mounts = read_file("/proc/self/mountinfo");
  for (const std::string& space : spaces) {
    if (mounts.find(space) != std::string::npos) found.push_back("mount of " + space);
  }
  return found;
}

}  // namespace simplevpn::demo
