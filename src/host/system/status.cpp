#include "host/system/status.h"

#include <tunnel/status.h>

#include <cerrno>
#include <cstring>

#include "base/base.h"

namespace tunnel::host {

std::int32_t status_of(int system_error) noexcept {
  switch (system_error) {
    case EROFS:
      return TUNNEL_ERR_PERMISSION;
    case ENOENT:
    case ENODEV:
    case ENXIO:
    case ECONNREFUSED:
      return TUNNEL_ERR_NOT_FOUND;
    case EEXIST:
      return TUNNEL_ERR_EXISTS;
    case ENOSPC:
      return TUNNEL_ERR_RESOURCES;
    case ETIMEDOUT:
      return TUNNEL_ERR_TIMEOUT;
    case EPIPE:
    case ECONNRESET:
      return TUNNEL_ERR_CLOSED;
    case EOPNOTSUPP:
      return TUNNEL_ERR_UNSUPPORTED;
    default:
      return base::status_of(system_error);
  }
}

int errno_of(std::int32_t status) noexcept {
  switch (status) {
    case TUNNEL_OK:
      return 0;
    case TUNNEL_ERR_ARGUMENT:
    case TUNNEL_ERR_KEY:
      return EINVAL;
    case TUNNEL_ERR_MEMORY:
      return ENOMEM;
    case TUNNEL_ERR_LIMIT:
      return ENOSPC;
    case TUNNEL_ERR_NOT_FOUND:
      return ENOENT;
    case TUNNEL_ERR_UNSUPPORTED:
      return EOPNOTSUPP;
    case TUNNEL_ERR_PERMISSION:
      return EPERM;
    case TUNNEL_ERR_IN_USE:
      return EADDRINUSE;
    case TUNNEL_ERR_STATE:
    case TUNNEL_ERR_CLOSED:
      return ENODEV;
    default:
      return EIO;
  }
}

std::string text_of(int system_error) {
  char buffer[128] = {};
  return ::strerror_r(system_error, buffer, sizeof(buffer));  // the GNU one: returns the text
}

}  // namespace tunnel::host
