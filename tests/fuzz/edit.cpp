// edit.cpp — changes to the text of a file: what is not changed stays, and what is written can be
// read again. The first bytes choose the changes, the rest is the file.
#include <tunnel/host/edit.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

#include "input.h"

namespace {

using tunnel::fuzz::expect;

std::string text_of(const tunnel_config_edit* edit) {
  const std::int32_t size = tunnel_config_edit_text(edit, nullptr, 0);
  expect(size >= 0, "there is a text");
  std::string text(static_cast<std::size_t>(size) + 1, '\0');
  (void)tunnel_config_edit_text(edit, text.data(), text.size());
  text.pop_back();
  return text;
}

std::size_t peers_of(const tunnel_config* config) {
  tunnel_config_interface interface = TUNNEL_CONFIG_INTERFACE_INIT;
  (void)tunnel_config_get_interface(config, &interface);
  return interface.peer_count;
}

// The file as it now is can be read, and has so many peers.
void check_peers(const tunnel_config_edit* edit, std::size_t peers) {
  tunnel_config* config = nullptr;
  const std::int32_t status = tunnel_config_edit_config(edit, &config, nullptr);
  expect(status == TUNNEL_OK, "our own changes keep a file readable");
  expect(peers_of(config) == peers, "no peer is lost");
  tunnel_config_destroy(config);
}

void add_and_remove(tunnel_config_edit* edit, std::size_t peers) {
  const std::string before = text_of(edit);
  const std::array<std::uint8_t, TUNNEL_KEY_SIZE> key{9, 9, 9};
  tunnel_config_peer peer = TUNNEL_CONFIG_PEER_INIT;
  peer.public_key = key.data();
  peer.name = "a name nobody has";
  if (tunnel_config_edit_add_peer(edit, &peer) != TUNNEL_OK) return;
  check_peers(edit, peers + 1);
  expect(text_of(edit).starts_with(before), "a peer is added at the end");
  expect(tunnel_config_edit_remove_peer(edit, key.data()) == TUNNEL_OK, "it is there");
  check_peers(edit, peers);
}

void change_peer(tunnel_config_edit* edit, const std::uint8_t* key, std::uint8_t choice) {
  static constexpr std::array<const char*, 4> kNames = {"", "a", "b # c = d", "\xc3\xa4"};
  const std::int32_t named = tunnel_config_edit_rename_peer(edit, key, kNames[choice % 4]);
  expect(named == TUNNEL_OK || named == TUNNEL_ERR_EXISTS, "a peer can be named");
  const char* mark = (choice & 4) != 0 ? "25" : nullptr;
  expect(tunnel_config_edit_set(edit, key, "PersistentKeepalive", mark) == TUNNEL_OK, "known key");
  const char* prefixes = (choice & 8) != 0 ? "10.0.0.0/8" : "";
  expect(tunnel_config_edit_set(edit, key, "AllowedIPs", prefixes) == TUNNEL_OK, "known key");
}

void change(tunnel_config_edit* edit, const tunnel_config* config, std::uint8_t choice) {
  const std::size_t peers = peers_of(config);
  const char* port = (choice & 1) != 0 ? "51820" : nullptr;
  expect(tunnel_config_edit_set(edit, nullptr, "ListenPort", port) == TUNNEL_OK, "known key");
  expect(tunnel_config_edit_set(edit, nullptr, "PostUp", "a # b") == TUNNEL_OK, "known key");
  check_peers(edit, peers);
  if (peers == 0) return;
  tunnel_config_peer peer = TUNNEL_CONFIG_PEER_INIT;
  expect(tunnel_config_get_peer(config, choice % peers, &peer) == TUNNEL_OK, "peers are counted");
  change_peer(edit, peer.public_key, choice);
  check_peers(edit, peers);
  expect(tunnel_config_edit_remove_peer(edit, peer.public_key) == TUNNEL_OK, "it is there");
  check_peers(edit, peers - 1);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::uint8_t choice = size == 0 ? std::uint8_t{0} : data[0];
  const std::string text(data + std::min<std::size_t>(size, 1), data + size);
  tunnel_config_edit* edit = nullptr;
  if (tunnel_config_edit_parse(text.data(), text.size(), &edit, nullptr) != TUNNEL_OK) return 0;
  expect(text_of(edit) == text, "nothing changes by itself");
  tunnel_config* config = nullptr;
  expect(tunnel_config_edit_config(edit, &config, nullptr) == TUNNEL_OK, "it was read before");
  add_and_remove(edit, peers_of(config));
  change(edit, config, choice);
  expect(tunnel_config_edit_strip(edit) == TUNNEL_OK, "every file can be stripped");
  tunnel_config* stripped = nullptr;
  expect(tunnel_config_edit_config(edit, &stripped, nullptr) == TUNNEL_OK, "and still be read");
  expect(peers_of(stripped) + 1 >= peers_of(config), "with its peers");
  tunnel_config_destroy(stripped);
  tunnel_config_destroy(config);
  tunnel_config_edit_close(edit);
  return 0;
}
