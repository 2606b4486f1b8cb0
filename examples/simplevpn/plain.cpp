#include "plain.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <memory>

#include "client_text.h"
#include "commands.h"
#include "format.h"

namespace simplevpn {
namespace {

constexpr unsigned kDemoPort = 54345;
constexpr unsigned kDemoMtu = 1400;

// Where a key would name the peer. It says itself that it is none.
constexpr std::array<std::uint8_t, TUNNEL_KEY_SIZE> kPeerName{"insecure plain peer, not a key"};

const char* remote_option(const Plain& plain) {
  return plain.server ? "--peer" : "--endpoint";
}

// ---- the other side ----

struct HostAndPort {
  std::string host;
  std::string port = std::to_string(kDemoPort);
};

// "HOST", "HOST:PORT", "2001:db8::1", "[2001:db8::1]", "[2001:db8::1]:PORT"
HostAndPort split(const std::string& text) {
  const std::size_t bracket = text.find(']');
  if (text.starts_with('[') && bracket != std::string::npos) {
    HostAndPort parts{.host = text.substr(1, bracket - 1)};
    const std::string rest = text.substr(bracket + 1);
    if (!rest.empty()) parts.port = rest[0] == ':' ? rest.substr(1) : "";
    return parts;
  }
  const std::size_t colon = text.find(':');
  if (colon == std::string::npos || text.find(':', colon + 1) != std::string::npos) {
    return {.host = text};
  }
  return {text.substr(0, colon), text.substr(colon + 1)};
}

bool is_port(const std::string& text) {
  std::uint16_t port = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, port);
  return error == std::errc{} && stop == end && port != 0;
}

tunnel_address address_of(const addrinfo& found) {
  tunnel_address address{};
  if (found.ai_family == AF_INET) {
    sockaddr_in ipv4{};
    std::memcpy(&ipv4, found.ai_addr, sizeof ipv4);
    address.family = TUNNEL_FAMILY_IPV4;
    address.port = ntohs(ipv4.sin_port);
    std::memcpy(address.bytes, &ipv4.sin_addr, 4);
  } else {
    sockaddr_in6 ipv6{};
    std::memcpy(&ipv6, found.ai_addr, sizeof ipv6);
    address.family = TUNNEL_FAMILY_IPV6;
    address.port = ntohs(ipv6.sin6_port);
    address.scope = ipv6.sin6_scope_id;
    std::memcpy(address.bytes, &ipv6.sin6_addr, 16);
  }
  return address;
}

// The first address of a name. A server's peer is an address, because datagrams are compared to it.
std::optional<Failure> look_up(const Plain& plain, tunnel_address& address) {
  const HostAndPort parts = split(plain.remote);
  if (parts.host.empty() || !is_port(parts.port)) {
    return usage_failure(
        std::string(remote_option(plain)) + " " + plain.remote + " is not HOST[:PORT]",
        "for example 192.0.2.1, 192.0.2.1:54345 or [2001:db8::1]:54345");
  }
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  hints.ai_flags = AI_NUMERICSERV | (plain.server ? AI_NUMERICHOST : 0);
  addrinfo* found = nullptr;
  const int error = getaddrinfo(parts.host.c_str(), parts.port.c_str(), &hints, &found);
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> list(found, &freeaddrinfo);
  if (error == 0) {
    address = address_of(*found);
    return {};
  }
  if (plain.server) return usage_failure("--peer " + plain.remote + " is not ADDRESS[:PORT]", "");
  return Failure{.exit = kActivation,
                 .code = "E_NO_ADDRESS",
                 .message = "no address for " + parts.host + ": " + gai_strerror(error)};
}

std::optional<Failure> find_remote(const Plain& plain, tunnel_address& address) {
  if (plain.remote.empty()) {
    return plain.server
               ? usage_failure(
                     "--insecure-plain needs --peer ADDRESS[:PORT]",
                     "a plain server learns nothing from datagrams, whoever sends them: say where "
                     "its client is and which port it sends from")
               : usage_failure("--insecure-plain needs --endpoint HOST[:PORT]",
                               "where the server is");
  }
  return look_up(plain, address);
}

// ---- the configuration ----

std::optional<Failure> add_prefix(const std::string& text, const char* option, std::string& list) {
  const auto prefix = read_prefix(text);
  if (!prefix) {
    return usage_failure(std::string(option) + " " + text + " is not an address with a length",
                         "for example 10.8.0.1/16");
  }
  list += (list.empty() ? "" : ", ") + prefix_text(*prefix);
  return {};
}

std::optional<Failure> write_config(const Plain& plain, std::string& text) {
  tunnel_address remote{};
  std::string address = plain.address;
  if (address.empty()) address = plain.server ? "10.8.0.1/16" : "10.8.0.2/16";
  auto allowed = plain.allowed_ips;
  if (allowed.empty()) allowed.push_back(address);
  std::string own;
  std::string theirs;
  if (auto failure = find_remote(plain, remote)) return failure;
  if (auto failure = add_prefix(address, "--address", own)) return failure;
  for (const std::string& each : allowed) {
    if (auto failure = add_prefix(each, "--allowed-ips", theirs)) return failure;
  }
  text = "[Interface]\nListenPort = " + std::to_string(plain.port) + "\nAddress = " + own +
         "\nMTU = " + std::to_string(kDemoMtu) +
         "\n[Peer]\n# friendly_name = " + (plain.server ? "client" : "server") +
         "\nPublicKey = " + public_key_text(kPeerName.data()) +
         "\nEndpoint = " + address_text(remote) + "\nAllowedIPs = " + theirs + "\n";
  return {};
}

}  // namespace

std::optional<Failure> make_plain_target(const Up& options, Target& target) {
  const Plain& plain = options.plain;
  if (!options.config.empty()) {
    return usage_failure("--insecure-plain takes no file",
                         "a file has keys, and whoever made keys wants them used");
  }
  char name[16];
  if (tunnel_config_tunnel_name((plain.name + ".conf").c_str(), name) != TUNNEL_OK ||
      plain.name.find('/') != std::string::npos) {
    return usage_failure("--name " + plain.name + " cannot be the name of an interface",
                         "up to 15 of the characters a-z A-Z 0-9 _ = + . -");
  }
  target.name = plain.name;
  target.path = "the command line";
  return write_config(plain, target.plain_config);
}

}  // namespace simplevpn
