// locked_file.h — a file that is read, changed and replaced while nobody else does the same.
//
// The lock (flock) is on the file itself and moves along to what replaces it; who waited for it
// notices the exchange and looks again. Programs that do not lock are noticed by inode, size and
// time of change.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/base.h"
#include "host/system/files.h"

namespace tunnel::host {

// What tells one content of a file from the next.
struct FileStamp {
  std::uint64_t device = 0, inode = 0;
  std::int64_t size = 0, seconds = 0, nanoseconds = 0;
  bool operator==(const FileStamp&) const = default;
};

class LockedFile {
 public:
  // Waits for the lock and reads the file behind `path`. Errors as read_file.
  static base::Result<LockedFile> open(const std::string& path, std::size_t limit);

  std::string_view text() const noexcept { return content_.text(); }  // as it was read
  const FileAccess& access() const noexcept { return access_; }

  // Replaces the file; owner and mode stay. On failure it is as it was. IN_USE = another program
  // changed it since it was opened or last replaced.
  std::int32_t replace(std::string_view content);

 private:
  std::int32_t find(const std::string& path);
  std::int32_t lock();
  std::int32_t write(const base::Descriptor& fresh, std::string_view content) const;
  std::string fresh_name() const { return name_ + ".tmp"; }

  base::Descriptor directory_;
  std::string name_;  // in `directory_`, no symlink
  base::Descriptor file_;
  FileStamp stamp_;
  std::uint32_t owner_ = 0, group_ = 0, mode_ = 0;
  FileAccess access_{};
  base::WipedBuffer content_;
};

}  // namespace tunnel::host
