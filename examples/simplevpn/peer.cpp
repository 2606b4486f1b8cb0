// peer.cpp - `peer`: adds, removes, renames and lists the clients of a server, in its file and in
// the tunnel that runs from it.
#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "client_text.h"
#include "commands.h"
#include "config_file.h"
#include "peer_file.h"
#include "qr.h"
#include "secret_text.h"

namespace simplevpn {
namespace {

using nlohmann::ordered_json;

Failure no_such_peer(const std::string& name, const std::string& path) {
  return {.exit = kNoSuch,
          .code = "E_NO_SUCH_PEER",
          .message = "no peer of " + path + " is called " + name,
          .hint = "simplevpn peer list shows them"};
}

// A server may have several addresses in one network, of which the first counts, and networks in a
// network.
bool is_in_another(const tunnel_config_interface& interface, std::size_t index) {
  const tunnel_prefix& own = interface.addresses[index];
  for (std::size_t i = 0; i < interface.address_count; ++i) {
    const tunnel_prefix& other = interface.addresses[i];
    const bool counts = other.length < own.length || (other.length == own.length && i < index);
    if (counts && lies_in(own, other)) return true;
  }
  return false;
}

// What an edit refuses, in words.
Failure edit_failure(const Output& output, std::int32_t status, const std::string& name) {
  if (status == TUNNEL_ERR_EXISTS) {
    return {.code = "E_EXISTS", .message = "a peer with the name or key of " + name + " exists"};
  }
  if (status == TUNNEL_ERR_ARGUMENT) {
    return usage_failure("'" + name + "' is no name for a peer",
                         "up to 64 bytes, no control characters");
  }
  return status_failure(output, status, "change the peer " + name, kFailure);
}

std::vector<std::string> texts_of(const std::vector<tunnel_prefix>& prefixes) {
  std::vector<std::string> texts;
  for (const tunnel_prefix& prefix : prefixes) texts.push_back(prefix_text(prefix));
  return texts;
}

class PeerAdder {
 public:
  PeerAdder(const PeerAdd& options, const Output& output)
      : options_(options), output_(output), file_(output) {}

  // Everything is ready to be printed before the file is changed.
  int run() {
    if (const auto failure = prepare()) return fail(output_, *failure);
    SecretText text;
    write_client(text, client_);
    std::string code;
    if (!options_.qr.empty()) code = qr_code(text.c_str(), options_.qr);
    if (!options_.qr.empty() && code.empty()) {
      return fail(output_,
                  usage_failure("the configuration is too long for a QR code", "use --out FILE"));
    }
    if (options_.out.empty()) return commit([&] { return print(text, code); });
    ConfigFile out(options_.out);
    write_client(out, client_);
    if (!out.flush()) return fail(output_, out.failure(output_));
    return commit([&] {
      out.keep();
      return print(text, code);
    });
  }

 private:
  std::optional<Failure> prepare() {
    if (options_.name.empty()) return usage_failure("a peer needs a name", "peer add NAME");
    if (auto failure = file_.open(options_.config)) return failure;
    if (file_.interface().private_key == nullptr) {
      return usage_failure(file_.path() + " has no PrivateKey", "it is no server's file");
    }
    if (auto failure = choose_endpoint()) return failure;
    if (auto failure = choose_addresses()) return failure;
    if (auto failure = make_keys()) return failure;
    return add();
  }

  std::optional<Failure> choose_endpoint() {
    client_.endpoint = options_.endpoint.empty() ? file_.pragma("endpoint") : options_.endpoint;
    if (!client_.endpoint.empty()) return check_endpoint(client_.endpoint);
    return usage_failure(
        "how clients reach the server is not known",
        "--endpoint HOST:PORT, or a comment \"# endpoint = HOST:PORT\" in [Interface]");
  }

  // One free address in each network of the server.
  std::optional<Failure> choose_addresses() {
    const tunnel_config_interface interface = file_.interface();
    for (std::size_t i = 0; i < interface.address_count; ++i) {
      if (is_in_another(interface, i)) continue;
      tunnel_prefix address{};
      const std::int32_t status = tunnel_config_next_address(file_.config(), i, &address);
      const std::string net = prefix_text(network_of(interface.addresses[i]));
      if (status == TUNNEL_ERR_LIMIT) {
        return Failure{.code = "E_FULL", .message = "no address of " + net + " is free"};
      }
      if (status != TUNNEL_OK) return status_failure(output_, status, "use " + net, kFailure);
      owned_.push_back(single(address));
      address.length = interface.addresses[i].length;
      client_.addresses.push_back(address);
      client_.allowed.push_back(network_of(address));
    }
    if (owned_.empty()) {
      return usage_failure(file_.path() + " has no Address", "clients get one of its");
    }
    client_.dns = options_.dns;
    return options_.allowed.empty() ? std::nullopt : read_allowed();
  }

  std::optional<Failure> read_allowed() {
    client_.allowed.clear();
    for (const std::string& text : options_.allowed) {
      const auto prefix = read_prefix(text);
      if (!prefix) {
        return usage_failure("--allowed-ips " + text + " is no network", "such as 0.0.0.0/0");
      }
      client_.allowed.push_back(*prefix);
    }
    return {};
  }

  std::optional<Failure> make_keys() {
    const Failure no_keys{.code = "E_SYSTEM", .message = "cannot make keys"};
    auto secret = tunnel::Key::from_bytes(
        std::span<const std::uint8_t, TUNNEL_KEY_SIZE>(file_.interface().private_key, 32));
    const auto server = secret.public_key();
    if (!server) return no_keys;
    client_.server_key = public_key_text(server->bytes.data());
    if (options_.psk) {
      auto preshared = tunnel::Key::generate_preshared();
      if (!preshared) return no_keys;
      preshared_.emplace(*std::move(preshared));
      client_.preshared = &*preshared_;
    }
    if (!options_.public_key.empty()) return read_public_key();
    auto keys = KeyPair::generate();
    if (!keys) return no_keys;
    secret_.emplace(std::move(keys->secret));
    client_.secret = &*secret_;
    public_text_ = keys->public_text;
    public_ = *tunnel::PublicKey::from_text(public_text_);
    return {};
  }

  std::optional<Failure> read_public_key() {
    const auto key = tunnel::PublicKey::from_text(options_.public_key);
    if (!key) {
      return usage_failure("--public-key is not a public key",
                           "44 characters of base64, see pubkey");
    }
    public_ = *key;
    public_text_ = options_.public_key;
    return {};
  }

  std::optional<Failure> add() {
    peer_.public_key = public_.bytes.data();
    peer_.preshared_key = preshared_ ? preshared_->data() : nullptr;
    peer_.name = options_.name.c_str();
    peer_.host = "";
    peer_.allowed_ips = owned_.data();
    peer_.allowed_ip_count = owned_.size();
    const std::int32_t status = tunnel_config_edit_add_peer(file_.edit(), &peer_);
    if (status == TUNNEL_OK) return {};
    return edit_failure(output_, status, options_.name);
  }

  template <class Print>
  int commit(Print print) {
    const auto failure = file_.commit(peer_, TUNNEL_CONTROL_PEER_SET);
    if (failure) return fail(output_, *failure);
    if (!print()) return fail(output_, not_printed());
    advise(output_, options_.name + " is added to " + file_.path());
    advise(output_, scope());
    return kOk;
  }

  // What most people want of a phone is not what it gets by default, and nothing else says so.
  std::string scope() const {
    const bool everything =
        std::any_of(client_.allowed.begin(), client_.allowed.end(),
                    [](const tunnel_prefix& prefix) { return prefix.length == 0; });
    const std::string what = "through the tunnel goes " + joined(client_.allowed);
    if (!everything) return what + "; for everything: --allowed-ips 0.0.0.0/0,::/0 --dns ADDRESS";
    return what + (client_.dns.empty() ? "; names may be asked outside: --dns ADDRESS" : "");
  }

  Failure not_printed() const {
    Failure failure{.code = "E_SYSTEM", .message = "cannot write to standard output"};
    failure.message += "; " + options_.name + " is added to " + file_.path() + " all the same";
    if (options_.out.empty()) {
      failure.hint = "its key is lost: simplevpn peer rm " + shell_quoted(options_.name) + " -c " +
                     shell_quoted(options_.config) + ", then add it again";
    }
    return failure;
  }

  bool print(const SecretText& text, const std::string& code) const {
    if (output_.json) return print_json(text);
    if (code.empty()) return !options_.out.empty() || text.print();
    return std::fputs(code.c_str(), stdout) >= 0 && std::fflush(stdout) == 0;
  }

  // The text is a secret, which leaves as one: it is asked for by not asking for a file.
  bool print_json(const SecretText& text) const {
    ordered_json document{
        {"schema", "simplevpn.peer/1"},  {"name", options_.name}, {"public_key", public_text_},
        {"addresses", texts_of(owned_)}, {"file", nullptr},       {"config", nullptr}};
    if (options_.out.empty()) document["config"] = std::string(text.view());
    if (!options_.out.empty()) document["file"] = options_.out;
    return std::printf("%s\n", document.dump(2).c_str()) >= 0 && std::fflush(stdout) == 0;
  }

  const PeerAdd& options_;
  const Output& output_;
  PeerFile file_;
  ClientText client_;
  std::vector<tunnel_prefix> owned_;
  std::optional<tunnel::Key> secret_;
  std::optional<tunnel::Key> preshared_;
  tunnel::PublicKey public_;
  std::string public_text_;
  tunnel_config_peer peer_ = TUNNEL_CONFIG_PEER_INIT;
};

ordered_json peer_json(const tunnel_config_peer& peer) {
  ordered_json allowed = ordered_json::array();
  for (std::size_t i = 0; i < peer.allowed_ip_count; ++i) {
    allowed.push_back(prefix_text(peer.allowed_ips[i]));
  }
  const std::string name = peer.name;
  return {{"name", name.empty() ? ordered_json(nullptr) : ordered_json(name)},
          {"public_key", public_key_text(peer.public_key)},
          {"has_preshared_key", peer.preshared_key != nullptr},
          {"allowed_ips", std::move(allowed)}};
}

// NAME, key and addresses, one peer per line, for people and for `cut -f`.
void print_line(const ordered_json& peer) {
  std::string text = peer["name"].is_null() ? "-" : peer["name"].get<std::string>();
  text += "\t" + peer["public_key"].get<std::string>() + "\t";
  for (const auto& allowed : peer["allowed_ips"]) text += allowed.get<std::string>() + " ";
  text.pop_back();
  std::printf("%s\n", text.c_str());
}

}  // namespace

int peer_add(const PeerAdd& options, const Output& output) {
  return PeerAdder(options, output).run();
}

int peer_remove(const PeerChange& options, const Output& output) {
  PeerFile file(output);
  if (const auto failure = file.open(options.config)) return fail(output, *failure);
  const auto peer = file.find(options.name);
  if (!peer) return fail(output, no_such_peer(options.name, file.path()));
  const std::int32_t status = tunnel_config_edit_remove_peer(file.edit(), peer->public_key);
  if (status != TUNNEL_OK) return fail(output, edit_failure(output, status, options.name));
  const auto failure = file.commit(*peer, TUNNEL_CONTROL_PEER_REMOVE);
  if (failure) return fail(output, *failure);
  advise(output, options.name + " is removed from " + file.path());
  return kOk;
}

int peer_rename(const PeerChange& options, const Output& output) {
  if (options.new_name.empty()) return fail(output, usage_failure("a peer needs a name", ""));
  PeerFile file(output);
  if (const auto failure = file.open(options.config)) return fail(output, *failure);
  auto peer = file.find(options.name);
  if (!peer) return fail(output, no_such_peer(options.name, file.path()));
  peer->name = options.new_name.c_str();
  const std::int32_t status =
      tunnel_config_edit_rename_peer(file.edit(), peer->public_key, peer->name);
  if (status != TUNNEL_OK) return fail(output, edit_failure(output, status, options.new_name));
  const auto failure = file.commit(*peer, TUNNEL_CONTROL_PEER_RENAME);
  if (failure) return fail(output, *failure);
  advise(output, options.name + " is called " + options.new_name + " now");
  return kOk;
}

int peer_list(const PeerChange& options, const Output& output) {
  PeerFile file(output);
  if (const auto failure = file.open(options.config)) return fail(output, *failure);
  ordered_json peers = ordered_json::array();
  tunnel_config_peer peer = TUNNEL_CONFIG_PEER_INIT;
  for (std::size_t i = 0; tunnel_config_get_peer(file.config(), i, &peer) == TUNNEL_OK; ++i) {
    peers.push_back(peer_json(peer));
    if (!output.json) print_line(peers.back());
  }
  if (!output.json) return kOk;
  const ordered_json document{
      {"schema", "simplevpn.peers/1"}, {"file", file.path()}, {"peers", std::move(peers)}};
  std::printf("%s\n", document.dump(2, ' ', false, ordered_json::error_handler_t::replace).c_str());
  return kOk;
}

}  // namespace simplevpn
