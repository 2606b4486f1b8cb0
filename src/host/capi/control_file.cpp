// control_file.cpp — the functions of tunnel/host/control.h for the socket's file by itself.
#include <tunnel/host/control.h>

#include <string>
#include <utility>

#include "host/control/control.h"
#include "host/system/system.h"

namespace host = tunnel::host;

struct tunnel_control_file {
  host::SocketFile file;
  ~tunnel_control_file() { file.remove(); }
};

int32_t tunnel_control_file_create(const char* directory, const char* name,
                                   tunnel_control_file** file) {
  if (name == nullptr || file == nullptr) return TUNNEL_ERR_ARGUMENT;
  *file = nullptr;
  return host::guarded([&]() -> std::int32_t {
    if (!host::is_tunnel_name(name)) return TUNNEL_ERR_ARGUMENT;
    auto made =
        host::SocketFile::create(directory == nullptr ? host::kSocketDirectory : directory, name);
    if (!made) return made.status();
    *file = new tunnel_control_file{std::move(*made)};
    return TUNNEL_OK;
  });
}

int64_t tunnel_control_file_listener(const tunnel_control_file* file) {
  return file == nullptr ? -1 : file->file.listener();
}

int64_t tunnel_control_file_handle(const tunnel_control_file* file) {
  return file == nullptr ? -1 : file->file.watch();
}

int32_t tunnel_control_file_check(tunnel_control_file* file) {
  if (file == nullptr) return TUNNEL_ERR_ARGUMENT;
  file->file.drain_watch();
  return file->file.is_there() ? TUNNEL_OK : TUNNEL_ERR_NOT_FOUND;
}

void tunnel_control_file_destroy(tunnel_control_file* file) {
  delete file;
}
