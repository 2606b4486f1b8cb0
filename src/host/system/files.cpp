#include "host/system/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <memory>

#include "host/system/status.h"

namespace tunnel::host {
namespace {

using base::Error;

bool is_name_character(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("_=+.-").find(c) != std::string_view::npos;
}

FileAccess access_of(const struct stat& info) noexcept {
  const bool open = (info.st_mode & (S_IRWXG | S_IRWXO)) != 0;
  return {info.st_uid, open, info.st_uid != 0 && info.st_uid != ::geteuid()};
}

std::int32_t read_all(int fd, std::size_t limit, base::WipedBuffer& content) {
  constexpr std::size_t kStep = 65536;
  for (;;) {
    const std::size_t before = content.size();
    if (before > limit) return TUNNEL_ERR_LIMIT;
    char* room = content.extend(kStep);
    const ssize_t count = ::read(fd, room, kStep);
    content.truncate(before + static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    if (count == 0) return TUNNEL_OK;
    if (count < 0 && errno != EINTR) return status_of(errno);
  }
}

}  // namespace

std::string unfinished_name(const std::string& name) {
  return name + ".new";
}

std::string real_path(const std::string& path) {
  struct Free {
    void operator()(char* text) const noexcept { std::free(text); }
  };
  const std::unique_ptr<char, Free> real(::realpath(path.c_str(), nullptr));
  return real == nullptr ? "" : real.get();
}

std::int32_t write_all(const base::Descriptor& file, std::string_view content) {
  while (!content.empty()) {
    const ssize_t count = ::write(file.get(), content.data(), content.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return status_of(errno);
    content.remove_prefix(static_cast<std::size_t>(count));
  }
  return ::fsync(file.get()) == 0 ? TUNNEL_OK : status_of(errno);
}

bool is_tunnel_name(std::string_view name) noexcept {
  return !name.empty() && name.size() <= 15 && name != "." && name != ".." &&
         std::all_of(name.begin(), name.end(), is_name_character);
}

base::Result<base::WipedBuffer> read_file(const std::string& path, std::size_t limit,
                                          FileAccess* access) {
  // O_NONBLOCK: opening a fifo must not wait for its other end.
  const base::Descriptor fd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
  if (!fd.valid()) return Error{status_of(errno)};
  return read_descriptor(fd, limit, access);
}

base::Result<base::WipedBuffer> read_descriptor(const base::Descriptor& fd, std::size_t limit,
                                                FileAccess* access) {
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return Error{status_of(errno)};
  if (!S_ISREG(info.st_mode)) return Error{TUNNEL_ERR_UNSUPPORTED};
  if (static_cast<std::uintmax_t>(info.st_size) > limit) return Error{TUNNEL_ERR_LIMIT};
  if (access != nullptr) *access = access_of(info);
  base::WipedBuffer content;
  content.reserve(static_cast<std::size_t>(info.st_size) + 65536);
  const std::int32_t status = read_all(fd.get(), limit, content);
  if (status != TUNNEL_OK) return Error{status};
  return content;
}

std::int32_t replace_file(const base::Descriptor& directory, const std::string& name,
                          std::string_view content) {
  const std::string fresh = unfinished_name(name);
  const int flags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC;
  const base::Descriptor fd(::openat(directory.get(), fresh.c_str(), flags, 0600));
  if (!fd.valid()) return status_of(errno);
  std::int32_t status = write_all(fd, content);
  if (status == TUNNEL_OK &&
      ::renameat(directory.get(), fresh.c_str(), directory.get(), name.c_str()) != 0) {
    status = status_of(errno);
  }
  if (status != TUNNEL_OK) {
    ::unlinkat(directory.get(), fresh.c_str(), 0);
    return status;
  }
  return ::fsync(directory.get()) == 0 ? TUNNEL_OK : status_of(errno);
}

base::Result<base::Descriptor> open_directory(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return Error{status_of(errno)};
  base::Descriptor fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd.valid()) return Error{status_of(errno)};
  return fd;
}

std::int32_t remove_file(const std::string& directory, const std::string& name) {
  for (const std::string& each : {unfinished_name(name), name}) {
    const std::string path = directory + "/" + each;
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return status_of(errno);
  }
  return TUNNEL_OK;
}

std::vector<std::string> tunnels_with_file(const std::string& directory, std::string_view suffix) {
  const std::unique_ptr<DIR, int (*)(DIR*)> opened(::opendir(directory.c_str()), ::closedir);
  std::vector<std::string> names;
  while (const dirent* entry = opened ? ::readdir(opened.get()) : nullptr) {
    const std::string_view file = entry->d_name;
    if (!file.ends_with(suffix)) continue;
    std::string name(file.substr(0, file.size() - suffix.size()));
    if (is_tunnel_name(name)) names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace tunnel::host
