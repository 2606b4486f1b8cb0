#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

#include <tunnel/tunnel.hpp>

#include "commands.h"

namespace simplevpn {
namespace {

void warn_when_others_may_read(const Output& output) {
  struct stat info {};
  if (fstat(STDOUT_FILENO, &info) != 0 || !S_ISREG(info.st_mode)) return;
  if ((info.st_mode & (S_IRGRP | S_IROTH)) == 0) return;
  advise(output, "warning: others may read the file; run `umask 077` first and make it anew");
}

// Not through stdio, whose buffer would keep a copy of the key.
int print_key(const Output& output, const tunnel::KeyText& text) {
  char newline = '\n';
  const iovec parts[2] = {{const_cast<char*>(text.c_str()), text.view().size()}, {&newline, 1}};
  if (writev(STDOUT_FILENO, parts, 2) == TUNNEL_KEY_TEXT_SIZE) return kOk;
  return fail(output, {.code = "E_SYSTEM", .message = "cannot write to standard output"});
}

int print_new(const Output& output, const tunnel::Result<tunnel::Key>& key) {
  warn_when_others_may_read(output);
  if (key) return print_key(output, key->secret_text());
  return fail(output, status_failure(output, key.status(), "make a key", kFailure));
}

// A private key from standard input, wiped with the object.
class KeyInput {
 public:
  KeyInput() {
    while (used_ < sizeof bytes_) {
      const ssize_t got = read(STDIN_FILENO, bytes_ + used_, sizeof bytes_ - used_);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) break;
      used_ += static_cast<std::size_t>(got);
    }
  }
  KeyInput(const KeyInput&) = delete;
  KeyInput& operator=(const KeyInput&) = delete;
  ~KeyInput() { tunnel_key_wipe(bytes_, sizeof bytes_); }

  tunnel::Result<tunnel::Key> key() const {
    const std::string_view text(bytes_, used_);
    const std::size_t end = text.find_last_not_of(" \t\r\n");
    return tunnel::Key::from_text(text.substr(0, end == std::string_view::npos ? 0 : end + 1));
  }

 private:
  char bytes_[128];  // full = far too long for a key
  std::size_t used_ = 0;
};

}  // namespace

int genkey(const Output& output) {
  return print_new(output, tunnel::Key::generate_private());
}

int genpsk(const Output& output) {
  return print_new(output, tunnel::Key::generate_preshared());
}

int pubkey(const Output& output) {
  const auto key = KeyInput().key();
  if (!key) {
    return fail(output, {.exit = kUsage,
                         .code = "E_KEY",
                         .message = "standard input is not a private key",
                         .hint = "a key is 44 characters of base64: simplevpn genkey makes one"});
  }
  const auto public_key = key->public_key();
  if (public_key) return print_key(output, public_key->text());
  return fail(output,
              status_failure(output, public_key.status(), "compute the public key", kFailure));
}

}  // namespace simplevpn
