#include "host/system/locked_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "host/system/status.h"

namespace tunnel::host {
namespace {

using base::Error;

FileStamp stamp_of(const struct stat& info) noexcept {
  return {info.st_dev, info.st_ino, info.st_size, info.st_mtim.tv_sec, info.st_mtim.tv_nsec};
}

std::int32_t lock_file(const base::Descriptor& file) {
  while (::flock(file.get(), LOCK_EX) != 0) {
    if (errno != EINTR) return status_of(errno);
  }
  return TUNNEL_OK;
}

}  // namespace

std::int32_t LockedFile::find(const std::string& path) {
  const std::string whole = real_path(path);
  if (whole.empty()) return status_of(errno);
  const std::size_t slash = whole.rfind('/');
  name_ = whole.substr(slash + 1);
  const std::string folder = whole.substr(0, slash + 1);
  directory_ = base::Descriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return directory_.valid() ? TUNNEL_OK : status_of(errno);
}

// The file may be replaced while we wait; then the lock is on something nobody sees any more.
std::int32_t LockedFile::lock() {
  for (;;) {
    // O_NONBLOCK: opening a fifo must not wait for its other end.
    const int flags = O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW;
    file_ = base::Descriptor(::openat(directory_.get(), name_.c_str(), flags));
    struct stat ours {
    }, seen{};
    if (!file_.valid() || ::fstat(file_.get(), &ours) != 0) return status_of(errno);
    if (!S_ISREG(ours.st_mode)) return TUNNEL_ERR_UNSUPPORTED;
    if (const std::int32_t status = lock_file(file_); status != TUNNEL_OK) return status;
    if (::fstatat(directory_.get(), name_.c_str(), &seen, AT_SYMLINK_NOFOLLOW) != 0) {
      return status_of(errno);
    }
    if (seen.st_dev != ours.st_dev || seen.st_ino != ours.st_ino) continue;
    stamp_ = stamp_of(seen);
    owner_ = seen.st_uid;
    group_ = seen.st_gid;
    mode_ = seen.st_mode & 07777;
    return TUNNEL_OK;
  }
}

base::Result<LockedFile> LockedFile::open(const std::string& path, std::size_t limit) {
  LockedFile file;
  std::int32_t status = file.find(path);
  if (status == TUNNEL_OK) status = file.lock();
  if (status != TUNNEL_OK) return Error{status};
  auto content = read_descriptor(file.file_, limit, &file.access_);
  if (!content) return Error{content.status()};
  file.content_ = std::move(*content);
  return file;
}

// Complete and on the disk before it gets the file's name.
std::int32_t LockedFile::write(const base::Descriptor& fresh, std::string_view content) const {
  struct stat info {};
  if (::fstat(fresh.get(), &info) != 0) return status_of(errno);
  if ((info.st_uid != owner_ || info.st_gid != group_) &&
      ::fchown(fresh.get(), owner_, group_) != 0) {
    return status_of(errno);
  }
  if (::fchmod(fresh.get(), mode_) != 0) return status_of(errno);
  const std::int32_t status = write_all(fresh, content);
  return status == TUNNEL_OK ? lock_file(fresh) : status;
}

std::int32_t LockedFile::replace(std::string_view content) {
  struct stat now {};
  if (::fstatat(directory_.get(), name_.c_str(), &now, AT_SYMLINK_NOFOLLOW) != 0) {
    return errno == ENOENT ? TUNNEL_ERR_IN_USE : status_of(errno);
  }
  if (!(stamp_of(now) == stamp_)) return TUNNEL_ERR_IN_USE;
  const std::string name = fresh_name();
  ::unlinkat(directory_.get(), name.c_str(), 0);  // of a writer that died; we have the lock
  const int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  base::Descriptor fresh(::openat(directory_.get(), name.c_str(), flags, 0600));
  if (!fresh.valid()) return status_of(errno);
  std::int32_t status = write(fresh, content);
  if (status == TUNNEL_OK && ::fstat(fresh.get(), &now) != 0) status = status_of(errno);
  if (status == TUNNEL_OK &&
      ::renameat(directory_.get(), name.c_str(), directory_.get(), name_.c_str()) != 0) {
    status = status_of(errno);
  }
  if (status != TUNNEL_OK) {
    ::unlinkat(directory_.get(), name.c_str(), 0);
    return status;
  }
  stamp_ = stamp_of(now);
  file_ = std::move(fresh);
  return ::fsync(directory_.get()) == 0 ? TUNNEL_OK : status_of(errno);
}

}  // namespace tunnel::host
