#include "output.h"

#include <unistd.h>

#include <cstdio>

#include "json_text.h"
#include "privilege.h"

namespace simplevpn {
namespace {

std::string json_text(const Failure& failure) {
  nlohmann::ordered_json error{{"code", failure.code}, {"message", failure.message}};
  error["hint"] = text_or_null(failure.hint);
  if (!failure.file.empty()) error["file"] = failure.file;
  if (failure.line != 0) {
    error["line"] = failure.line;
    error["col"] = failure.column;
  }
  // File names need not be UTF-8.
  return nlohmann::ordered_json{{"error", error}}.dump(
      -1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

// For root the privilege is missing from the container or the unit, not from the command line.
constexpr const char* kNoCapability =
    "give the container or unit CAP_NET_ADMIN and /dev/net/tun, for example: "
    "--cap-add=NET_ADMIN --device=/dev/net/tun";
constexpr const char* kNotForRoot =
    "not even root may: a read-only file system, a container or unit, or a setting of the kernel "
    "(disable_ipv6) forbids it";

const char* code_of(std::int32_t status) {
  switch (status) {
    case TUNNEL_ERR_CONFIG:
      return "E_CONF_SYNTAX";
    case TUNNEL_ERR_IN_USE:
      return "E_IN_USE";
    case TUNNEL_ERR_NOT_FOUND:
      return "E_NOT_FOUND";
    case TUNNEL_ERR_PERMISSION:
      return "E_PERMISSION";
    case TUNNEL_ERR_RESOURCES:
      return "E_RESOURCES";
    case TUNNEL_ERR_TIMEOUT:
      return "E_TIMEOUT";
    case TUNNEL_ERR_UNAVAILABLE:
      return "E_UNAVAILABLE";
    case TUNNEL_ERR_UNSUPPORTED:
      return "E_UNSUPPORTED";
    default:
      return "E_SYSTEM";
  }
}

}  // namespace

int fail(const Output& output, const Failure& failure) {
  std::string text;
  if (output.json) {
    text = json_text(failure);
  } else if (!failure.excerpt.empty()) {
    text = failure.excerpt;
  } else {
    text = "simplevpn: " + failure.message;
    if (!failure.hint.empty()) text += "\nhint: " + failure.hint;
  }
  std::fprintf(stderr, "%s\n", text.c_str());
  return failure.exit;
}

Failure usage_failure(const std::string& message, const std::string& hint) {
  return {.exit = kUsage, .code = "E_USAGE", .message = message, .hint = hint};
}

Failure status_failure(const Output& output, std::int32_t status, const std::string& doing,
                       int exit) {
  Failure failure{.exit = exit, .code = code_of(status)};
  failure.message = "cannot " + doing + ": " + tunnel_status_text(status);
  failure.hint = tunnel_status_hint(status);
  if (status != TUNNEL_ERR_PERMISSION) return failure;
  const bool is_root = geteuid() == 0;
  if (is_root && has_net_admin()) {
    failure.hint = kNotForRoot;
    return failure;
  }
  failure.exit = kPermission;
  failure.hint = is_root ? kNoCapability : "run it as root: sudo " + output.command;
  return failure;
}

Failure file_failure(const Output& output, std::int32_t status, const std::string& doing,
                     int exit) {
  Failure failure = status_failure(output, status, doing, exit);
  if (status != TUNNEL_ERR_PERMISSION || geteuid() != 0) return failure;
  failure.exit = exit;
  failure.hint = kNotForRoot;
  return failure;
}

Failure config_failure(const Output& output, std::int32_t status, const std::string& file,
                       const tunnel_config_issue& issue) {
  if (status != TUNNEL_ERR_CONFIG && issue.line == 0) {
    Failure failure = file_failure(output, status, "read " + file, kUsage);
    failure.file = file;
    // A folder, a file that is too large: what the system says of that is about something else.
    const bool told = status == TUNNEL_ERR_UNSUPPORTED || status == TUNNEL_ERR_LIMIT;
    if (told && issue.message[0] != '\0') {
      failure.message = "cannot read " + file + ": " + issue.message;
      failure.hint = issue.hint;
    }
    return failure;
  }
  Failure failure{.exit = kUsage, .code = code_of(status)};
  failure.message = issue.message;
  failure.hint = issue.hint;
  failure.file = file;
  failure.line = issue.line;
  failure.column = issue.column;
  char text[1024];
  tunnel_config_issue_text(&issue, file.c_str(), text, sizeof text);
  failure.excerpt = text;
  while (failure.excerpt.ends_with('\n')) failure.excerpt.pop_back();
  return failure;
}

void advise(const Output& output, const std::string& text) {
  if (!output.quiet && !text.empty()) std::fprintf(stderr, "%s\n", text.c_str());
}

}  // namespace simplevpn
