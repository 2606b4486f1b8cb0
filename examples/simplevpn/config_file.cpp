#include "config_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace simplevpn {

ConfigFile::ConfigFile(std::string path) : path_(std::move(path)) {
  if (is_output()) {
    handle_ = STDOUT_FILENO;
    return;
  }
  handle_ = open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  error_ = handle_ < 0 ? errno : 0;
}

ConfigFile::~ConfigFile() {
  if (handle_ < 0 || is_output()) return;
  close(handle_);
  if (!kept_) unlink(path_.c_str());
}

void ConfigFile::line(const std::string& text) {
  bytes(text.data(), text.size());
  bytes("\n", 1);
}

void ConfigFile::secret(const char* name, const tunnel::Key& key) {
  const tunnel::KeyText text = key.secret_text();
  bytes(name, std::strlen(name));
  bytes(" = ", 3);
  bytes(text.c_str(), text.view().size());
  bytes("\n", 1);
}

void ConfigFile::bytes(const char* data, std::size_t length) {
  while (length > 0 && error_ == 0) {
    const ssize_t written = write(handle_, data, length);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      error_ = written < 0 ? errno : EIO;
      return;
    }
    data += written;
    length -= static_cast<std::size_t>(written);
  }
}

bool ConfigFile::flush() {
  if (error_ == 0 && !is_output() && fsync(handle_) != 0) error_ = errno;
  return error_ == 0;
}

Failure ConfigFile::failure(const Output& output) const {
  if (error_ == EEXIST) {
    return {.code = "E_EXISTS",
            .message = path_ + " exists already; nothing was changed",
            .hint = "choose another file, or move this one away"};
  }
  if (error_ == EACCES || error_ == EPERM) {
    return file_failure(output, TUNNEL_ERR_PERMISSION, "write " + path_, kFailure);
  }
  return {.code = "E_SYSTEM", .message = "cannot write " + path_ + ": " + std::strerror(error_)};
}

}  // namespace simplevpn
