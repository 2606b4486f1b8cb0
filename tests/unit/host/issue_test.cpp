#include <tunnel/host/config.h>

#include <cstdint>
#include <string>
#include <vector>

#include "config_support.h"
#include "support/catch.hpp"

using namespace tunnel::test;

namespace {

struct Row {
  std::string text;  // behind a complete interface and a [Peer] with key: it begins in line 5
  std::uint32_t line, column;
  std::string message;
  std::string hint = {};
};

std::string shown(const tunnel_config_issue& issue, const char* file = "wg0.conf") {
  const std::int32_t size = tunnel_config_issue_text(&issue, file, nullptr, 0);
  REQUIRE(size > 0);
  std::string text(static_cast<std::size_t>(size) + 1, '\0');
  REQUIRE(tunnel_config_issue_text(&issue, file, text.data(), text.size()) == size);
  text.pop_back();
  return text;
}

void check_rows(const std::vector<Row>& rows, std::string (*around)(std::string_view)) {
  for (const Row& row : rows) {
    CAPTURE(row.text.substr(0, 100));
    const Parsed parsed = parse(around(row.text));
    CHECK(parsed.status == TUNNEL_ERR_CONFIG);
    CHECK(parsed.config == nullptr);
    CHECK(parsed.issue.status == TUNNEL_ERR_CONFIG);
    CHECK(parsed.issue.line == row.line);
    CHECK(parsed.issue.column == row.column);
    CHECK(std::string(parsed.issue.message) == row.message);
    CHECK(std::string(parsed.issue.hint) == row.hint);
    CHECK((parsed.issue.span >= 1 || row.line == 0));
  }
}

std::string as_it_is(std::string_view text) {
  return std::string(text);
}

const std::string kIp4 = "the prefix length of an IPv4 address is a number from 0 to 32";
const std::string kIp6 = "the prefix length of an IPv6 address is a number from 0 to 128";
const std::string kKeyHint = "a key has 44 characters, the last of them is '='";
const std::string kPort6 = "write it as [address]:port, e.g. [2001:db8::1]:51820";
const std::string kPort = "write it as host:port, e.g. vpn.example.com:51820";

}  // namespace

TEST_CASE("a fault in a peer is reported with line, column, reason and hint", "[host][config]") {
  check_rows(
      {
          {"AllowedIPs = 10.0.0.0/33", 5, 23, kIp4},
          {"AllowedIPs = 10.0.0.0/8, ::/129", 5, 29, kIp6},
          {"AllowedIPs = 10.0.0.0/", 5, 23, kIp4},
          {"AllowedIPs = 10.0.0.0/8,", 5, 25, "an address is missing in the list"},
          {"AllowedIPs = 10.0.0.0/8,,::/0", 5, 25, "an address is missing in the list"},
          {"AllowedIPs = 10.0.0/8", 5, 14, "this is not an IP address"},
          {"AllowedIPs = fe80::1%eth0/64", 5, 21, "a prefix has no zone"},
          {"AllowedIPs = 10.0.0.0/0x8", 5, 23, kIp4},
          {"Endpoint = vpn.example.com", 5, 12, "the endpoint has no port", kPort},
          {"Endpoint = vpn.example.com:", 5, 12, "the endpoint has no port", kPort},
          {"Endpoint = :51820", 5, 12, "the endpoint has no host", kPort},
          {"Endpoint =", 5, 11, "the endpoint has no port", kPort},
          {"Endpoint = 192.0.2.1:0", 5, 22, "nobody can be reached at port 0"},
          {"Endpoint = 192.0.2.1:65536", 5, 22,
           "the port is neither a number up to 65535 nor the name of a UDP service"},
          {"Endpoint = 192.0.2.1:no-such-service", 5, 22,
           "the port is neither a number up to 65535 nor the name of a UDP service"},
          {"Endpoint = 300.0.2.1:51820", 5, 12, "this is not an IPv4 address"},
          {"Endpoint = [2001:db8::1:51820", 5, 12, "the bracket is not closed", kPort6},
          {"Endpoint = [2001:db8::1]51820", 5, 25, "a colon and the port must follow the bracket",
           kPort6},
          {"Endpoint = [2001:db8::g]:51820", 5, 13, "this is not an IPv6 address"},
          {"Endpoint = [192.0.2.1]:51820", 5, 13, "brackets are for IPv6 addresses only"},
          {"Endpoint = vpn/example:51820", 5, 15, "this character cannot be in a host name"},
          {"PersistentKeepalive = 65536", 5, 23,
           "PersistentKeepalive is neither 'off' nor a number up to 65535"},
          {"PersistentKeepalive = 0L", 5, 23,
           "PersistentKeepalive is neither 'off' nor a number up to 65535"},
          {"PersistentKeepalive =", 5, 22,
           "PersistentKeepalive is neither 'off' nor a number up to 65535"},
          {"PublicKey = " + kOtherKey, 5, 1, "'PublicKey' was set already in line 4"},
          {"PresharedKey = abc", 5, 16, "PresharedKey is not a key: 3 characters instead of 44",
           kKeyHint},
          {"MTU = 1420", 5, 1, "'MTU' belongs into [Interface]"},
          {"AlowedIP = 10.0.0.0/8", 5, 1, "unknown key 'AlowedIP'", "did you mean 'AllowedIPs'?"},
          {"[Peer]", 5, 1, "this peer has no PublicKey"},
          {"[Peer]\nAllowedIPs = 10.0.0.0/8\n[Peer]\n", 5, 1, "this peer has no PublicKey"},
          {"[Peer]\nPublicKey = " + kPeerKey, 6, 13,
           "the peer in line 3 has this public key already"},
          {"[Peer]\nPublicKey = " + kOwnPublicKey, 6, 13,
           "this is our own public key: it belongs to the PrivateKey above",
           "put the public key of the other side here"},
      },
      with_peer);
}

TEST_CASE("a fault in the interface is reported with line, column, reason and hint",
          "[host][config]") {
  const std::string port =
      "ListenPort is neither a number up to 65535 nor the name of a UDP service";
  const std::string mark = "FwMark is neither 'off' nor a number of 32 bits";
  const std::string mark_hint = "write it as 51820 or 0xca6c";
  const std::string domain = "this is no domain to search in";
  const std::string signs = "letters, digits, '-', '_' and dots";
  const std::string mtu = "MTU is not a number from 68 to 65535";
  check_rows(
      {
          {"ListenPort = 65536", 3, 14, port},
          {"ListenPort = -1", 3, 14, port},
          {"ListenPort = 0x", 3, 14, port},
          {"ListenPort =", 3, 13, port},
          {"DNS = 10.9.0.1, 1.2.3", 3, 17, "this is not the IP address of a DNS server"},
          {"DNS = 10.9.0.1 nope!", 3, 16, domain, signs},
          {"DNS = 10.9.0.1, -a.example", 3, 17, domain, signs},
          {"DNS = 10.9.0.1, ~-a.example", 3, 17, domain, signs},
          {"DNS = 10.9.0.1, \xc3\xbc.example", 3, 17, domain, signs},
          {"Table = nosuchtable", 3, 9,
           "Table is neither 'auto', 'off' nor a number or name of a routing table",
           "names stand in /etc/iproute2/rt_tables"},
          {"Table = 0", 3, 9,
           "Table is neither 'auto', 'off' nor a number or name of a routing table",
           "names stand in /etc/iproute2/rt_tables"},
          {"FwMark = 0x", 3, 10, mark, mark_hint},
          {"FwMark = 0x100000000", 3, 10, mark, mark_hint},
          {"FwMark = 0Xca6c", 3, 10, mark, mark_hint},
          {"FwMark = 12ab", 3, 10, mark, mark_hint},
          {"MTU = 67", 3, 7, mtu},
          {"MTU = 65536", 3, 7, mtu},
          {"MTU = 14 20 x", 3, 7, mtu},
          {"Address = 10.9.0.1/24, 10.9.0.300", 3, 24, "this is not an IP address"},
          {"Address = 10.9.0.1/33", 3, 20, kIp4},
          {"Address =", 3, 10, "Address is empty", "e.g. 10.9.0.2/24"},
          {"Address = 10.9.0.1, fd00::1\nMTU = 1279\n# end", 4, 7,
           "an interface with an IPv6 address needs an MTU of at least 1280"},
          {"SaveConfig = yes", 3, 14, "SaveConfig is neither 'true' nor 'false'"},
          {"Endpoint = 192.0.2.1:1", 3, 1, "'Endpoint' belongs into [Peer]"},
          {"Adress = 10.9.0.1", 3, 1, "unknown key 'Adress'", "did you mean 'Address'?"},
          {"Flurb = 10.9.0.1", 3, 1, "unknown key 'Flurb'"},
          {"; a comment of another format", 3, 1, "this is neither 'Key = value' nor a [Section]"},
          {"[Interfce]", 3, 1, "sections are [Interface] and [Peer]",
           "did you mean '[Interface]'?"},
          {"[Peer", 3, 1, "sections are [Interface] and [Peer]", "did you mean '[Peer]'?"},
      },
      with_interface);
}

TEST_CASE("a fault of the text itself is reported with its place", "[host][config]") {
  using std::string_literals::operator""s;
  check_rows(
      {
          {"PrivateKey = " + kPrivateKey, 1, 1, "'PrivateKey' stands before any [Section]"},
          {"[Interface]\nPrivateKey =\n", 2, 13,
           "PrivateKey is not a key: 0 characters instead of 44", kKeyHint},
          {"[Interface]\nMTU = 1\0 420\n"s, 2, 8, "there is a zero byte here",
           "is this a text file?"},
          {"[Interface]\n# " + std::string(1000000, 'x') + "\n", 2, 1,
           "this line is longer than 524288 bytes", "use several lines"},
          {"\xff\xfe[\0I\0"s, 0, 0, "this is UTF-16 text", "save the file as UTF-8"},
      },
      as_it_is);
}

TEST_CASE("keys of 31 and 33 bytes are refused without being shown", "[host][config]") {
  const std::string short_key = "q7CAgsd+AhQ7MqVcmaAzKVEiLXYIYhDRwSzN6sKiWQ==";
  const std::string long_key = "q7CAgsd+AhQ7MqVcmaAzKVEiLXYIYhDRwSzN6sKiWXY0";
  for (const std::string& key : {short_key, long_key}) {
    const Parsed parsed = parse("[Interface]\nPrivateKey = " + key + "\n");
    REQUIRE(parsed.status == TUNNEL_ERR_CONFIG);
    CHECK(shown(parsed.issue) ==
          "wg0.conf:2:14: PrivateKey is not a key: this is not the base64 text of 32 bytes\n"
          "  PrivateKey = (hidden)\n"
          "               ^~~~~~~~\n"
          "hint: a key has 44 characters, the last of them is '='\n");
  }
}

TEST_CASE("a hidden key is hidden with its padding", "[host][config]") {
  const Parsed parsed = parse("[Peer]\nPublicKeey = " + kPrivateKey + " # of Ann\n");
  CHECK(shown(parsed.issue) ==
        "wg0.conf:2:1: unknown key 'PublicKeey'\n"
        "  PublicKeey = (hidden) # of Ann\n"
        "  ^~~~~~~~~~\n"
        "hint: did you mean 'PublicKey'?\n");
}

TEST_CASE("no part of a secret reaches a message, wherever it stands", "[host][config]") {
  const std::string half = "yAnz5TF+lXXJte14tji3zl";  // 22 characters of a key
  const std::string texts[] = {
      "[Interface]\nPrivateKey = " + kPrivateKey + kPrivateKey,
      "[Interface]\nPrivateKey = " + half + " # was " + half,
      "[Interface]\nPrivateKey " + half,
      "[Interface]\nPrivateKey = \n" + half + "=",
      "[Interface]\nPrivatKey = " + half,
      "[Interface]\nKey = " + half,
      "[Interface]\n" + half + " = x",
      "[Interface]\n" + kPrivateKey,
      kPrivateKey,
      "[Interface]\n" + half,
      "[Peer]\nPresharedKey = " + half,
      "PresharedKey = " + half,
      "[Peer]\nPublicKey = " + kPrivateKey + "x",
      "[Peer]\nEndpoint = " + kPrivateKey,
      "[Peer]\nPrivateKey = " + half,
      "[Interface]\nMTU = " + kPrivateKey,
      "[Interface]\nMTU = x" + std::string(5000, ' ') + kPrivateKey,
      "[Interface]\nMTU = x" + std::string(1010, ' ') + kPrivateKey,
      "[" + kPrivateKey + "]",
  };
  for (const std::string& text : texts) {
    CAPTURE(text);
    const Parsed parsed = parse(text);
    REQUIRE(parsed.status == TUNNEL_ERR_CONFIG);
    const std::string all = shown(parsed.issue);
    CAPTURE(all);
    CHECK(all.find(half.substr(0, 12)) == std::string::npos);
    CHECK(all.find(kPrivateKey.substr(25, 12)) == std::string::npos);
  }
}

TEST_CASE("the caret stands under the fault, also behind tabs, umlauts and broken UTF-8",
          "[host][config]") {
  const Parsed tab = parse(
      "[Interface]\n\tMTU\t=\t9x # gr\xc3\xb6\xc3\x9f"
      "er\n");
  CHECK(shown(tab.issue) ==
        "wg0.conf:2:8: MTU is not a number from 68 to 65535\n"
        "   MTU = 9x # gr\xc3\xb6\xc3\x9f"
        "er\n"
        "         ^~\n");
  const Parsed umlaut = parse(
      "[Peer]\nEndpoint = b\xc3\xbc\xff"
      "cher:0\n");
  CHECK(umlaut.issue.column == 20);
  CHECK(shown(umlaut.issue) ==
        "wg0.conf:2:20: nobody can be reached at port 0\n"
        "  Endpoint = b\xc3\xbc?cher:0\n"
        "                     ^\n");
}

TEST_CASE("of a long line the part around the fault is shown", "[host][config]") {
  std::string list = "AllowedIPs = ";
  for (int i = 0; i < 2000; ++i) list += "10.0." + std::to_string(i % 256) + ".0/24, ";
  const Parsed parsed = parse(with_peer(list + "nonsense, 10.1.0.0/16\n"));
  REQUIRE(parsed.status == TUNNEL_ERR_CONFIG);
  CHECK(parsed.issue.column == list.size() + 1);
  const std::string text = parsed.issue.text;
  CHECK(text.size() <= 100);
  CHECK(text.substr(parsed.issue.caret, parsed.issue.span) == "nonsense");
}

TEST_CASE("issue texts are cut to the caller's buffer", "[host][config]") {
  const Parsed parsed = parse("nonsense");
  char text[10];
  CHECK(tunnel_config_issue_text(&parsed.issue, "wg0.conf", text, sizeof(text)) > 10);
  CHECK(std::string(text) == "wg0.conf:");
  CHECK(tunnel_config_issue_text(nullptr, "f", text, sizeof(text)) == TUNNEL_ERR_ARGUMENT);
}

TEST_CASE("at most a hundred warnings are kept", "[host][config]") {
  std::string text;
  for (int i = 0; i < 500; ++i) text += "AllowedIPs = 10.0." + std::to_string(i % 256) + ".1/24\n";
  const Parsed parsed = parse(with_peer(text));
  REQUIRE(parsed.status == TUNNEL_OK);
  CHECK(tunnel_config_warning_count(parsed.config.get()) == 100);
  tunnel_config_issue issue = TUNNEL_CONFIG_ISSUE_INIT;
  CHECK(tunnel_config_warning(parsed.config.get(), 100, &issue) == TUNNEL_ERR_NOT_FOUND);
}
