#include "ssh_session.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <string>

namespace simplevpn {
namespace {

// Name and parent of a process as /proc/PID/stat has them: "12 (sshd) S 1 ...".
struct Ancestor {
  std::string name;
  pid_t parent = 0;  // 0 = none that we may see
};

Ancestor look_at(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  std::getline(file, line);
  const std::size_t open = line.find('(');
  const std::size_t close = line.rfind(") ");  // a name may have brackets and blanks itself
  if (open == std::string::npos || close == std::string::npos || close < open) return {};
  const char* parent = line.c_str() + std::min(close + 4, line.size());
  return {.name = line.substr(open + 1, close - open - 1),
          .parent = static_cast<pid_t>(std::strtol(parent, nullptr, 10))};
}

// OpenSSH's children are called sshd, too, or sshd-session.
bool is_ssh_server(const std::string& name) {
  return name.starts_with("sshd") || name == "dropbear";
}

}  // namespace

bool is_ssh_session() {
  if (std::getenv("SSH_CONNECTION") != nullptr) return true;
  for (pid_t pid = getppid(); pid > 1;) {
    const Ancestor ancestor = look_at(pid);
    if (is_ssh_server(ancestor.name)) return true;
    pid = ancestor.parent;
  }
  return false;
}

}  // namespace simplevpn
