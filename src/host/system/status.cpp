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

std::string text_of(int system_error) {
  char buffer[128] = {};
  return ::strerror_r(system_error, buffer, sizeof(buffer));  // the GNU one: returns the text
}

}  // namespace tunnel::host
