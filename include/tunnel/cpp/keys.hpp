// tunnel/cpp/keys.hpp - keys that are wiped.
#ifndef TUNNEL_CPP_KEYS_HPP
#define TUNNEL_CPP_KEYS_HPP

#include <tunnel/keys.h>
#include <tunnel/cpp/result.hpp>

#include <array>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <utility>

namespace tunnel {

// Base64 text of a key; wiped when it dies, because it may be a secret's.
class KeyText {
 public:
  explicit KeyText(const std::uint8_t* key) noexcept { (void)tunnel_key_to_text(key, text_); }
  KeyText(const KeyText&) = delete;
  KeyText& operator=(const KeyText&) = delete;
  ~KeyText() { tunnel_key_wipe(text_, sizeof text_); }

  const char* c_str() const noexcept { return text_; }
  std::string_view view() const noexcept { return {text_, TUNNEL_KEY_TEXT_SIZE - 1}; }

 private:
  char text_[TUNNEL_KEY_TEXT_SIZE] = {};
};

// A public key: a plain value.
struct PublicKey {
  std::array<std::uint8_t, TUNNEL_KEY_SIZE> bytes{};

  bool operator==(const PublicKey&) const noexcept = default;
  KeyText text() const noexcept { return KeyText(bytes.data()); }

  static Result<PublicKey> from_text(std::string_view text) noexcept {
    PublicKey key;
    const auto status = tunnel_key_from_text(text.data(), text.size(), key.bytes.data());
    return {status, key};
  }
};

// A private or preshared key: wiped when it dies, moved but not copied, never printed by accident
// (its text has to be asked for by name).
class Key {
 public:
  Key(const Key&) = delete;
  Key& operator=(const Key&) = delete;
  Key(Key&& other) noexcept { take(other); }
  Key& operator=(Key&& other) noexcept {
    if (this != &other) take(other);
    return *this;
  }
  ~Key() { wipe(); }

  static Result<Key> generate_private() noexcept { return make(tunnel_key_generate_private); }
  static Result<Key> generate_preshared() noexcept { return make(tunnel_key_generate_preshared); }
  static Result<Key> from_text(std::string_view text) noexcept {
    return make([&](std::uint8_t* to) noexcept {
      return tunnel_key_from_text(text.data(), text.size(), to);
    });
  }
  static Key from_bytes(std::span<const std::uint8_t, TUNNEL_KEY_SIZE> bytes) noexcept {
    Key key;
    std::memcpy(key.bytes_, bytes.data(), sizeof key.bytes_);
    return key;
  }

  // The public key that belongs to this private key.
  Result<PublicKey> public_key() const noexcept {
    PublicKey key;
    const auto status = tunnel_key_public(bytes_, key.bytes.data());
    return {status, key};
  }
  KeyText secret_text() const noexcept { return KeyText(bytes_); }
  const std::uint8_t* data() const noexcept { return bytes_; }

  // Takes the same time for any two keys.
  bool operator==(const Key& other) const noexcept {
    volatile std::uint8_t difference = 0;
    for (std::size_t i = 0; i < sizeof bytes_; ++i) {
      difference = static_cast<std::uint8_t>(difference | (bytes_[i] ^ other.bytes_[i]));
    }
    return difference == 0;
  }

 private:
  Key() = default;
  template <class Fill>
  static Result<Key> make(Fill fill) noexcept {
    Key key;
    const std::int32_t status = fill(key.bytes_);
    return {status, std::move(key)};
  }
  void take(Key& other) noexcept {
    std::memcpy(bytes_, other.bytes_, sizeof bytes_);
    other.wipe();
  }
  void wipe() noexcept { tunnel_key_wipe(bytes_, sizeof bytes_); }

  std::uint8_t bytes_[TUNNEL_KEY_SIZE] = {};
};

}  // namespace tunnel

#endif
