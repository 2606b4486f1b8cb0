// endpoint.h - one end of the tunnel: simplevpn itself, run as its users run it.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "host.h"

namespace simplevpn::demo {

// The two configuration files, with fresh keys.
struct Configs {
  std::string client;
  std::string server;
};
std::optional<Configs> make_configs();

class Endpoint {
 public:
  // `role` is the command: client or server. The host must outlive the endpoint.
  Endpoint(const Host& host, std::string role, std::string config);

  // Writes the configuration file, once.
  bool configure() const;
  // Starts the daemon and waits until it answers `status`. False when it did not come up.
  bool start();
  // kill -9; it and its interface are gone when this returns.
  void kill();

  // The tunnel's part of `simplevpn status --json`; null when the daemon does not answer.
  nlohmann::json status() const;
  // The whole document, as printed.
  std::string status_document() const;
  // What it says about its only peer.
  nlohmann::json peer() const;

  // The last endpoints on disk, as text.
  std::string stored_endpoints() const;
  // What the daemon logged, over all its starts.
  std::string log() const;

 private:
  const Host& host_;
  std::string role_;
  std::string config_;
  Descriptor log_;
  Process daemon_;
};

}  // namespace simplevpn::demo
