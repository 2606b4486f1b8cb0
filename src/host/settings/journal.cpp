#include "host/settings/journal.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <memory>
#include <utility>

namespace tunnel::host {
namespace {

constexpr const char* kSuffix = ".journal";
constexpr const char* kDamaged = ".damaged";
constexpr std::size_t kLargest = 64u << 20;  // what a journal in use never reaches
constexpr std::size_t kSlack = 1u << 20;     // what may be in it that is undone already
constexpr int kPatienceMs = 200;             // for the lock of somebody who was killed
constexpr int kLookMs = 10;
constexpr int kCookie = 71;  // SO_NETNS_COOKIE, Linux 5.14

base::Result<Origin> current_place() {
  const auto boot = read_file("/proc/sys/kernel/random/boot_id", 64, nullptr);
  if (!boot) return base::Error{boot.status()};
  Origin origin;
  origin.boot = boot->text();
  while (!origin.boot.empty() && origin.boot.back() == '\n') origin.boot.pop_back();
  const base::Descriptor socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  socklen_t size = sizeof(origin.network);
  if (!socket.valid() ||
      ::getsockopt(socket.get(), SOL_SOCKET, kCookie, &origin.network, &size) != 0) {
    return base::Error{errno == ENOPROTOOPT ? TUNNEL_ERR_UNSUPPORTED : status_of(errno)};
  }
  return origin;
}

// Whoever writes to a journal commands root.
bool is_ours(const struct stat& info) noexcept {
  return (info.st_uid == 0 || info.st_uid == ::geteuid()) &&
         (info.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

base::Result<base::Descriptor> open_there(const std::string& path) {
  base::Descriptor fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd.valid()) return base::Error{status_of(errno)};
  return fd;
}

base::Result<base::Descriptor> open_private(const std::string& path, Journal::Missing missing,
                                            std::string& words) {
  auto directory = missing == Journal::Missing::made ? open_directory(path) : open_there(path);
  if (!directory) {
    words = "cannot open " + path;
    return directory;
  }
  struct stat info {};
  if (::fstat(directory->get(), &info) != 0) return base::Error{status_of(errno)};
  if (is_ours(info)) return directory;
  words = path + " may be written by others";
  return base::Error{TUNNEL_ERR_PERMISSION};
}

// The file may be removed by its last owner between opening and locking.
bool is_still(const base::Descriptor& directory, const char* name, const struct stat& info) {
  struct stat now {};
  return ::fstatat(directory.get(), name, &now, AT_SYMLINK_NOFOLLOW) == 0 &&
         now.st_ino == info.st_ino && now.st_dev == info.st_dev;
}

// Who was killed a moment ago has it until the kernel has closed his files, of which it tells
// nobody.
bool lock(const base::Descriptor& file) {
  for (int waited_ms = 0; ::flock(file.get(), LOCK_EX | LOCK_NB) != 0; waited_ms += kLookMs) {
    if (errno != EWOULDBLOCK || waited_ms == kPatienceMs) return false;
    ::poll(nullptr, 0, kLookMs);
  }
  return true;
}

base::Result<base::Descriptor> open_locked(const base::Descriptor& directory, const char* name,
                                           int flags) {
  for (;;) {
    base::Descriptor file(::openat(directory.get(), name, flags, 0600));
    if (!file.valid()) return base::Error{status_of(errno)};
    struct stat info {};
    if (::fstat(file.get(), &info) != 0) return base::Error{status_of(errno)};
    if (!S_ISREG(info.st_mode) || !is_ours(info)) return base::Error{TUNNEL_ERR_PERMISSION};
    if (!lock(file)) {
      return base::Error{errno == EWOULDBLOCK ? TUNNEL_ERR_IN_USE : status_of(errno)};
    }
    if (is_still(directory, name, info)) return file;
  }
}

std::string words_for(std::int32_t status, const std::string& path) {
  switch (status) {
    case TUNNEL_ERR_IN_USE:
      return path + " is in use by a running daemon";
    case TUNNEL_ERR_PERMISSION:
      return path + " is no regular file, or may be written by others";
    default:
      return "cannot open " + path;
  }
}

std::int32_t read_all(int fd, std::string& text) {
  for (;;) {
    const std::size_t before = text.size();
    if (before > kLargest) return TUNNEL_ERR_LIMIT;
    text.resize(before + 65536);
    const ssize_t count = ::pread(fd, text.data() + before, 65536, static_cast<off_t>(before));
    text.resize(before + static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    if (count == 0) return TUNNEL_OK;
    if (count < 0 && errno != EINTR) return status_of(errno);
  }
}

int write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(fd, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return 0;
}

}  // namespace

Journal::Journal(base::Descriptor directory, base::Descriptor file, std::string file_name)
    : directory_(std::move(directory)), file_(std::move(file)), file_name_(std::move(file_name)) {}

base::Result<Journal> Journal::open(const std::string& directory, const std::string& name,
                                    Missing missing, std::string& words) {
  words = "no tunnel has such a name";
  if (!is_tunnel_name(name)) return base::Error{TUNNEL_ERR_ARGUMENT};
  auto opened = open_private(directory, missing, words);
  if (!opened) return base::Error{opened.status()};
  const std::string file_name = name + kSuffix;
  const int make = missing == Missing::made ? O_CREAT : 0;
  const int flags = O_RDWR | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | make;
  auto file = open_locked(*opened, file_name.c_str(), flags);
  words = words_for(file.status(), directory + "/" + file_name);
  if (!file) return base::Error{file.status()};
  Journal journal(std::move(*opened), std::move(*file), file_name);
  journal.path_ = directory;
  if (const std::int32_t status = journal.read(words); status != TUNNEL_OK) {
    return base::Error{status};
  }
  words.clear();
  return journal;
}

std::int32_t Journal::read(std::string& words) {
  auto here = current_place();
  words = "cannot tell this boot and network namespace from others";
  if (!here) return here.status();
  here_ = std::move(*here);
  remove_unfinished();
  std::string text;
  words = "cannot read " + file_name_;
  if (const std::int32_t status = read_all(file_.get(), text); status != TUNNEL_OK) return status;
  JournalText found = read_journal(text);
  live_ = std::move(found.live);
  last_id_ = found.last_id;
  damaged_ = found.damaged;
  size_ = text.size();
  slack_ = kSlack;
  words = "cannot write to " + file_name_;
  std::int32_t status = TUNNEL_OK;
  if (damaged_ != 0) status = keep_damaged(text);
  if (status == TUNNEL_OK && (damaged_ != 0 || found.whole != size_)) status = rewrite();
  if (status == TUNNEL_OK && ::fsync(directory_.get()) != 0) status = status_of(errno);
  known_ = status == TUNNEL_OK;
  return status;
}

// Of somebody who was killed while he wrote it.
void Journal::remove_unfinished() {
  for (const std::string& name : {file_name_, file_name_ + kDamaged}) {
    ::unlinkat(directory_.get(), unfinished_name(name).c_str(), 0);
  }
}

// What cannot be read cannot be undone. A person may want to see it.
std::int32_t Journal::keep_damaged(const std::string& text) {
  return replace_file(directory_, file_name_ + kDamaged, text);
}

// With what is live only. The new file is locked before it has the name.
std::int32_t Journal::rewrite() {
  const std::string fresh = unfinished_name(file_name_);
  const int flags = O_RDWR | O_APPEND | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC;
  base::Descriptor file(::openat(directory_.get(), fresh.c_str(), flags, 0600));
  if (!file.valid()) return status_of(errno);
  std::string text;
  for (const Record& record : live_) text += write_record(record);
  const bool good =
      ::flock(file.get(), LOCK_EX | LOCK_NB) == 0 && write_all(file.get(), text) == 0 &&
      ::fsync(file.get()) == 0 &&
      ::renameat(directory_.get(), fresh.c_str(), directory_.get(), file_name_.c_str()) == 0;
  if (!good) return status_of(errno);
  file_ = std::move(file);
  size_ = text.size();
  slack_ = 2 * size_ + kSlack;
  return ::fsync(directory_.get()) == 0 ? TUNNEL_OK : status_of(errno);
}

Journal::~Journal() {
  if (!file_.valid() || !known_ || !live_.empty()) return;
  ::unlinkat(directory_.get(), file_name_.c_str(), 0);
  ::fsync(directory_.get());
}

// Half a line must not stand before the next one.
Answer Journal::append(const std::string& line) {
  int error = write_all(file_.get(), line);
  if (error == 0 && ::fdatasync(file_.get()) != 0) error = errno;
  if (error != 0) {
    (void)!::ftruncate(file_.get(), static_cast<off_t>(size_));
    return {error, "cannot write to " + file_name_};
  }
  size_ += line.size();
  return {};
}

Answer Journal::begin(const Step& step, const std::string& before, std::uint64_t& id) {
  Record record{last_id_ + 1, here_, before, step};
  const Answer answer = append(write_record(record));
  if (answer.error != 0) return answer;
  id = ++last_id_;
  live_.push_back(std::move(record));
  return {};
}

void Journal::end(std::uint64_t id) {
  const auto found =
      std::find_if(live_.begin(), live_.end(), [id](const Record& each) { return each.id == id; });
  if (found == live_.end()) return;
  live_.erase(found);
  (void)append(write_undone(id));
  if (size_ > slack_) (void)rewrite();
}

std::vector<Record> Journal::others() const {
  std::vector<Record> all;
  for (const std::string& name : journal_names(path_)) {
    if (name + kSuffix == file_name_) continue;
    auto records = peek_journal(path_, name);
    if (records) std::move(records->begin(), records->end(), std::back_inserter(all));
  }
  return all;
}

base::Descriptor Journal::turn() const {
  base::Descriptor held(::openat(directory_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  while (held.valid() && ::flock(held.get(), LOCK_EX) != 0 && errno == EINTR) {
  }
  return held;
}

base::Result<std::vector<Record>> peek_journal(const std::string& directory,
                                               const std::string& name) {
  if (!is_tunnel_name(name)) return base::Error{TUNNEL_ERR_ARGUMENT};
  std::string words;
  const auto opened = open_private(directory, Journal::Missing::error, words);
  if (!opened) return base::Error{opened.status()};
  const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
  const base::Descriptor file(::openat(opened->get(), (name + kSuffix).c_str(), flags));
  struct stat info {};
  if (!file.valid() || ::fstat(file.get(), &info) != 0) return base::Error{status_of(errno)};
  if (!S_ISREG(info.st_mode) || !is_ours(info)) return base::Error{TUNNEL_ERR_PERMISSION};
  const auto here = current_place();
  if (!here) return base::Error{here.status()};
  std::string text;
  if (const std::int32_t status = read_all(file.get(), text); status != TUNNEL_OK) {
    return base::Error{status};
  }
  std::vector<Record> live = read_journal(text).live;
  std::erase_if(live, [&](const Record& record) {
    const bool lasts = record.origin.boot != here->boot && outlives_boot(record.step);
    return record.origin != *here && !lasts;
  });
  return live;
}

std::vector<std::string> journal_names(const std::string& directory) {
  return tunnels_with_file(directory, kSuffix);
}

}  // namespace tunnel::host
