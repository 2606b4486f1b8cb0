#include "cli.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <functional>

#include "commands.h"
#include "demo/demo.h"
#include "format.h"
#include "grammar.h"
#include "sudo.h"
#include "suggest.h"

namespace simplevpn {
namespace {

// What the parser fills in. It outlives the run of the chosen command.
class CommandLine {
 public:
  CommandLine();
  // `typed`: the same before an alias was resolved.
  int run(const std::vector<std::string>& arguments, const std::vector<std::string>& typed);

 private:
  CLI::App* add(CLI::App& parent, const char* name, const char* purpose, Command command);
  void add_global_options();
  void add_keys();
  void add_init();
  void add_init_server(CLI::App& init);
  void add_init_client(CLI::App& init);
  void add_tunnels();
  void add_down();
  void add_files();
  void add_queries();
  void add_demo();
  CLI::App* add_runner(const char* name, const char* purpose, bool foreground);
  void add_plain(CLI::App& runner, bool server);
  void add_client_routing(CLI::App& runner, bool client);
  void add_server_routing(CLI::App& runner);
  static void add_data_path(CLI::App& runner, DataPath& data_path);
  void become_root(const std::string& dns_backend = "auto");
  void finish_output(const std::vector<std::string>& typed);
  int refuse(const CLI::ParseError& error);

  CLI::App app_{"A VPN that speaks WireGuard, built on libtunnel.", "simplevpn"};
  Output output_;
  std::string color_ = "auto";
  std::string log_format_ = "text";
  bool verbose_ = false;
  std::string wait_;  // of `up`
  Up up_;
  Tun tun_;
  Down down_;
  InitServer init_server_;
  InitClient init_client_;
  DemoOptions demo_;
  std::string file_;
  std::vector<std::string> arguments_;
  Command chosen_;
};

CommandLine::CommandLine() {
  app_.require_subcommand(1);
  app_.fallthrough();
  app_.set_version_flag("--version", [] { return "simplevpn " SIMPLEVPN_VERSION; });
  add_global_options();
  add_keys();
  add_init();
  add_tunnels();
  add_files();
  add_queries();
  add_demo();
}

CLI::App* CommandLine::add(CLI::App& parent, const char* name, const char* purpose,
                           Command command) {
  CLI::App* app = parent.add_subcommand(name, purpose);
  app->callback([this, command = std::move(command)] { chosen_ = command; });
  return app;
}

void CommandLine::add_global_options() {
  app_.add_flag("--json", output_.json, "Results and errors as JSON");
  app_.add_option("--color", color_, "Colours on standard output")
      ->check(CLI::IsMember({"auto", "always", "never"}))
      ->type_name("WHEN");
  app_.add_flag("-q,--quiet", output_.quiet, "No advice, no informational log lines");
  app_.add_flag("-v,--verbose", verbose_, "Also log details");
  app_.add_option("--log-format", log_format_, "Log lines of a running tunnel")
      ->check(CLI::IsMember({"text", "json"}))
      ->type_name("FORM");
}

void CommandLine::add_keys() {
  add(app_, "genkey", "Make a private key", [this] { return genkey(output_); });
  add(app_, "genpsk", "Make a preshared key", [this] { return genpsk(output_); });
  add(app_, "pubkey", "Read a private key, print its public key",
      [this] { return pubkey(output_); });
}

void CommandLine::add_init() {
  CLI::App* init = app_.add_subcommand("init", "Write a ready configuration");
  init->require_subcommand(1);
  add_init_server(*init);
  add_init_client(*init);
}

void CommandLine::add_init_server(CLI::App& init) {
  CLI::App* server = add(init, "server", "A server, with --client its first client too",
                         [this] { return init_server(init_server_, output_); });
  server->add_option("--endpoint", init_server_.endpoint, "How clients reach it: HOST:PORT");
  server->add_option("--net", init_server_.nets, "Inside network (10.9.0.0/24); may be repeated");
  server->add_option("--client", init_server_.client, "Also write this file, for a client");
  server->add_option("-o,--output", init_server_.file, "File to write, - = standard output")
      ->capture_default_str();
}

void CommandLine::add_init_client(CLI::App& init) {
  CLI::App* client = add(init, "client", "A client of a server whose public key is known",
                         [this] { return init_client(init_client_, output_); });
  client->add_option("--server-key", init_client_.server_key, "Public key of the server")
      ->required();
  client->add_option("--endpoint", init_client_.endpoint, "HOST:PORT of the server")->required();
  client->add_option("--address", init_client_.addresses,
                     "Inside address and network (10.9.0.2/24); may be repeated");
  client->add_option("-o,--output", init_client_.file, "File to write, - = standard output")
      ->capture_default_str();
}

CLI::App* CommandLine::add_runner(const char* name, const char* purpose, bool foreground) {
  CLI::App* runner = add(app_, name, purpose, [this, foreground] {
    up_.foreground = up_.foreground || foreground;
    up_.wait_s = number_of(wait_);
    up_.json_log = output_.json || log_format_ == "json";
    up_.verbosity = output_.quiet ? -1 : verbose_ ? 1 : 0;
    // What up() refuses at once is refused before a password is asked for.
    const bool complete = !up_.config.empty() || up_.plain.chosen;
    const bool root = complete && !up_.dry_run && !up_.routing.needs_consent();
    if (root) become_root(up_.dns_backend);
    return up(up_, output_);
  });
  runner->add_option("CONF", up_.config, "File, or NAME for /etc/wireguard/NAME.conf");
  runner->add_flag("--dry-run", up_.dry_run, "Print what would be changed, and change nothing");
  runner->add_flag("--no-hooks", up_.no_hooks, "Run no commands of the file (PreUp, PostUp ...)");
  runner->add_option("--dns-backend", up_.dns_backend, "What sets DNS of the file")
      ->check(CLI::IsMember({"auto", "resolved", "network_manager", "resolvconf", "file"}))
      ->envname("SIMPLEVPN_DNS_BACKEND")
      ->capture_default_str();
  add_data_path(*runner, up_.data_path);
  return runner;
}

// wg-quick starts `simplevpn-tun` without options, so each has a word in the environment.
void CommandLine::add_data_path(CLI::App& runner, DataPath& data_path) {
  runner.add_option("--cipher", data_path.cipher, "Who encrypts; `simplevpn ciphers` lists them")
      ->envname("SIMPLEVPN_CIPHER");
  runner.add_option("--crypto-threads", data_path.crypto_threads, "Threads that only encrypt")
      ->check(CLI::Range(0, 16))
      ->envname("SIMPLEVPN_CRYPTO_THREADS");
  runner.add_option("--tx-queue", data_path.tx_queue, "Packets that may wait in the interface")
      ->check(CLI::Range(1, 100'000))
      ->envname("SIMPLEVPN_TX_QUEUE");
  runner
      .add_flag("--no-offload", data_path.no_offload, "Every packet by itself through the kernel")
      ->envname("SIMPLEVPN_NO_OFFLOAD");
}

void CommandLine::add_client_routing(CLI::App& runner, bool client) {
  Routing& routing = up_.routing;
  if (client) {
    runner.preparse_callback([&routing](std::size_t) { routing.strict = true; });
    runner.add_option("--share", routing.share, "Take the hosts of this interface along")
        ->type_name("IF");
  } else {
    runner.add_flag("--strict", routing.strict, "No route of others wins over the tunnel's");
  }
  CLI::Option* split =
      runner.add_flag("--split", routing.split, "Route 0/1 and 128/1 instead, in table main");
  runner.add_flag("--lan", routing.lan, "Private networks of the uplink stay reachable");
  runner
      .add_flag("--kill-switch", routing.kill_switch,
                "Block all else, until `down` or `unblock`, also when the daemon dies")
      ->excludes(split);
  runner.add_flag("--yes", routing.agreed, "Block also when that cuts this ssh session");
}

void CommandLine::add_server_routing(CLI::App& runner) {
  Routing& routing = up_.routing;
  runner.preparse_callback([&routing](std::size_t) { routing.server = true; });
  runner.add_option("--nat", routing.nat, "Interface to the Internet (the uplink)")
      ->type_name("IF");
  runner.add_flag("--client-to-client", routing.client_to_client, "Clients may reach each other");
  runner.add_flag("--no-foreign-rules", routing.no_foreign_rules,
                  "No rules in packet filter chains of others");
}

// The name of the flag is long on purpose: nobody types it without having read it.
void CommandLine::add_plain(CLI::App& runner, bool server) {
  Plain& plain = up_.plain;
  CLI::Option* flag = runner.add_flag_callback(
      "--insecure-plain", [&plain, server] { plain.chosen = true, plain.server = server; },
      "Without a file: raw IP packets in UDP, no protection whatsoever");
  const auto add_option = [&](const char* name, auto& value, const char* purpose) {
    return runner.add_option(name, value, purpose)->needs(flag);
  };
  if (server) {
    add_option("--peer", plain.remote, "Plain: where the client is, ADDRESS[:PORT]");
  } else {
    add_option("--endpoint", plain.remote, "Plain: where the server is, HOST[:PORT]");
  }
  add_option("--name", plain.name, "Plain: name of the interface")->capture_default_str();
  add_option("--address", plain.address, "Plain: our inside address, ADDRESS/LENGTH");
  add_option("--allowed-ips", plain.allowed_ips, "Plain: inside addresses of the other side");
  add_option("--listen-port", plain.port, "Plain: our UDP port")
      ->check(CLI::Range(1, 65535))
      ->capture_default_str();
}

void CommandLine::add_tunnels() {
  CLI::App* server = add_runner("server", "Run a server in the foreground", true);
  add_plain(*server, true);
  add_server_routing(*server);
  CLI::App* client = add_runner("client", "Run a client in the foreground", true);
  add_plain(*client, false);
  add_client_routing(*client, true);
  CLI::App* runner =
      add_runner("up", "Bring a tunnel up; its interface is named after the file", false);
  CLI::Option* foreground =
      runner->add_flag("-f,--foreground", up_.foreground, "Stay in the foreground");
  add_seconds(*runner, "--wait{60}", wait_,
              "Wait for a handshake: 60 seconds, or as many as given; then exit 3")
      ->excludes(foreground);
  add_client_routing(*runner, false);
  CLI::App* bare = add(app_, "tun", "Make a bare interface for wg and wg-quick", [this] {
    tun_.json_log = output_.json || log_format_ == "json";
    tun_.verbose = verbose_;
    return tun(tun_, output_);
  });
  bare->add_flag("-f,--foreground", tun_.foreground, "Stay in the foreground");
  bare->add_option("NAME", tun_.name, "Name of the interface")->required();
  add_data_path(*bare, tun_.data_path);
  add_down();
}

void CommandLine::add_down() {
  CLI::App* stop = add(app_, "down", "Take a tunnel down", [this] {
    if (down_.cleanup || !down_.target.empty()) become_root();
    return down(down_, output_);
  });
  stop->add_option("NAME", down_.target, "Name of the tunnel, or its file");
  CLI::Option* no_hooks =
      stop->add_flag("--no-hooks", down_.no_hooks, "Run no PreDown and PostDown, save nothing");
  stop->add_flag("--cleanup", down_.cleanup,
                 "Undo what a daemon that died has left; without NAME, of every tunnel")
      ->excludes(no_hooks);
  CLI::App* lift = add(app_, "unblock", "Lift the block of a kill switch", [this] {
    become_root();
    return unblock(down_.target, output_);
  });
  lift->add_option("NAME", down_.target,
                   "A tunnel that is gone, or its file; without it whatever block there is");
}

void CommandLine::add_files() {
  using Action = int (*)(const std::string&, const Output&);
  const auto add_file = [this](const char* name, const char* purpose, Action action) {
    add(app_, name, purpose,
        [this, action] {
          if (action == reload || action == save) become_root();
          return action(file_, output_);
        })
        ->add_option("CONF", file_, "File, or NAME for /etc/wireguard/NAME.conf")
        ->required();
  };
  add_file("check", "Read a file, say what is wrong with it, touch nothing", check);
  add_file("strip", "Print a file without what only wg-quick knows, for wg setconf", strip);
  add_file("reload", "Give a running tunnel the keys and peers of its file; sessions stay", reload);
  add_file("save", "Write what a running tunnel has into its file", save);
}

void CommandLine::add_queries() {
  const Grammar grammar{app_, output_,
                        [this](CLI::App& parent, const char* name, const char* purpose,
                               Command command) { return add(parent, name, purpose, command); }};
  add_peer_commands(grammar);
  add_query_commands(grammar);
  add(app_, "version", "Show versions", [this] { return version(output_); });
  add(app_, "ciphers", "Who can encrypt on this machine, and how fast",
      [this] { return ciphers(output_); });
}

void CommandLine::add_demo() {
  CLI::App* demo = add(app_, "demo", "Prove a tunnel between throw-away hosts",
                       [this] { return run_demo(demo_, output_); });
  demo->add_option("--report", demo_.report, "Directory of the report")->capture_default_str();
  demo->add_flag("--keep", demo_.keep, "Leave the hosts up at the end");
}

// sudo empties the environment: a backend that was read there goes along as an option.
void CommandLine::become_root(const std::string& dns_backend) {
  const std::string option = "--dns-backend";
  std::vector<std::string> words = arguments_;
  const auto is_it = [&](const std::string& word) { return word.starts_with(option); };
  if (dns_backend != "auto" && std::none_of(words.begin(), words.end(), is_it)) {
    words.insert(words.end(), {option, dns_backend});
  }
  run_by_sudo(words, output_);
}

// Known only when everything is parsed.
void CommandLine::finish_output(const std::vector<std::string>& typed) {
  for (const std::string& argument : typed) {
    if (!output_.command.empty()) output_.command += ' ';
    output_.command += shell_quoted(argument);
  }
  const bool terminal = isatty(STDOUT_FILENO) != 0 && std::getenv("NO_COLOR") == nullptr;
  output_.color = color_ == "always" || (color_ == "auto" && terminal);
}

// The command that was recognized, as far as that went.
const CLI::App& innermost(const CLI::App& app) {
  const auto chosen = app.get_subcommands();
  return chosen.empty() ? app : innermost(*chosen.front());
}

// What may stand there: options where it looks like one, else commands.
std::vector<std::string> candidates(const CLI::App& app, const std::string& word) {
  std::vector<std::string> found;
  for (const CLI::App* each = &app; word.starts_with('-') && each != nullptr;
       each = each->get_parent()) {
    for (const CLI::Option* option : each->get_options()) {
      for (const std::string& name : option->get_lnames()) found.push_back("--" + name);
    }
  }
  if (word.starts_with('-')) return found;
  for (const CLI::App* command : app.get_subcommands({})) found.push_back(command->get_name());
  return found;
}

int CommandLine::refuse(const CLI::ParseError& error) {
  const bool asked_for_help = error.get_exit_code() == 0;
  if (asked_for_help) return app_.exit(error);
  Failure failure = usage_failure(error.what(), "simplevpn --help, or simplevpn COMMAND --help");
  const CLI::App& app = innermost(app_);
  const std::vector<std::string> unknown = app_.remaining(true);
  if (unknown.empty()) return fail(output_, failure);
  const std::string& word = unknown.front();
  const std::vector<std::string> known = candidates(app, word);
  if (!word.starts_with('-') && !known.empty()) failure.message = "there is no command " + word;
  const std::string meant = nearest(word.substr(0, word.find('=')), known);
  if (!meant.empty()) failure.hint = "did you mean " + meant + "?";
  return fail(output_, failure);
}

int CommandLine::run(const std::vector<std::string>& arguments,
                     const std::vector<std::string>& typed) {
  // A wrong command line is reported as asked, too.
  output_.json = std::find(arguments.begin(), arguments.end(), "--json") != arguments.end();
  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend() - 1);
  try {
    app_.parse(reversed);
  } catch (const CLI::ParseError& error) {
    return refuse(error);
  }
  arguments_ = arguments;
  finish_output(typed);
  return chosen_();
}

// "…/simplevpn-client X" means "simplevpn client X".
std::vector<std::string> without_alias(std::vector<std::string> arguments) {
  const std::string program = arguments[0].substr(arguments[0].rfind('/') + 1);
  for (const std::string command : {"client", "server", "tun"}) {
    if (program == "simplevpn-" + command) arguments.insert(arguments.begin() + 1, command);
  }
  return arguments;
}

}  // namespace

int run(const std::vector<std::string>& arguments) {
  return CommandLine().run(without_alias(arguments), arguments);
}

}  // namespace simplevpn
