// files.h — small files, and names of tunnels as parts of paths.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/base.h"

namespace tunnel::host {

// True for 1-15 of the characters [a-zA-Z0-9_=+.-], except "." and "..": such a name is safe as an
// interface and as a part of a path.
bool is_tunnel_name(std::string_view name) noexcept;

// Who else can get at a file.
struct FileAccess {
  std::uint32_t owner;
  bool open_to_others;  // group or others may read or write it
  bool foreign;         // the owner is neither root nor who runs us
};

// Reads a regular file of at most `limit` bytes; fifos, devices and directories are UNSUPPORTED
// and are never waited for. `access` may be null. errno says more on failure.
base::Result<base::WipedBuffer> read_file(const std::string& path, std::size_t limit,
                                          FileAccess* access);

// The same for a file that is open.
base::Result<base::WipedBuffer> read_descriptor(const base::Descriptor& file, std::size_t limit,
                                                FileAccess* access);

// Absolute and without links; "" = there is no such file. errno says more.
std::string real_path(const std::string& path);

// Writes everything, and waits until it is on the disk. errno says more on failure.
std::int32_t write_all(const base::Descriptor& file, std::string_view content);

// The file that takes the name's place once it is whole; of somebody who was killed it is left.
std::string unfinished_name(const std::string& name);

// Replaces a file (0600) so that a reader, or the next start after a power cut, finds the old
// content or the new one. `directory` is open.
std::int32_t replace_file(const base::Descriptor& directory, const std::string& name,
                          std::string_view content);

// Opens a directory and makes it (0700) when it is missing; its parent must exist.
base::Result<base::Descriptor> open_directory(const std::string& path);

// Takes a file away, and what replace_file left when it was killed. None = fine.
std::int32_t remove_file(const std::string& directory, const std::string& name);

// Names of tunnels that have a file NAME + suffix, sorted.
std::vector<std::string> tunnels_with_file(const std::string& directory, std::string_view suffix);

}  // namespace tunnel::host
