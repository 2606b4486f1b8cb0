// cli_queries.cpp - the commands that look and change nothing.
#include <cstdio>
#include <memory>
#include <string>

#include "commands.h"
#include "completion.h"
#include "grammar.h"

namespace simplevpn {
namespace {

struct StatusLine {
  Status status;
  std::string watch;
  std::string wait;

  int run(const Output& output) {
    status.watch_s = number_of(watch);
    status.wait_s = number_of(wait);
    return simplevpn::status(status, output);
  }
};

void add_status(const Grammar& grammar) {
  const auto line = std::make_shared<StatusLine>();
  CLI::App* status = grammar.add(grammar.app, "status", "Show running tunnels, or check them",
                                 [line, &output = grammar.output] { return line->run(output); });
  status->add_option("NAME", line->status.target, "Only this tunnel");
  status->add_option("--peer", line->status.peer, "Only this peer: its name or public key");
  CLI::Option* watch = add_seconds(*status, "--watch{2}", line->watch,
                                   "Show again every 2 seconds, or as many as given");
  CLI::Option* check = status->add_option("--check", line->status.check,
                                          "Show nothing; exit 0 when it holds, otherwise 7");
  check->check(CLI::IsMember({"live", "ready", "handshake"}))->type_name("WHAT")->excludes(watch);
  add_seconds(*status, "--wait{60}", line->wait,
              "With --check: try for 60 seconds, or as many as given; then exit 3")
      ->needs(check);
}

void add_events(const Grammar& grammar) {
  const auto options = std::make_shared<Events>();
  CLI::App* events = grammar.add(
      grammar.app, "events", "Tell what happens to tunnels, a line per event",
      [options, &output = grammar.output] { return simplevpn::events(*options, output); });
  events->add_option("NAME", options->target, "Only this tunnel");
  events->add_option("--since", options->since, "Also what happened since: all, 10m, 2h or a time")
      ->type_name("TIME");
}

void add_doctor(const Grammar& grammar) {
  const auto options = std::make_shared<Examine>();
  CLI::App* doctor =
      grammar.add(grammar.app, "doctor", "Say what is wrong with a tunnel, and how to mend it",
                  [options, &output = grammar.output] { return examine(*options, output); });
  CLI::Option* target = doctor->add_option(
      "CONF", options->target, "File, or the name of a tunnel; without it all that run");
  doctor->add_option("--peer", options->peer, "Only this peer: its name or public key")
      ->needs(target);
}

void add_completion(const Grammar& grammar) {
  const auto shell = std::make_shared<std::string>();
  CLI::App* completion = grammar.add(
      grammar.app, "completion", "Print what teaches a shell our commands",
      [shell, &app = grammar.app] {
        return std::fputs(completion_script(app, *shell).c_str(), stdout) < 0 ? kFailure : kOk;
      });
  completion->add_option("SHELL", *shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
}

}  // namespace

CLI::Option* add_seconds(CLI::App& command, const char* name, std::string& seconds,
                         const char* purpose) {
  return command.add_flag(name, seconds, purpose)
      ->check(CLI::Range(0.1, 86400.0))
      ->type_name("SEC");
}

double number_of(const std::string& seconds) {
  return seconds.empty() ? 0 : std::stod(seconds);
}

void add_query_commands(const Grammar& grammar) {
  add_status(grammar);
  add_events(grammar);
  add_doctor(grammar);
  add_completion(grammar);
}

}  // namespace simplevpn
