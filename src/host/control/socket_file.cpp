#include "host/control/socket_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <utility>

#include "host/system/system.h"

namespace tunnel::host {
namespace {

using base::Descriptor;
using base::Error;

constexpr int kQueue = 16;  // clients that wait to be accepted

bool put_path(const std::string& path, sockaddr_un& address) noexcept {
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) return false;
  std::copy_n(path.c_str(), path.size() + 1, address.sun_path);
  return true;
}

// Removes a socket that nobody listens on. The directory is locked: without that, two daemons that
// start at once could each remove the socket of the other.
std::int32_t clear_path(const std::string& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) return errno == ENOENT ? TUNNEL_OK : status_of(errno);
  if (!S_ISSOCK(info.st_mode)) return TUNNEL_ERR_IN_USE;
  if (connect_to(path, 1000)) return TUNNEL_ERR_IN_USE;
  if (errno == ENOENT) return TUNNEL_OK;
  if (errno != ECONNREFUSED) return TUNNEL_ERR_IN_USE;  // it lives, but its queue is full
  return ::unlink(path.c_str()) == 0 ? TUNNEL_OK : status_of(errno);
}

base::Result<Descriptor> listen_on(const std::string& path) {
  sockaddr_un address{};
  if (!put_path(path, address)) return Error{TUNNEL_ERR_ARGUMENT};
  Descriptor fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return Error{status_of(errno)};
  // Linux gives the file the mode of the socket; so nobody has to touch the process's umask.
  ::fchmod(fd.get(), 0600);
  const auto* name = reinterpret_cast<const sockaddr*>(&address);
  if (::bind(fd.get(), name, sizeof(address)) != 0) return Error{status_of(errno)};
  if (::listen(fd.get(), kQueue) != 0) return Error{status_of(errno)};
  return fd;
}

base::Result<Descriptor> watch_over(const std::string& directory) {
  Descriptor fd(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (!fd.valid()) return Error{status_of(errno)};
  constexpr std::uint32_t kEvents = IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF;
  if (::inotify_add_watch(fd.get(), directory.c_str(), kEvents) < 0) {
    return Error{status_of(errno)};
  }
  return fd;
}

// Fit for our loop; ARGUMENT when it does not listen.
std::int32_t take_listener(const Descriptor& listener) {
  int listens = 0;
  socklen_t size = sizeof(listens);
  if (::getsockopt(listener.get(), SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0 ||
      listens == 0) {
    return TUNNEL_ERR_ARGUMENT;
  }
  ::fcntl(listener.get(), F_SETFD, FD_CLOEXEC);
  ::fcntl(listener.get(), F_SETFL, O_NONBLOCK);
  return TUNNEL_OK;
}

}  // namespace

std::string socket_path(const std::string& directory, const std::string& name) {
  return directory + "/" + name + kSocketEnding;
}

base::Result<Descriptor> connect_to(const std::string& path, std::uint32_t timeout_ms) {
  sockaddr_un address{};
  if (!put_path(path, address)) {
    errno = ENAMETOOLONG;
    return Error{TUNNEL_ERR_ARGUMENT};
  }
  Descriptor fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return Error{status_of(errno)};
  timeval timeout{};
  timeout.tv_sec = timeout_ms / 1000;
  timeout.tv_usec = timeout_ms % 1000 * 1000;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
  const auto* name = reinterpret_cast<const sockaddr*>(&address);
  if (::connect(fd.get(), name, sizeof(address)) == 0) return fd;
  const int error = errno;  // closing the descriptor may change it
  fd = Descriptor();
  errno = error;
  return Error{error == EAGAIN ? TUNNEL_ERR_TIMEOUT : status_of(error)};
}

base::Result<SocketFile> SocketFile::create(const std::string& directory, const std::string& name) {
  const auto opened = open_directory(directory);
  if (!opened) return Error{opened.status()};
  if (::flock(opened->get(), LOCK_EX) != 0) return Error{status_of(errno)};
  SocketFile file;
  file.path_ = socket_path(directory, name);
  if (const auto status = clear_path(file.path_); status != TUNNEL_OK) return Error{status};
  auto watch = watch_over(directory);
  if (!watch) return Error{watch.status()};
  auto listener = listen_on(file.path_);
  if (!listener) return Error{listener.status()};
  if (const auto status = file.recognise(); status != TUNNEL_OK) return Error{status};
  file.watch_ = std::move(*watch);
  file.listener_ = std::move(*listener);
  return file;
}

std::int32_t remove_dead_socket(const std::string& directory, const std::string& name) {
  const std::unique_ptr<DIR, int (*)(DIR*)> opened(::opendir(directory.c_str()), ::closedir);
  if (opened == nullptr) return errno == ENOENT ? TUNNEL_OK : status_of(errno);
  if (::flock(::dirfd(opened.get()), LOCK_EX) != 0) return status_of(errno);
  return clear_path(socket_path(directory, name));
}

// Remembers which file is ours.
std::int32_t SocketFile::recognise() noexcept {
  struct stat info {};
  if (::lstat(path_.c_str(), &info) != 0) return status_of(errno);
  if (!S_ISSOCK(info.st_mode)) return TUNNEL_ERR_ARGUMENT;
  device_ = info.st_dev;
  inode_ = info.st_ino;
  return TUNNEL_OK;
}

base::Result<SocketFile> SocketFile::adopt(const std::string& directory, const std::string& name,
                                           Descriptor listener) {
  if (const auto status = take_listener(listener); status != TUNNEL_OK) return Error{status};
  SocketFile file;
  file.path_ = socket_path(directory, name);
  if (const auto status = file.recognise(); status != TUNNEL_OK) return Error{status};
  auto watch = watch_over(directory);
  if (!watch) return Error{watch.status()};
  file.watch_ = std::move(*watch);
  file.listener_ = std::move(listener);
  return file;
}

base::Result<SocketFile> SocketFile::without_file(Descriptor listener) {
  if (const auto status = take_listener(listener); status != TUNNEL_OK) return Error{status};
  SocketFile file;
  file.listener_ = std::move(listener);
  return file;
}

void SocketFile::drain_watch() const noexcept {
  alignas(inotify_event) std::array<char, 4096> events;
  while (::read(watch_.get(), events.data(), events.size()) > 0) continue;
}

bool SocketFile::is_there() const noexcept {
  struct stat info {};
  return ::lstat(path_.c_str(), &info) == 0 && info.st_dev == device_ && info.st_ino == inode_;
}

void SocketFile::remove() const noexcept {
  if (is_there()) ::unlink(path_.c_str());
}

}  // namespace tunnel::host
