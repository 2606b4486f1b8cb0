#include "host/dns/saved_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>

#include "host/system/system.h"

namespace tunnel::host::dns {
namespace {

using base::Error;

constexpr std::size_t kLimit = 65536;
constexpr std::string_view kKinds = "-fl";  // missing, file, link

base::Result<std::string> link_target(const std::string& path) {
  std::array<char, 4096> target;
  const ssize_t size = ::readlink(path.c_str(), target.data(), target.size());
  if (size < 0) return Error{status_of(errno)};
  return std::string(target.data(), static_cast<std::size_t>(size));
}

// The content as far as there is one: a link may lead nowhere.
std::int32_t read_content(const std::string& path, SavedFile& saved) {
  const auto content = read_file(path, kLimit, nullptr);
  if (content) {
    saved.content = content->text();
    return TUNNEL_OK;
  }
  const bool dangling = content.status() == TUNNEL_ERR_NOT_FOUND;
  return dangling && saved.kind == SavedFile::Kind::link ? TUNNEL_OK : content.status();
}

bool read_digits(std::string_view word, int radix, std::uint32_t& value) {
  const char* end = word.data() + word.size();
  const auto read = std::from_chars(word.data(), end, value, radix);
  return read.ec == std::errc{} && read.ptr == end;
}

}  // namespace

base::Result<SavedFile> save_file(const std::string& path) {
  SavedFile saved;
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) {
    if (errno == ENOENT) return saved;
    return Error{status_of(errno)};
  }
  saved.kind = S_ISLNK(info.st_mode) ? SavedFile::Kind::link : SavedFile::Kind::file;
  saved.mode = info.st_mode & 07777u;
  saved.owner = info.st_uid;
  saved.group = info.st_gid;
  if (saved.kind == SavedFile::Kind::link) {
    auto target = link_target(path);
    if (!target) return Error{target.status()};
    saved.target = *target;
  }
  const std::int32_t status = read_content(path, saved);
  if (status != TUNNEL_OK) return Error{status};
  return saved;
}

std::string saved_text(const SavedFile& saved) {
  std::array<char, 16> mode{};
  const auto end = std::to_chars(mode.data(), mode.data() + mode.size(), saved.mode, 8).ptr;
  return std::string(1, kKinds[static_cast<std::size_t>(saved.kind)]) + " " +
         std::string(mode.data(), end) + " " + std::to_string(saved.owner) + " " +
         std::to_string(saved.group) + " " + to_word(saved.target) + " " + to_word(saved.content);
}

std::optional<SavedFile> read_saved(std::string_view text) {
  const std::string_view kind = next_word(text);
  const std::size_t number = kind.size() == 1 ? kKinds.find(kind[0]) : std::string_view::npos;
  if (number == std::string_view::npos) return std::nullopt;
  SavedFile saved;
  saved.kind = static_cast<SavedFile::Kind>(number);
  if (!read_digits(next_word(text), 8, saved.mode)) return std::nullopt;
  if (!read_digits(next_word(text), 10, saved.owner)) return std::nullopt;
  if (!read_digits(next_word(text), 10, saved.group)) return std::nullopt;
  auto target = from_word(next_word(text));
  auto content = from_word(next_word(text));
  if (!target || !content) return std::nullopt;
  saved.target = *std::move(target);
  saved.content = *std::move(content);
  return saved;
}

}  // namespace tunnel::host::dns
