#include "host/config/read.h"

#include <cerrno>

#include "host/config/parser.h"
#include "host/system/system.h"

namespace tunnel::host {
namespace {

void warn_about_access(const std::string& path, const FileAccess& access, Config& config) {
  if (access.open_to_others) {
    warn(config,
         {"other users may read this file, which holds a private key", "chmod 600 '" + path + "'"});
  }
  if (access.foreign) {
    const std::string owner = std::to_string(access.owner);
    warn(config, {"this file belongs to user " + owner + ", who can change it", ""});
  }
}

Words why_unreadable(std::int32_t status, int system_error) {
  if (status == TUNNEL_ERR_UNSUPPORTED) return {"this is not a regular file", ""};
  if (status == TUNNEL_ERR_LIMIT) return {"this file is larger than 64 MiB", ""};
  const char* hint = status == TUNNEL_ERR_PERMISSION ? "run it as root or as the file's owner" : "";
  return {"cannot read this file: " + text_of(system_error), hint};
}

struct Findings {
  Config& config;
  tunnel_config_issue& issue;
};

std::int32_t read_text(std::string_view text, const std::string& path, const FileAccess& access,
                       const Findings& found) {
  const std::int32_t status = parse_config(text, found.config, found.issue);
  if (status == TUNNEL_OK && !found.config.interface.private_key.is_zero()) {
    warn_about_access(path, access, found.config);
  }
  return status;
}

}  // namespace

std::int32_t read_config(const std::string& path, Config& config, tunnel_config_issue& issue) {
  FileAccess access{};
  errno = 0;
  const auto content = read_file(path, kLongestFile, &access);
  if (!content) {
    issue = unreadable(content.status(), errno);
    return content.status();
  }
  config.file = real_path(path);
  return read_text(content->text(), path, access, {config, issue});
}

std::int32_t read_config(const LockedFile& file, const std::string& path, Config& config,
                         tunnel_config_issue& issue) {
  return read_text(file.text(), path, file.access(), {config, issue});
}

tunnel_config_issue unreadable(std::int32_t status, int system_error) {
  return issue_of_file(why_unreadable(status, system_error), status);
}

std::string tunnel_name_of(std::string_view path) {
  constexpr std::string_view kEnding = ".conf";
  std::string_view name = path.substr(path.find_last_of('/') + 1);
  if (name.ends_with(kEnding)) name.remove_suffix(kEnding.size());
  return is_tunnel_name(name) ? std::string(name) : std::string();
}

}  // namespace tunnel::host
