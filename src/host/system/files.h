// files.h — small files, and names of tunnels as parts of paths.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/base.h"

namespace tunnel::host {

// True for 1-15 of the characters [a-zA-Z0-9_=+.-], except "." and "..": such a name is safe as an
// interface and as a part of a path.
bool is_tunnel_name(std::string_view name) noexcept;

struct FileOwner {
  uid_t user;
  mode_t mode;  // permission bits
};

// Reads a regular file of at most `limit` bytes; fifos, devices and directories are UNSUPPORTED
// and are never waited for. `owner` may be null. errno says more on failure.
base::Result<base::WipedBuffer> read_file(const std::string& path, std::size_t limit,
                                          FileOwner* owner);

// Replaces a file (0600) so that a reader, or the next start after a power cut, finds the old
// content or the new one. `directory` is open.
std::int32_t replace_file(const base::Descriptor& directory, const std::string& name,
                          std::string_view content);

// Opens a directory and makes it (0700) when it is missing; its parent must exist.
base::Result<base::Descriptor> open_directory(const std::string& path);

}  // namespace tunnel::host
