#include "secret_text.h"

#include <unistd.h>

#include <cerrno>

namespace simplevpn {

SecretText::SecretText(const tunnel_config_edit* edit) {
  const std::int32_t length = tunnel_config_edit_text(edit, nullptr, 0);
  if (length <= 0) return;
  bytes_.resize(static_cast<std::size_t>(length) + 1);
  tunnel_config_edit_text(edit, bytes_.data(), bytes_.size());
  bytes_.pop_back();  // the end of a C string
}

bool SecretText::print() const {
  for (std::string_view left = view(); !left.empty();) {
    const ssize_t count = write(STDOUT_FILENO, left.data(), left.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    left.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

}  // namespace simplevpn
