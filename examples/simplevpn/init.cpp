// init.cpp - writes configurations that work as they are.
//
// Nothing here needs privileges or changes the machine.
#include <algorithm>
#include <cctype>
#include <iterator>
#include <optional>

#include <tunnel/host/text.h>

#include "commands.h"
#include "config_file.h"
#include "format.h"

namespace simplevpn {
namespace {

constexpr const char* kDefaultNet = "10.9.0.0/24";
constexpr const char* kDefaultAddress = "10.9.0.2/24";
constexpr unsigned kDefaultPort = 51820;
constexpr unsigned kKeepalive = 25;  // seconds: shorter than what NAT routers remember

Failure usage(const std::string& message, const std::string& hint) {
  return {.exit = kUsage, .code = "E_USAGE", .message = message, .hint = hint};
}

// ---- checking what was given ----

std::optional<tunnel_prefix> read_prefix(const std::string& text) {
  tunnel_prefix prefix{};
  if (tunnel_prefix_from_text(text.data(), text.size(), &prefix) != TUNNEL_OK) return {};
  return prefix;
}

unsigned address_bits(const tunnel_prefix& prefix) {
  return prefix.family == TUNNEL_FAMILY_IPV4 ? 32 : 128;
}

// The network a prefix names: host bits cleared.
tunnel_prefix network_of(tunnel_prefix prefix) {
  for (unsigned bit = prefix.length; bit < address_bits(prefix); ++bit) {
    prefix.bytes[bit / 8] = static_cast<std::uint8_t>(prefix.bytes[bit / 8] & ~(0x80u >> bit % 8));
  }
  return prefix;
}

tunnel_prefix host_in(const tunnel_prefix& net, std::uint8_t number) {
  tunnel_prefix host = network_of(net);
  std::uint8_t& last = host.bytes[address_bits(net) / 8 - 1];
  last = static_cast<std::uint8_t>(last + number);
  return host;
}

tunnel_prefix single(tunnel_prefix host) {
  host.length = static_cast<std::uint8_t>(address_bits(host));
  return host;
}

// Reads networks or addresses; an error names the option.
std::optional<Failure> read_prefixes(const std::vector<std::string>& texts, const char* option,
                                     std::vector<tunnel_prefix>& prefixes) {
  for (const std::string& text : texts) {
    const auto prefix = read_prefix(text);
    if (!prefix) {
      return usage(std::string(option) + " " + text + " is not an address with a length",
                   std::string("for example ") + option + " " + kDefaultNet);
    }
    if (prefix->length == 0 || prefix->length + 2u > address_bits(*prefix)) {
      return usage(std::string(option) + " " + text + " is no network for a server and clients",
                   "lengths from 1 to 30 (IPv6: 126) have room");
    }
    prefixes.push_back(*prefix);
  }
  return {};
}

// The port of HOST:PORT or [IPv6]:PORT, 0 when it is neither.
unsigned endpoint_port(const std::string& endpoint) {
  const std::size_t colon = endpoint.rfind(':');
  if (colon == std::string::npos || colon == 0 || endpoint.size() - colon > 6) return 0;
  const std::string host = endpoint.substr(0, colon);
  const std::string digits = endpoint.substr(colon + 1);
  if (digits.empty() || digits.find_first_not_of("0123456789") != std::string::npos) return 0;
  const auto port = static_cast<unsigned>(std::stoul(digits));
  if (port > 65535) return 0;
  tunnel_address address{};
  if (tunnel_address_from_text(endpoint.data(), endpoint.size(), &address) == TUNNEL_OK)
    return port;
  const bool is_name = std::all_of(host.begin(), host.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '.' || c == '_';
  });
  return is_name ? port : 0;
}

std::optional<Failure> check_target(const std::string& file) {
  char name[16];
  if (file == "-" || tunnel_config_tunnel_name(file.c_str(), name) == TUNNEL_OK) return {};
  return usage(file + " cannot give an interface its name",
               "NAME.conf with up to 15 of the characters a-z A-Z 0-9 _ = + . -");
}

std::optional<Failure> check_endpoint(const std::string& endpoint) {
  if (endpoint_port(endpoint) != 0) return {};
  return usage("--endpoint " + endpoint + " is not HOST:PORT",
               "for example vpn.example.org:51820, 192.0.2.1:51820 or [2001:db8::1]:51820");
}

// ---- writing ----

std::string joined(const std::vector<tunnel_prefix>& prefixes) {
  std::string text;
  for (const tunnel_prefix& prefix : prefixes) {
    if (!text.empty()) text += ", ";
    text += prefix_text(prefix);
  }
  return text;
}

template <class Function>
std::vector<tunnel_prefix> each(const std::vector<tunnel_prefix>& prefixes, Function function) {
  std::vector<tunnel_prefix> results;
  std::transform(prefixes.begin(), prefixes.end(), std::back_inserter(results), function);
  return results;
}

struct KeyPair {
  tunnel::Key secret;
  std::string public_text;

  static std::optional<KeyPair> generate() {
    auto secret = tunnel::Key::generate_private();
    if (!secret) return {};
    const auto public_key = secret->public_key();
    if (!public_key) return {};
    return KeyPair{*std::move(secret), public_key_text(public_key->bytes.data())};
  }
};

Failure no_keys() {
  return {.code = "E_SYSTEM", .message = "cannot make keys"};
}

struct ClientText {
  const KeyPair& keys;
  const std::string& server_key;
  const std::string& endpoint;
  const std::vector<tunnel_prefix>& addresses;
  const tunnel::Key* preshared = nullptr;
};

void write_client(ConfigFile& file, const ClientText& client) {
  file.line("[Interface]");
  file.secret("PrivateKey", client.keys.secret);
  file.line("Address = " + joined(client.addresses));
  file.line("");
  file.line("[Peer]");
  file.line("# friendly_name = server");
  file.line("PublicKey = " + client.server_key);
  if (client.preshared != nullptr) file.secret("PresharedKey", *client.preshared);
  file.line("Endpoint = " + client.endpoint);
  file.line("AllowedIPs = " + joined(each(client.addresses, network_of)));
  file.line("PersistentKeepalive = " + std::to_string(kKeepalive));
}

std::string peer_section(const std::string& public_key,
                         const std::vector<tunnel_prefix>& addresses) {
  return "[Peer]\n# friendly_name = client\nPublicKey = " + public_key +
         "\nAllowedIPs = " + joined(each(addresses, single));
}

std::string start_advice(const char* command, const ConfigFile& file) {
  if (file.is_output()) return "";
  return file.path() + " is written. Start it: sudo simplevpn " + command + " " +
         shell_quoted(file.path());
}

// ---- a server, by itself or with its first client ----

class ServerWriter {
 public:
  ServerWriter(const InitServer& options, const Output& output)
      : options_(options), output_(output) {}

  int run() {
    if (const auto failure = check()) return fail(output_, *failure);
    const auto keys = KeyPair::generate();
    if (!keys) return fail(output_, no_keys());
    return options_.client.empty() ? write_alone(*keys) : write_pair(*keys);
  }

 private:
  std::optional<Failure> check() {
    std::vector<std::string> nets = options_.nets;
    if (nets.empty()) nets.push_back(kDefaultNet);
    if (auto failure = read_prefixes(nets, "--net", nets_)) return failure;
    if (auto failure = check_target(options_.file)) return failure;
    if (!options_.endpoint.empty()) {
      if (auto failure = check_endpoint(options_.endpoint)) return failure;
      port_ = endpoint_port(options_.endpoint);
    }
    if (options_.client.empty()) return {};
    if (options_.endpoint.empty()) {
      return usage("--client needs --endpoint", "the client must know where the server is");
    }
    return check_target(options_.client);
  }

  std::vector<tunnel_prefix> hosts(std::uint8_t number) const {
    return each(nets_, [number](const tunnel_prefix& net) { return host_in(net, number); });
  }

  void write_interface(ConfigFile& file, const KeyPair& keys) {
    file.line("[Interface]");
    file.secret("PrivateKey", keys.secret);
    file.line("ListenPort = " + std::to_string(port_));
    file.line("Address = " + joined(hosts(1)));
  }

  int write_alone(const KeyPair& keys) {
    ConfigFile file(options_.file);
    write_interface(file, keys);
    if (!file.flush()) return fail(output_, file.failure(output_));
    file.keep();
    const std::string endpoint =
        options_.endpoint.empty() ? "THIS_HOST:" + std::to_string(port_) : options_.endpoint;
    std::string command = "simplevpn init client --server-key " + keys.public_text +
                          " --endpoint " + shell_quoted(endpoint);
    for (const tunnel_prefix& host : hosts(2)) command += " --address " + prefix_text(host);
    advise(output_, start_advice("server", file));
    advise(output_, "On a client run this; it prints the [Peer] section to add here:\n\n  " +
                        command + "\n");
    return kOk;
  }

  int write_pair(const KeyPair& keys) {
    const auto client_keys = KeyPair::generate();
    const auto preshared = tunnel::Key::generate_preshared();
    if (!client_keys || !preshared) return fail(output_, no_keys());
    ConfigFile server(options_.file);
    ConfigFile client(options_.client);
    const auto addresses = hosts(2);
    write_client(client,
                 {*client_keys, keys.public_text, options_.endpoint, addresses, &*preshared});
    write_interface(server, keys);
    server.line("");
    server.line(peer_section(client_keys->public_text, addresses));
    server.secret("PresharedKey", *preshared);
    if (!server.flush()) return fail(output_, server.failure(output_));
    if (!client.flush()) return fail(output_, client.failure(output_));
    server.keep();
    client.keep();
    advise(output_, start_advice("server", server));
    advise(output_, start_advice("client", client));
    return kOk;
  }

  const InitServer& options_;
  const Output& output_;
  std::vector<tunnel_prefix> nets_;
  unsigned port_ = kDefaultPort;
};

std::optional<Failure> check_client(const InitClient& options,
                                    std::vector<tunnel_prefix>& addresses) {
  if (!tunnel::PublicKey::from_text(options.server_key)) {
    return usage("--server-key is not a public key",
                 "44 characters of base64, see simplevpn pubkey");
  }
  if (auto failure = check_target(options.file)) return failure;
  if (auto failure = check_endpoint(options.endpoint)) return failure;
  std::vector<std::string> texts = options.addresses;
  if (texts.empty()) texts.push_back(kDefaultAddress);
  return read_prefixes(texts, "--address", addresses);
}

}  // namespace

int init_server(const InitServer& options, const Output& output) {
  return ServerWriter(options, output).run();
}

int init_client(const InitClient& options, const Output& output) {
  std::vector<tunnel_prefix> addresses;
  if (const auto failure = check_client(options, addresses)) return fail(output, *failure);
  const auto keys = KeyPair::generate();
  if (!keys) return fail(output, no_keys());
  ConfigFile file(options.file);
  write_client(file, {*keys, options.server_key, options.endpoint, addresses});
  if (!file.flush()) return fail(output, file.failure(output));
  file.keep();
  advise(output, start_advice("client", file));
  advise(output, "Add this to the server's file and start the server anew:\n\n" +
                     peer_section(keys->public_text, addresses) + "\n");
  return kOk;
}

}  // namespace simplevpn
