// cli_peers.cpp - the commands that change the peers of a server.
#include <memory>

#include "commands.h"
#include "grammar.h"

namespace simplevpn {
namespace {

void add_config(CLI::App& command, std::string& config) {
  command.add_option("-c,--config", config, "The server's file, or the NAME of its tunnel")
      ->capture_default_str();
}

void add_add(const Grammar& grammar, CLI::App& peer) {
  const auto options = std::make_shared<PeerAdd>();
  CLI::App* add =
      grammar.add(peer, "add", "Add a client and print its configuration, once",
                  [options, &output = grammar.output] { return peer_add(*options, output); });
  add->add_option("NAME", options->name, "How it is called")->required();
  add_config(*add, options->config);
  CLI::Option* out = add->add_option("--out", options->out, "Write the configuration to this file");
  out->type_name("FILE");
  add->add_flag("--qr{small}", options->qr, "As a QR code: small, large or ascii")
      ->check(CLI::IsMember({"small", "large", "ascii"}))
      ->type_name("FORM");
  add->add_flag("--psk", options->psk, "With a preshared key, too");
  add->add_option("--public-key", options->public_key, "The client has made its own keys");
  add->add_option("--endpoint", options->endpoint, "How it reaches the server: HOST:PORT");
  add->add_option("--allowed-ips", options->allowed,
                  "What it sends through the tunnel (the server's networks); may be repeated")
      ->delimiter(',');
  add->add_option("--dns", options->dns, "Name servers for it");
}

using Change = int (*)(const PeerChange&, const Output&);

void add_change(const Grammar& grammar, CLI::App& peer, const char* name, const char* purpose,
                Change run) {
  const auto options = std::make_shared<PeerChange>();
  CLI::App* command = grammar.add(peer, name, purpose, [options, run, &output = grammar.output] {
    return run(*options, output);
  });
  if (run != peer_list) {
    command->add_option("NAME", options->name, "Its name or public key")->required();
  }
  if (run == peer_rename) command->add_option("NEW", options->new_name, "Its new name")->required();
  add_config(*command, options->config);
}

}  // namespace

void add_peer_commands(const Grammar& grammar) {
  CLI::App* peer = grammar.app.add_subcommand("peer", "Change the clients of a server");
  peer->require_subcommand(1);
  add_add(grammar, *peer);
  add_change(grammar, *peer, "rm", "Remove a client", peer_remove);
  add_change(grammar, *peer, "rename", "Call a client something else", peer_rename);
  add_change(grammar, *peer, "list", "Show the clients of a server's file", peer_list);
}

}  // namespace simplevpn
