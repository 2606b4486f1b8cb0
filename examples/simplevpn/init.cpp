// init.cpp - writes configurations that work as they are.
//
// Nothing here needs privileges or changes the machine.
#include <optional>

#include "client_text.h"
#include "commands.h"
#include "config_file.h"
#include "format.h"

namespace simplevpn {
namespace {

constexpr const char* kDefaultNet = "10.9.0.0/24";
constexpr const char* kDefaultAddress = "10.9.0.2/24";
constexpr unsigned kDefaultPort = 51820;

// ---- checking what was given ----

tunnel_prefix host_in(const tunnel_prefix& net, std::uint8_t number) {
  tunnel_prefix host = network_of(net);
  std::uint8_t& last = host.bytes[address_bits(net) / 8 - 1];
  last = static_cast<std::uint8_t>(last + number);
  return host;
}

// Reads networks or addresses; an error names the option.
std::optional<Failure> read_prefixes(const std::vector<std::string>& texts, const char* option,
                                     std::vector<tunnel_prefix>& prefixes) {
  for (const std::string& text : texts) {
    const auto prefix = read_prefix(text);
    if (!prefix) {
      return usage_failure(std::string(option) + " " + text + " is not an address with a length",
                           std::string("for example ") + option + " " + kDefaultNet);
    }
    if (prefix->length == 0 || prefix->length + 2u > address_bits(*prefix)) {
      return usage_failure(
          std::string(option) + " " + text + " is no network for a server and clients",
          "lengths from 1 to 30 (IPv6: 126) have room");
    }
    prefixes.push_back(*prefix);
  }
  return {};
}

std::optional<Failure> check_target(const std::string& file) {
  char name[16];
  if (file == "-" || tunnel_config_tunnel_name(file.c_str(), name) == TUNNEL_OK) return {};
  return usage_failure(file + " cannot give an interface its name",
                       "NAME.conf with up to 15 of the characters a-z A-Z 0-9 _ = + . -");
}

// ---- writing ----

Failure no_keys() {
  return {.code = "E_SYSTEM", .message = "cannot make keys"};
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
      return usage_failure("--client needs --endpoint", "the client must know where the server is");
    }
    return check_target(options_.client);
  }

  std::vector<tunnel_prefix> hosts(std::uint8_t number) const {
    return each(nets_, [number](const tunnel_prefix& net) { return host_in(net, number); });
  }

  void write_interface(ConfigFile& file, const KeyPair& keys) {
    file.line("[Interface]");
    // For `peer add`: what clients are told.
    if (!options_.endpoint.empty()) file.line("# endpoint = " + options_.endpoint);
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
    write_client(client, {.secret = &client_keys->secret,
                          .server_key = keys.public_text,
                          .endpoint = options_.endpoint,
                          .addresses = addresses,
                          .allowed = each(addresses, network_of),
                          .preshared = &*preshared});
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
    return usage_failure("--server-key is not a public key",
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
  write_client(file, {.secret = &keys->secret,
                      .server_key = options.server_key,
                      .endpoint = options.endpoint,
                      .addresses = addresses,
                      .allowed = each(addresses, network_of)});
  if (!file.flush()) return fail(output, file.failure(output));
  file.keep();
  advise(output, start_advice("client", file));
  advise(output,
         "Add this to the server's file; a server that runs takes it with `simplevpn reload`:\n\n" +
             peer_section(keys->public_text, addresses) + "\n");
  return kOk;
}

}  // namespace simplevpn
