#include "endpoint.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <tunnel/tunnel.hpp>

#include "topology.h"

namespace simplevpn::demo {
namespace {

constexpr const char* kFile = "/run/simplevpn/wg0.conf";
constexpr const char* kState = "/var/lib/simplevpn/wg0.endpoints";
constexpr double kStart_s = 5;
constexpr double kEnd_s = 5;

std::string text(const tunnel::KeyText& key) {
  return key.c_str();
}

}  // namespace

std::optional<Configs> make_configs() {
  const auto client = tunnel::Key::generate_private();
  const auto server = tunnel::Key::generate_private();
  const auto preshared = tunnel::Key::generate_preshared();
  if (!client || !server || !preshared) return {};
  const auto client_public = client->public_key();
  const auto server_public = server->public_key();
  if (!client_public || !server_public) return {};
  const std::string secret = "PresharedKey = " + text(preshared->secret_text()) + "\n";
  Configs configs;
  configs.client = "[Interface]\nPrivateKey = " + text(client->secret_text()) +
                   "\nAddress = 10.9.0.2/24, fd09::2/64\n\n[Peer]\n# friendly_name = server\n"
                   "PublicKey = " +
                   text(server_public->text()) + "\n" + secret + "Endpoint = " + kServerOutside +
                   ":" + std::to_string(kServerPort) +
                   "\nAllowedIPs = 10.9.0.0/24, fd09::/64, 10.20.0.0/24, fd20::/64\n";
  configs.server = "[Interface]\nPrivateKey = " + text(server->secret_text()) +
                   "\nListenPort = " + std::to_string(kServerPort) +
                   "\nAddress = 10.9.0.1/24, fd09::1/64\n\n[Peer]\n# friendly_name = client\n"
                   "PublicKey = " +
                   text(client_public->text()) + "\n" + secret +
                   "AllowedIPs = 10.9.0.2/32, fd09::2/128\n";
  return configs;
}

Endpoint::Endpoint(const Host& host, std::string role, std::string config)
    : host_(host),
      role_(std::move(role)),
      config_(std::move(config)),
      log_(memfd_create("log", MFD_CLOEXEC)) {}

bool Endpoint::configure() const {
  const std::string command = std::string("umask 077 && cat > ") + kFile;
  return host_.run({"/bin/sh", "-c", command}, config_).status == 0;
}

bool Endpoint::start() {
  daemon_ = host_.start([this] {
    dup2(log_.get(), STDOUT_FILENO);
    dup2(log_.get(), STDERR_FILENO);
    return become({"/proc/self/exe", role_, kFile});
  });
  const auto decided = [this] { return !status().is_null() || !daemon_.running(); };
  return wait_until(kStart_s, 1, decided) && daemon_.running();
}

// The interface is the packet process's, which learns of the daemon's death a little later.
void Endpoint::kill() {
  daemon_.end();
  wait_until(kEnd_s, 1, [this] { return host_.run({"ip", "link", "show", "wg0"}).status != 0; });
}

std::string Endpoint::status_document() const {
  const Outcome outcome = host_.run({"/proc/self/exe", "status", "wg0", "--json"});
  return outcome.status == 0 ? outcome.output : "";
}

nlohmann::json Endpoint::status() const {
  const auto document = nlohmann::json::parse(status_document(), nullptr, false);
  if (!document.is_object() || !document.contains("tunnels")) return nullptr;
  const auto& tunnels = document["tunnels"];
  return tunnels.is_array() && !tunnels.empty() ? tunnels[0] : nlohmann::json();
}

nlohmann::json Endpoint::peer() const {
  const nlohmann::json tunnel = status();
  if (!tunnel.is_object() || !tunnel.contains("peers") || tunnel["peers"].empty()) return nullptr;
  return tunnel["peers"][0];
}

std::string Endpoint::stored_endpoints() const {
  const Outcome outcome = host_.run({"cat", kState});
  return outcome.status == 0 ? outcome.output : "";
}

std::string Endpoint::log() const {
  std::string text(1 << 16, '\0');
  const ssize_t got = pread(log_.get(), text.data(), text.size(), 0);
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return text;
}

}  // namespace simplevpn::demo
