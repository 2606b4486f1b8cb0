#include <cerrno>
#include <string>
#include <utility>
#include <vector>

#include "host/control/uapi_set.h"
#include "support/catch.hpp"

using namespace tunnel;
using host::Changes;
using host::InterfaceChange;
using host::PeerChange;
using host::SetParser;

namespace {

std::string key_text(char digit) {
  return std::string(64, digit);
}

std::string peer_line(char digit) {
  return "public_key=" + key_text(digit);
}

struct Parsed {
  Changes changes;
  int error;
};

Parsed parse(const std::vector<std::string>& lines) {
  SetParser parser;
  for (const std::string& line : lines) parser.take(line);
  Changes changes = parser.take_changes(true);
  return {std::move(changes), parser.error()};
}

// The error of one line after the beginning of a peer.
int peer_error(const std::string& line) {
  return parse({peer_line('1'), line}).error;
}

}  // namespace

TEST_CASE("every key of a set is read", "[host][control]") {
  const Parsed parsed =
      parse({"private_key=" + key_text('a'), "listen_port=51820", "fwmark=7", "replace_peers=true",
             peer_line('1'), "update_only=true", "preshared_key=" + key_text('c'),
             "endpoint=192.0.2.1:5", "persistent_keepalive_interval=25", "replace_allowed_ips=true",
             "allowed_ip=10.0.0.7/8", "allowed_ip=-fd00::/64", "protocol_version=1",
             "x_name=laptop", peer_line('2'), "remove=true"});
  REQUIRE(parsed.error == 0);
  const auto& interface = parsed.changes.interface;
  REQUIRE(interface.size() == 4);
  CHECK(interface[0].kind == InterfaceChange::Kind::private_key);
  CHECK(interface[0].private_key.bytes()[31] == 0xaa);
  CHECK(interface[1].kind == InterfaceChange::Kind::port);
  CHECK(interface[1].value == 51820);
  CHECK(interface[2].kind == InterfaceChange::Kind::mark);
  CHECK(interface[2].value == 7);
  CHECK(interface[3].kind == InterfaceChange::Kind::replace_peers);
  REQUIRE(parsed.changes.peers.size() == 2);
  const PeerChange& peer = parsed.changes.peers[0];
  CHECK(peer.key[0] == 0x11);
  CHECK(peer.fields == (TUNNEL_PEER_PRESHARED_KEY | TUNNEL_PEER_ENDPOINT | TUNNEL_PEER_KEEPALIVE));
  CHECK(peer.flags == (TUNNEL_PEER_UPDATE_ONLY | TUNNEL_PEER_REPLACE_PREFIXES));
  CHECK(peer.preshared_key.bytes()[0] == 0xcc);
  CHECK(peer.endpoint.port == 5);
  CHECK(peer.keepalive_s == 25);
  REQUIRE(peer.prefixes.size() == 2);
  CHECK(peer.prefixes[0].bytes[3] == 0);  // host bits are cleared
  CHECK(peer.prefixes[1].flags == TUNNEL_PREFIX_REMOVE);
  CHECK(peer.name == "laptop");
  CHECK(parsed.changes.peers[1].removes);
}

TEST_CASE("the lines before a faulty one hold, and nothing from it on", "[host][control]") {
  const Parsed parsed = parse({"fwmark=1", peer_line('1'), "persistent_keepalive_interval=5",
                               "preshared_key=00", "endpoint=192.0.2.1:5", peer_line('2')});
  CHECK(parsed.error == EINVAL);
  CHECK(parsed.changes.interface.size() == 1);
  REQUIRE(parsed.changes.peers.size() == 1);
  CHECK(parsed.changes.peers[0].fields == TUNNEL_PEER_KEEPALIVE);
}

TEST_CASE("lines that are wrong are refused", "[host][control]") {
  for (const char* line :
       {"private_key=12", "listen_port=65536", "listen_port=-1", "listen_port=", "fwmark=0x7",
        "fwmark=4294967296", "replace_peers=false", "remove=true", "x_name=early", "nonsense=1",
        "=", "endpoint=192.0.2.1:5", "public_key=", "protocol_version=1"}) {
    CAPTURE(line);
    CHECK(parse({line}).error == EINVAL);
  }
  for (const std::string& line :
       {std::string("remove=false"), std::string("update_only=1"),
        std::string("replace_allowed_ips="), std::string("endpoint=host:5"),
        std::string("endpoint=192.0.2.1"), std::string("endpoint=[::1]"),
        std::string("endpoint=192.0.2.1:0"), std::string("allowed_ip=x"),
        std::string("allowed_ip=--10.0.0.0/8"), std::string("allowed_ip=10.0.0.0/33"),
        std::string("persistent_keepalive_interval=off"),
        std::string("persistent_keepalive_interval=65536"), std::string("protocol_version=2"),
        std::string("listen_port=1"), std::string("x_name=a\033[2J"),
        "x_name=" + std::string(65, 'n'), std::string("x_other=1"),
        "public_key=" + key_text('g')}) {
    CAPTURE(line);
    CHECK(peer_error(line) == EINVAL);
  }
  CHECK(parse({"words"}).error == EPROTO);
  CHECK(parse({""}).error == EPROTO);
}

TEST_CASE("every name that a file can give a peer can be set", "[host][control]") {
  const std::string longest = host::friendly_name(std::string(80, 'n'));
  const Parsed parsed = parse({peer_line('1'), "x_name=" + longest});
  CHECK(parsed.error == 0);
  CHECK(parsed.changes.peers[0].name == longest);
}

TEST_CASE("replaced allowed ips take away what came before in the request", "[host][control]") {
  const Parsed parsed = parse({peer_line('1'), "allowed_ip=10.0.0.0/8", "replace_allowed_ips=true",
                               "allowed_ip=10.1.0.0/16"});
  REQUIRE(parsed.changes.peers.size() == 1);
  CHECK(parsed.changes.peers[0].prefixes.size() == 1);
}

TEST_CASE("a long request comes in pieces that begin with whole peers", "[host][control]") {
  SetParser parser;
  std::size_t peers = 0;
  std::size_t pieces = 0;
  for (int i = 0; i < 1000; ++i) {
    for (const std::string& line : {peer_line('1'), std::string("update_only=true")}) {
      parser.take(line);
      if (!parser.is_full()) continue;
      const Changes changes = parser.take_changes(false);
      CHECK(changes.peers.size() * 2 <= SetParser::kPieceLines + 2);
      for (const PeerChange& peer : changes.peers) {
        CHECK(peer.flags == TUNNEL_PEER_UPDATE_ONLY);
      }
      peers += changes.peers.size();
      ++pieces;
    }
  }
  peers += parser.take_changes(true).peers.size();
  CHECK(peers == 1000);
  CHECK(pieces >= 3);
}

TEST_CASE("a peer with a very long list is cut and goes on as itself", "[host][control]") {
  SetParser parser;
  parser.take(peer_line('1'));
  parser.take("replace_allowed_ips=true");
  std::size_t prefixes = 0;
  std::size_t pieces = 0;
  for (int i = 0; i < 5000; ++i) {
    parser.take("allowed_ip=10." + std::to_string(i / 256) + "." + std::to_string(i % 256) +
                ".1/32");
    if (!parser.is_full()) continue;
    const Changes changes = parser.take_changes(false);
    REQUIRE(changes.peers.size() == 1);
    CHECK(changes.peers[0].key[0] == 0x11);
    const bool first = pieces++ == 0;
    CHECK(changes.peers[0].flags ==
          (first ? TUNNEL_PEER_REPLACE_PREFIXES : TUNNEL_PEER_UPDATE_ONLY));
    prefixes += changes.peers[0].prefixes.size();
  }
  prefixes += parser.take_changes(true).peers[0].prefixes.size();
  CHECK(prefixes == 5000);
  CHECK(pieces >= 9);
}

TEST_CASE("a host name as endpoint needs a port and nothing that a terminal obeys",
          "[host][control]") {
  const Parsed parsed = parse({peer_line('1'), "x_endpoint=vpn.example.com:51820"});
  REQUIRE(parsed.changes.peers.size() == 1);
  CHECK(parsed.changes.peers[0].host == "vpn.example.com");
  CHECK(parsed.changes.peers[0].host_port == 51820);
  for (const std::string& value :
       {std::string("vpn.example.com"), std::string(":7"), std::string("vpn:0"),
        std::string("vpn:65536"), std::string("a b:7"), std::string("a\033:7"),
        std::string(254, 'a') + ":7"}) {
    CAPTURE(value);
    CHECK(peer_error("x_endpoint=" + value) == EINVAL);
  }
}
