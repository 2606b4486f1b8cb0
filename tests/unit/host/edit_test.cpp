// edit_test.cpp — changes to the text of a file: what they change, and that they change nothing
// else.
#include <tunnel/host/edit.h>
#include <tunnel/host/text.h>

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "config_support.h"
#include "edit_support.h"
#include "support/catch.hpp"

using namespace tunnel::test;

namespace {

const std::string kThirdKey = "gN65BkIKy1eCE9pP1wdc8ROUtkHLF2PfAqYdyYBz6EA=";

const std::string kFile =
    "# office\n"
    "[interface]\n"
    "privatekey=" +
    kPrivateKey +
    "   # ours\n"
    "Address = 10.9.0.1/24\n"
    "\tPostUp = echo a # b\n"
    "\n"
    "# Ann's laptop\n"
    "[Peer]\n"
    "# friendly_name = laptop\n"
    "PublicKey   =  " +
    kPeerKey +
    "  # since May\n"
    "AllowedIPs=10.9.0.2/32\n"
    "AllowedIPs=10.9.0.3/32\n"
    "# friendly_json = {\"a\": 1}\n"
    "\n"
    "## a note between\n"
    "\n"
    "[Peer]\n"
    "PublicKey = " +
    kOtherKey + "\nAllowedIPs = 10.9.0.4/32\n";

Edit open(const std::string& text) {
  Edit edit = edit_of(text);
  REQUIRE(edit != nullptr);
  return edit;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("what is opened and not changed is byte for byte the same", "[host][edit]") {
  const std::string files[] = {
      "",    "\n\n",         "# only a comment", "\xef\xbb\xbf[Interface]\r\nListenPort = 7\r\n",
      kFile, kFile + "#end", kFile + "\n\n\n",   with_peer("") + "   \t\n[Interface]\nMTU=1400",
  };
  for (const std::string& file : files) CHECK(text_of(open(file)) == file);
}

TEST_CASE("a byte order mark stays first whatever comes to stand above a line", "[host][edit]") {
  const std::string mark = "\xef\xbb\xbf";
  const Edit edit = open(mark + with_peer(""));
  const Edit expected = open(with_peer(""));
  for (const Edit* each : {&edit, &expected}) {
    REQUIRE(tunnel_config_edit_set(each->get(), nullptr, "ListenPort", "51820") == TUNNEL_OK);
  }
  CHECK(text_of(edit) == mark + text_of(expected));

  const Edit peers_only = open(mark + "[Peer]\nPublicKey = " + kPeerKey + "\n");
  REQUIRE(tunnel_config_edit_set(peers_only.get(), nullptr, "MTU", "1400") == TUNNEL_OK);
  CHECK(text_of(peers_only) ==
        mark + "[Interface]\nMTU = 1400\n[Peer]\nPublicKey = " + kPeerKey + "\n");
  REQUIRE(tunnel_config_edit_remove_peer(peers_only.get(), key_from(kPeerKey).data()) == TUNNEL_OK);
  CHECK(text_of(peers_only) == mark + "[Interface]\nMTU = 1400\n");

  REQUIRE(tunnel_config_edit_strip(edit.get()) == TUNNEL_OK);
  CHECK_FALSE(text_of(edit).starts_with(mark));  // `wg setconf` does not know it
}

TEST_CASE("an added peer stands at the end, after a blank line", "[host][edit]") {
  const Edit edit = open(kFile);
  const Key key = key_from(kThirdKey);
  const Key preshared = key_from(kPrivateKey);
  tunnel_prefix allowed[2]{};
  REQUIRE(tunnel_prefix_from_text("10.9.0.5", 8, &allowed[0]) == TUNNEL_OK);
  REQUIRE(tunnel_prefix_from_text("fd00::5", 7, &allowed[1]) == TUNNEL_OK);
  tunnel_config_peer peer = TUNNEL_CONFIG_PEER_INIT;
  peer.public_key = key.data();
  peer.preshared_key = preshared.data();
  peer.name = "phone of Bob";
  peer.host = "2001:db8::5";
  peer.port = 51820;
  peer.keepalive_s = 25;
  peer.allowed_ips = allowed;
  peer.allowed_ip_count = 2;
  REQUIRE(tunnel_config_edit_add_peer(edit.get(), &peer) == TUNNEL_OK);
  CHECK(text_of(edit) == kFile + "\n[Peer]\n# friendly_name = phone of Bob\nPublicKey = " +
                             kThirdKey + "\nPresharedKey = " + kPrivateKey +
                             "\nEndpoint = [2001:db8::5]:51820\n"
                             "AllowedIPs = 10.9.0.5/32, fd00::5/128\n"
                             "PersistentKeepalive = 25\n");
  CHECK(tunnel_config_edit_add_peer(edit.get(), &peer) == TUNNEL_ERR_EXISTS);
  REQUIRE(tunnel_config_edit_remove_peer(edit.get(), key.data()) == TUNNEL_OK);
  CHECK(text_of(edit) == kFile);
}

TEST_CASE("a file without a last newline, or with CRLF, gets a peer in its own style",
          "[host][edit]") {
  tunnel_config_peer peer = TUNNEL_CONFIG_PEER_INIT;
  const Key key = key_from(kThirdKey);
  peer.public_key = key.data();
  const Edit bare = open("[Interface]\nListenPort = 7");
  REQUIRE(tunnel_config_edit_add_peer(bare.get(), &peer) == TUNNEL_OK);
  CHECK(text_of(bare) == "[Interface]\nListenPort = 7\n\n[Peer]\nPublicKey = " + kThirdKey + "\n");
  const Edit windows = open("[Interface]\r\nListenPort = 7\r\n");
  REQUIRE(tunnel_config_edit_add_peer(windows.get(), &peer) == TUNNEL_OK);
  CHECK(text_of(windows) ==
        "[Interface]\r\nListenPort = 7\r\n\r\n[Peer]\r\nPublicKey = " + kThirdKey + "\r\n");
  const Edit empty = open("");
  REQUIRE(tunnel_config_edit_add_peer(empty.get(), &peer) == TUNNEL_OK);
  CHECK(text_of(empty) == "[Peer]\nPublicKey = " + kThirdKey + "\n");
}

TEST_CASE("a removed peer takes its own comments along and leaves those of others",
          "[host][edit]") {
  const Edit edit = open(kFile);
  REQUIRE(tunnel_config_edit_remove_peer(edit.get(), key_from(kPeerKey).data()) == TUNNEL_OK);
  const std::size_t from = kFile.find("\n# Ann's");
  const std::size_t to = kFile.find("\n## a note");
  CHECK(text_of(edit) == kFile.substr(0, from) + kFile.substr(to));
  CHECK(tunnel_config_edit_remove_peer(edit.get(), key_from(kPeerKey).data()) ==
        TUNNEL_ERR_NOT_FOUND);
  REQUIRE(tunnel_config_edit_remove_peer(edit.get(), key_from(kOtherKey).data()) == TUNNEL_OK);
  CHECK(text_of(edit) == kFile.substr(0, from) + "\n## a note between\n");
}

TEST_CASE("a name changes in its comment alone", "[host][edit]") {
  const Edit edit = open(kFile);
  const Key first = key_from(kPeerKey), second = key_from(kOtherKey);
  REQUIRE(tunnel_config_edit_rename_peer(edit.get(), first.data(), "desk # 2") == TUNNEL_OK);
  std::string expected = replaced(kFile, "= laptop", "= desk # 2");
  CHECK(text_of(edit) == expected);
  CHECK(tunnel_config_edit_rename_peer(edit.get(), second.data(), "desk # 2") == TUNNEL_ERR_EXISTS);
  REQUIRE(tunnel_config_edit_rename_peer(edit.get(), second.data(), "nas") == TUNNEL_OK);
  expected = replaced(expected, "[Peer]\nPublicKey = " + kOtherKey,
                      "[Peer]\n# friendly_name = nas\nPublicKey = " + kOtherKey);
  CHECK(text_of(edit) == expected);
  REQUIRE(tunnel_config_edit_rename_peer(edit.get(), second.data(), "") == TUNNEL_OK);
  REQUIRE(tunnel_config_edit_rename_peer(edit.get(), first.data(), "laptop") == TUNNEL_OK);
  CHECK(text_of(edit) == kFile);
}

TEST_CASE("a name that a file would not give back is refused", "[host][edit]") {
  const Edit edit = open(kFile);
  const Key key = key_from(kPeerKey);
  for (const std::string& name : {std::string(" a"), std::string("a "), std::string("a\nb"),
                                  std::string("a\tb"), std::string(65, 'a')}) {
    CHECK(tunnel_config_edit_rename_peer(edit.get(), key.data(), name.c_str()) ==
          TUNNEL_ERR_ARGUMENT);
  }
  CHECK(text_of(edit) == kFile);
}

TEST_CASE("a value changes in its line, with blanks and comments kept", "[host][edit]") {
  const Edit edit = open(kFile);
  const Key first = key_from(kPeerKey);
  const auto set = [&](const std::uint8_t* peer, const char* key, const char* value) {
    REQUIRE(tunnel_config_edit_set(edit.get(), peer, key, value) == TUNNEL_OK);
    return text_of(edit);
  };
  std::string expected = replaced(kFile, kPrivateKey + "   # ours", kOtherKey + "   # ours");
  CHECK(set(nullptr, "PrivateKey", kOtherKey.c_str()) == expected);
  expected = replaced(expected, "echo a # b", "true");
  CHECK(set(nullptr, "PostUp", "true") == expected);
  expected = replaced(expected, "= true\n", "= true\nListenPort = 51820\n");
  CHECK(set(nullptr, "ListenPort", "51820") == expected);
  expected = replaced(expected, "AllowedIPs=10.9.0.2/32\nAllowedIPs=10.9.0.3/32",
                      "AllowedIPs=10.9.0.0/28");
  CHECK(set(first.data(), "AllowedIPs", "10.9.0.0/28") == expected);
  expected = replaced(expected, "{\"a\": 1}\n", "{\"a\": 1}\nPersistentKeepalive = 9\n");
  CHECK(set(first.data(), "PersistentKeepalive", "9") == expected);
  expected = replaced(expected, "AllowedIPs=10.9.0.0/28\n", "");
  CHECK(set(first.data(), "AllowedIPs", nullptr) == expected);
}

TEST_CASE("a key is set where it belongs or not at all", "[host][edit]") {
  const Edit edit = open(kFile);
  const Key peer = key_from(kPeerKey), unknown = key_from(kThirdKey);
  const auto set = [&](const std::uint8_t* of, const char* key, const char* value) {
    return tunnel_config_edit_set(edit.get(), of, key, value);
  };
  CHECK(set(nullptr, "Endpoint", "a:1") == TUNNEL_ERR_ARGUMENT);
  CHECK(set(peer.data(), "MTU", "1400") == TUNNEL_ERR_ARGUMENT);
  CHECK(set(peer.data(), "PublicKey", kThirdKey.c_str()) == TUNNEL_ERR_ARGUMENT);
  CHECK(set(nullptr, "Nonsense", "1") == TUNNEL_ERR_ARGUMENT);
  CHECK(set(nullptr, "PostUp", "true\n[Peer]") == TUNNEL_ERR_ARGUMENT);
  CHECK(set(unknown.data(), "Endpoint", "a:1") == TUNNEL_ERR_NOT_FOUND);
  CHECK(text_of(edit) == kFile);
}

TEST_CASE("of a key in several [Interface] sections the last line is the one that is set",
          "[host][edit]") {
  const Edit edit = open("[Interface]\nMTU = 1400\nListenPort = 1\n[Interface]\nMTU = 1300\n");
  REQUIRE(tunnel_config_edit_set(edit.get(), nullptr, "MTU", "1280") == TUNNEL_OK);
  CHECK(text_of(edit) == "[Interface]\nListenPort = 1\n[Interface]\nMTU = 1280\n");
  const Edit none = open("# no interface\n" + std::string("[Peer]\nPublicKey=") + kPeerKey);
  REQUIRE(tunnel_config_edit_set(none.get(), nullptr, "MTU", "1280") == TUNNEL_OK);
  const Parsed parsed = parse(text_of(none));
  REQUIRE(parsed.status == TUNNEL_OK);
  CHECK(parsed.interface().mtu == 1280);
  CHECK(parsed.interface().peer_count == 1);
}

TEST_CASE("a change that makes the file wrong is told with its place", "[host][edit]") {
  const Edit edit = open(kFile);
  REQUIRE(tunnel_config_edit_set(edit.get(), nullptr, "MTU", "70000") == TUNNEL_OK);
  tunnel_config_issue issue = TUNNEL_CONFIG_ISSUE_INIT;
  tunnel_config* config = nullptr;
  CHECK(tunnel_config_edit_config(edit.get(), &config, &issue) == TUNNEL_ERR_CONFIG);
  CHECK(config == nullptr);
  CHECK(issue.line == 6);
  CHECK(tunnel_config_edit_save(edit.get(), nullptr) == TUNNEL_ERR_UNSUPPORTED);
}

TEST_CASE("adding and removing peers in any order gives back the file", "[host][edit]") {
  std::mt19937 random(4);
  for (int round = 0; round < 200; ++round) {
    const std::string file = random_file(random);
    CAPTURE(file);
    const Edit edit = open(file);
    REQUIRE(text_of(edit) == file);
    std::vector<Key> added;
    for (int i = 0; i < 5; ++i) {
      added.push_back(random_key(random));
      tunnel_config_peer peer = TUNNEL_CONFIG_PEER_INIT;
      peer.public_key = added.back().data();
      peer.keepalive_s = static_cast<std::uint32_t>(random() % 3);
      REQUIRE(tunnel_config_edit_add_peer(edit.get(), &peer) == TUNNEL_OK);
    }
    REQUIRE(parse(text_of(edit)).status == TUNNEL_OK);
    std::shuffle(added.begin(), added.end(), random);
    for (const Key& key : added) {
      REQUIRE(tunnel_config_edit_remove_peer(edit.get(), key.data()) == TUNNEL_OK);
    }
    REQUIRE(text_of(edit) == file);
  }
}
