// edit_support.h — edits of texts in memory, and files made at random.
#pragma once

#include <tunnel/host/edit.h>
#include <tunnel/keys.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <random>
#include <string>

#include "config_support.h"

namespace tunnel::test {

struct EditDeleter {
  void operator()(tunnel_config_edit* edit) const { tunnel_config_edit_close(edit); }
};
using Edit = std::unique_ptr<tunnel_config_edit, EditDeleter>;
using Key = std::array<std::uint8_t, TUNNEL_KEY_SIZE>;

inline Edit edit_of(const std::string& text) {
  tunnel_config_edit* edit = nullptr;
  (void)tunnel_config_edit_parse(text.data(), text.size(), &edit, nullptr);
  return Edit(edit);
}

inline std::string text_of(const Edit& edit) {
  const std::int32_t size = tunnel_config_edit_text(edit.get(), nullptr, 0);
  std::string text(static_cast<std::size_t>(std::max(size, 0)) + 1, '\0');
  (void)tunnel_config_edit_text(edit.get(), text.data(), text.size());
  text.pop_back();
  return text;
}

inline Key key_from(const std::string& text) {
  Key key{};
  (void)tunnel_key_from_text(text.data(), text.size(), key.data());
  return key;
}

inline Key random_key(std::mt19937& random) {
  Key key{};
  std::generate(key.begin(), key.end(), [&] { return static_cast<std::uint8_t>(random()); });
  key[31] &= 0x7f;
  return key;
}

inline std::string text_of(const Key& key) {
  char text[TUNNEL_KEY_TEXT_SIZE];
  (void)tunnel_key_to_text(key.data(), text);
  return text;
}

// A valid file with comments, blanks and repeated keys where people put them. It ends with a line
// that is not blank.
inline std::string random_file(std::mt19937& random) {
  const auto any_of = [&](auto... choices) {
    const std::array<std::string, sizeof...(choices)> list{choices...};
    return list[random() % list.size()];
  };
  const auto noise = [&] {
    return any_of("", "", "\n", "\n\n", "# note\n", "\n# note\n", "#a\n#b\n", " \t\n");
  };
  std::string text = noise() + any_of("[Interface]\n", " [ interface ] # x\n", "[INTERFACE]\n");
  for (auto keys = random() % 6; keys > 0; --keys) {
    text += noise() + any_of("ListenPort = 7\n", "mtu=1400\n", "PostUp = a # b\n",
                             "Address = 10.9.0.1/24 # c\n", "DNS=10.9.0.1, home\n",
                             "\tSaveConfig = true\n", "Table = off\n");
  }
  for (auto peers = random() % 4; peers > 0; --peers) {
    text += noise() + any_of("[Peer]\n", "[peer]# p\n") + noise();
    text += any_of("", "# friendly_name = n" + std::to_string(peers) + "\n");
    text += any_of("PublicKey = ", "publickey=") + text_of(random_key(random)) + "\n";
    text += any_of("", "AllowedIPs = 10.0.0.0/8\n", "allowedips=\nPersistentKeepalive = off\n");
    text += noise();
  }
  return text + any_of("# end\n", "\n# end\n");
}

}  // namespace tunnel::test
