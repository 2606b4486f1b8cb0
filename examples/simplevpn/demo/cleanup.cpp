#include "cleanup.h"

#include <net/if.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <iterator>
#include <sstream>

#include "host.h"

namespace simplevpn::demo {
namespace {

namespace fs = std::filesystem;

// What the daemons would leave if the hosts did not have files and interfaces of their own.
constexpr std::array kOurFiles{"/run/simplevpn", "/run/wireguard", "/run/wireguard/wg0.sock",
                               "/var/lib/simplevpn", "/var/lib/simplevpn/wg0.endpoints"};
constexpr std::array kOurInterfaces{"uplink", "to-client", "to-server", "lan", "wg0"};

std::vector<std::string> list_files() {
  std::vector<std::string> found;
  for (const char* path : kOurFiles) {
    if (access(path, F_OK) == 0) found.emplace_back(path);
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

bool contains(const std::vector<std::string>& list, const std::string& text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

void add_new(const std::vector<std::string>& before, const std::vector<std::string>& now,
             std::vector<std::string>& leftovers) {
  for (const std::string& each : now) {
    if (!contains(before, each)) leftovers.push_back(each);
  }
}

// The words of /proc/PID/stat after the program's name, which is in parentheses and may have
// blanks: state, parent, group, session, …
std::vector<std::string> stat_of(const fs::path& process) {
  const std::string text = read_file(process / "stat");
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return {};
  std::istringstream words(text.substr(name_end + 1));
  return {std::istream_iterator<std::string>(words), {}};
}
constexpr std::size_t kSession = 3;
constexpr std::size_t kStartTime = 19;

bool holds_one_of(const fs::path& process, const std::vector<std::string>& spaces) {
  for (const char* kind : {"net", "mnt", "pid"}) {
    std::error_code error;
    const fs::path space = fs::read_symlink(process / "ns" / kind, error);
    if (!error && contains(spaces, space)) return true;
  }
  return false;
}

bool is_number(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
}

// A process that has the number of an earlier one has another start time.
std::string identity(const fs::path& process, const std::vector<std::string>& stat) {
  return "process " + process.filename().string() + " started at " + stat[kStartTime];
}

// Every process for which `wanted(path, stat)` is true.
template <class Wanted>
std::vector<std::string> list_processes(Wanted wanted) {
  std::vector<std::string> found;
  std::error_code error;
  for (auto entry = fs::directory_iterator("/proc", error); !error && entry != fs::end(entry);
       entry.increment(error)) {
    const fs::path process = entry->path();
    if (!is_number(process.filename())) continue;
    const auto stat = stat_of(process);
    if (stat.size() > kStartTime && wanted(process, stat)) found.push_back(identity(process, stat));
  }
  return found;
}

// Namespaces that a file holds.
std::vector<std::string> list_mounts() {
  std::vector<std::string> found;
  std::istringstream lines(read_file("/proc/self/mountinfo"));
  for (std::string line; std::getline(lines, line);) {
    if (line.find(" nsfs ") != std::string::npos) found.push_back("mount " + line);
  }
  return found;
}

}  // namespace

Inventory::Inventory() : files_(list_files()), interfaces_(list_interfaces()) {}

void Inventory::watch(pid_t script, const std::vector<std::string>& spaces) {
  const std::string session = std::to_string(script);
  watched_ = list_processes([&](const fs::path& process, const std::vector<std::string>& stat) {
    return stat[kSession] == session || holds_one_of(process, spaces);
  });
  for (const std::string& mount : list_mounts()) {
    for (const std::string& space : spaces) {
      if (mount.find(space) != std::string::npos) watched_.push_back(mount);
    }
  }
}

std::vector<std::string> Inventory::leftovers() const {
  std::vector<std::string> found = list_mounts();
  std::erase_if(found, [this](const std::string& mount) { return !contains(watched_, mount); });
  const auto still = list_processes([this](const fs::path& process, const auto& stat) {
    return contains(watched_, identity(process, stat));
  });
  found.insert(found.end(), still.begin(), still.end());
  add_new(files_, list_files(), found);
  add_new(interfaces_, list_interfaces(), found);
  return found;
}

}  // namespace simplevpn::demo
