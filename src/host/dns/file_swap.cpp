#include "host/dns/file_swap.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "host/system/system.h"

namespace tunnel::host::dns {
namespace {

using Kind = SavedFile::Kind;

// An errno, 0 = it is on the disk.
int fill(const base::Descriptor& fd, std::string_view text) {
  return write_all(fd, text) == TUNNEL_OK ? 0 : errno;
}

int make_file(const std::string& path, const SavedFile& file) {
  const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  const base::Descriptor fd(::open(path.c_str(), flags, 0600));
  if (!fd.valid()) return errno;
  if (const int error = fill(fd, file.content); error != 0) return error;
  if (::fchown(fd.get(), file.owner, file.group) != 0) return errno;
  return ::fchmod(fd.get(), static_cast<mode_t>(file.mode)) == 0 ? 0 : errno;
}

int make(const std::string& path, const SavedFile& file) {
  if (file.kind != Kind::link) return make_file(path, file);
  return ::symlink(file.target.c_str(), path.c_str()) == 0 ? 0 : errno;
}

// The directory's entry lasts, too. Not worth failing for: the file stands in its place.
void sync_directory_of(const std::string& path) {
  const std::string directory = path.substr(0, path.rfind('/'));
  const base::Descriptor fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.valid()) ::fsync(fd.get());
}

std::string fresh_name(const std::string& path) {
  return path + ".simplevpn";
}

// Tunnels that start or end together take turns: they share the name of the new file. Nobody but
// root can open what they wait for. Where it cannot be made, nothing can be renamed either.
class Turn {
 public:
  explicit Turn(const std::string& path) : name_(path + ".simplevpn-lock") {
    do {
      file_ =
          base::Descriptor(::open(name_.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
    } while (file_.valid() && lock() && !is_still_there());
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn() {
    if (file_.valid()) ::unlink(name_.c_str());
  }

 private:
  // False on a file system without locks: then everybody goes at once.
  bool lock() const {
    while (::flock(file_.get(), LOCK_EX) != 0) {
      if (errno != EINTR) return false;
    }
    return true;
  }
  // Whoever had it before us removed it.
  bool is_still_there() const {
    struct stat ours {};
    struct stat now {};
    return ::fstat(file_.get(), &ours) == 0 && ::lstat(name_.c_str(), &now) == 0 &&
           ours.st_ino == now.st_ino && ours.st_dev == now.st_dev;
  }

  std::string name_;
  base::Descriptor file_;
};

int replace(const std::string& path, const SavedFile& file) {
  const std::string fresh = fresh_name(path);
  ::unlink(fresh.c_str());  // of somebody who was killed here
  int error = make(fresh, file);
  if (error == 0 && ::rename(fresh.c_str(), path.c_str()) != 0) error = errno;
  if (error != 0) ::unlink(fresh.c_str());
  sync_directory_of(path);
  return error;
}

int overwrite(const std::string& path, std::string_view text) {
  const base::Descriptor fd(::open(path.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC));
  return fd.valid() ? fill(fd, text) : errno;
}

bool cannot_rename(int error) noexcept {
  return error == EBUSY || error == EROFS || error == EACCES || error == EPERM;
}

Answer outcome(const std::string& path, int error) {
  if (error == 0) return {};
  std::string words = "cannot write " + path + ": " + text_of(error);
  if (error == EPERM) words += " (made immutable by chattr +i?)";
  return {error, words};
}

// Also a part of it counts: a write in place may have been cut short.
bool is_ours(const SavedFile& now, std::string_view ours, const SavedFile& before) {
  if (now.kind == Kind::missing) return false;
  const bool same_link = before.kind == Kind::link && now.target == before.target;
  if (now.kind == Kind::link && !same_link) return false;
  return ours.starts_with(now.content) || before.content.starts_with(now.content);
}

int restore(const std::string& path, const SavedFile& now, const SavedFile& before) {
  if (before.kind == Kind::missing) return ::unlink(path.c_str()) == 0 ? 0 : errno;
  if (now.kind == Kind::link) return overwrite(path, before.content);
  const int error = replace(path, before);
  return cannot_rename(error) ? overwrite(path, before.content) : error;
}

Answer bring_back(const std::string& path, std::string_view ours, const SavedFile& before) {
  ::unlink(fresh_name(path).c_str());
  const auto now = save_file(path);
  if (!now) return {EIO, "cannot read " + path};
  if (*now == before) return {};
  if (!is_ours(*now, ours, before)) {
    return {0, path + " was changed by somebody else, and is left as it is"};
  }
  return outcome(path, restore(path, *now, before));
}

}  // namespace

void remove_unfinished(const std::string& path) {
  const Turn turn(path);
  ::unlink(fresh_name(path).c_str());
}

Answer put_text(const std::string& path, const SavedFile& before, std::string_view text) {
  const Turn turn(path);
  SavedFile file;
  if (before.kind == Kind::file) file = before;
  file.kind = Kind::file;
  file.content = text;
  int error = replace(path, file);
  if (cannot_rename(error) && before.kind != Kind::missing) {
    error = overwrite(path, text);
    // Half a file is worse than the old one.
    if (error != 0) (void)bring_back(path, text, before);
  }
  return outcome(path, error);
}

Answer put_back(const std::string& path, std::string_view ours, const SavedFile& before) {
  const Turn turn(path);
  return bring_back(path, ours, before);
}

}  // namespace tunnel::host::dns
