#include "target.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "handles.h"

namespace simplevpn {
namespace {

bool is_file(const std::string& argument) {
  return argument.find('/') != std::string::npos || argument.ends_with(".conf");
}

// Whoever started us by sudo may have files of their own.
bool is_ours(uid_t owner) {
  const char* caller = std::getenv("SUDO_UID");
  return owner == 0 || owner == geteuid() || (caller != nullptr && std::to_string(owner) == caller);
}

// Nobody else can have put it there, nor put another in its place.
bool is_safe(const std::filesystem::path& path) {
  struct stat info {};
  if (lstat(path.c_str(), &info) != 0 || S_ISLNK(info.st_mode) || !is_ours(info.st_uid)) {
    return false;
  }
  const bool sticky = S_ISDIR(info.st_mode) && (info.st_mode & S_ISVTX) != 0;
  if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0 && !sticky) return false;
  return path == path.root_path() || is_safe(path.parent_path());
}

// Where a daemon was started from is said by its packet process, which may be in the hands of an
// attacker: of that file root runs hooks, and writes into it.
bool is_believable(const std::filesystem::path& file, const std::string& name) {
  return file.lexically_normal() == file && file.filename() == name + ".conf" && is_safe(file);
}

}  // namespace

std::optional<Failure> find_target(const std::string& argument, Target& target) {
  const bool bare = !is_file(argument);
  target.path = bare ? "/etc/wireguard/" + argument + ".conf" : argument;
  char name[16];
  if (tunnel_config_tunnel_name(target.path.c_str(), name) != TUNNEL_OK) {
    return usage_failure(argument + " cannot give an interface its name",
                         "NAME.conf with up to 15 of the characters a-z A-Z 0-9 _ = + . -");
  }
  target.name = name;
  if (bare && access(target.path.c_str(), F_OK) != 0 && errno == ENOENT) {
    return Failure{.exit = kNoSuch,
                   .code = "E_NO_SUCH_TUNNEL",
                   .message = "there is no " + target.path,
                   .hint = "simplevpn init server|client writes a configuration"};
  }
  return {};
}

std::optional<Failure> find_running(const std::string& argument, Target& target) {
  tunnel_snapshot* read = nullptr;
  if (!is_file(argument)) {
    (void)tunnel_snapshot_read(nullptr, argument.c_str(), TUNNEL_CONTROL_TIMEOUT_MS, &read);
  }
  const SnapshotHandle snapshot(read);
  tunnel_snapshot_interface interface = TUNNEL_SNAPSHOT_INTERFACE_INIT;
  const bool known = tunnel_snapshot_get_interface(snapshot.get(), &interface) == TUNNEL_OK &&
                     interface.file[0] == '/';
  if (!known) return find_target(argument, target);
  if (!is_believable(interface.file, argument)) {
    return Failure{.exit = kPermission,
                   .code = "E_FOREIGN_FILE",
                   .message = "others could have changed " + std::string(interface.file),
                   .hint = "if it is the file of " + argument + ", name it instead"};
  }
  target.path = interface.file;
  target.name = argument;
  return {};
}

Failure not_running(const std::string& name) {
  return {.exit = kNotRunning,
          .code = "E_NOT_RUNNING",
          .message = name + " is not running",
          .hint = "simplevpn status shows what is"};
}

std::string tunnel_name(const std::string& argument) {
  char name[16];
  if (!is_file(argument) || tunnel_config_tunnel_name(argument.c_str(), name) != TUNNEL_OK) {
    return argument;
  }
  return name;
}

}  // namespace simplevpn
