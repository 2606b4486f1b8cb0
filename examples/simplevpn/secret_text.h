// secret_text.h - text with keys in it, wiped when it dies. What a ConfigFile can write to a file
// this collects in memory, for a terminal or a QR code.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <tunnel/host/edit.h>
#include <tunnel/tunnel.hpp>

namespace simplevpn {

class SecretText {
 public:
  explicit SecretText(std::size_t room = 4096) { bytes_.reserve(room); }
  explicit SecretText(const tunnel_config_edit* edit);  // the file as it would be saved
  SecretText(const SecretText&) = delete;
  SecretText& operator=(const SecretText&) = delete;
  ~SecretText() { wipe(); }

  void line(const std::string& text) { append(text, "\n"); }
  void secret(const char* name, const tunnel::Key& key) {
    append(name, " = ");
    append(key.secret_text().view(), "\n");
  }

  const char* c_str() {
    append("", std::string_view("\0", 1));
    bytes_.pop_back();
    return bytes_.data();
  }
  std::string_view view() const { return {bytes_.data(), bytes_.size()}; }

  // To standard output, and not through stdio, whose buffer would keep a copy.
  [[nodiscard]] bool print() const;

 private:
  void append(std::string_view text, std::string_view end) {
    const std::size_t size = bytes_.size() + text.size() + end.size();
    if (size > bytes_.capacity()) grow(2 * size);
    bytes_.insert(bytes_.end(), text.begin(), text.end());
    bytes_.insert(bytes_.end(), end.begin(), end.end());
  }
  // A vector that grows by itself would leave its old memory as it was.
  void grow(std::size_t room) {
    std::vector<char> larger;
    larger.reserve(room);
    larger.assign(bytes_.begin(), bytes_.end());
    wipe();
    bytes_.swap(larger);
  }
  void wipe() { tunnel_key_wipe(bytes_.data(), bytes_.size()); }

  std::vector<char> bytes_;
};

}  // namespace simplevpn
