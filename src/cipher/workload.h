// workload.h — messages for measuring a table, in the shape in which a core uses it: sealed in
// place, opened in place, a stride apart that leaves room for header and tag.
#pragma once

#include <tunnel/cipher.h>

#include <array>
#include <memory>
#include <vector>

namespace tunnel::cipher {

class Workload {
 public:
  // `count` messages of `length` bytes, handed over `batch` at a time. Null when the table does
  // not take the key. May run out of memory by an exception.
  static std::unique_ptr<Workload> create(const tunnel_cipher& cipher, std::uint32_t length,
                                          std::uint32_t count, std::uint32_t batch);
  ~Workload();

  // All messages once. Seal comes first, then open, then seal...
  void seal() noexcept;
  void open() noexcept;
  // Whether every message so far came back with result 0.
  bool good() const noexcept { return good_; }

 private:
  explicit Workload(const tunnel_cipher& cipher) : cipher_(cipher) {}
  void run(decltype(tunnel_cipher_ops::seal) verb) noexcept;

  tunnel_cipher cipher_;
  std::uint32_t length_ = 0;
  std::uint32_t batch_ = 0;
  bool good_ = true;
  alignas(16) std::array<std::uint8_t, TUNNEL_CIPHER_KEY_MAX> key_{};
  std::vector<std::uint8_t> memory_;
  std::vector<tunnel_aead_job> jobs_;
};

}  // namespace tunnel::cipher
