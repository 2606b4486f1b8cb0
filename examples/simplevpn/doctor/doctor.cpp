// doctor.cpp - `doctor`: what is wrong with a tunnel, why, and what to do about it.
#include <algorithm>
#include <cstdio>

#include "../commands.h"
#include "../json_text.h"
#include "../status.h"
#include "checks.h"
#include "gather.h"

namespace simplevpn {
namespace {

using doctor::Finding;
using doctor::Findings;
using doctor::Level;
using nlohmann::ordered_json;

const char* word_of(Level level) {
  if (level == Level::pass) return "PASS";
  return level == Level::warn ? "WARN" : "FAIL";
}

std::string colored(Level level, const Output& output) {
  const char* color = level == Level::pass ? "\033[32m" : "\033[31m";
  if (level == Level::warn) color = "\033[33m";
  return output.color ? color + std::string(word_of(level)) + "\033[0m" : word_of(level);
}

void print(const Finding& finding, const Output& output) {
  std::printf("%s %s: %s\n", colored(finding.level, output).c_str(), finding.check.c_str(),
              finding.message.c_str());
  if (!finding.cause.empty()) std::printf("     cause: %s\n", finding.cause.c_str());
  if (!finding.fix.empty()) std::printf("     fix: %s\n", finding.fix.c_str());
}

// What was looked at together.
struct Report {
  std::string tunnel;  // "" = the machine
  Findings findings;
};
using Reports = std::vector<Report>;

bool is_sound(const Reports& reports) {
  return std::all_of(reports.begin(), reports.end(), [](const Report& report) {
    return std::none_of(report.findings.begin(), report.findings.end(),
                        [](const Finding& finding) { return finding.level == Level::fail; });
  });
}

void print_json(const std::string& target, const Reports& reports) {
  ordered_json list = ordered_json::array();
  for (const Report& report : reports) {
    for (const Finding& finding : report.findings) {
      list.push_back({{"level", word_of(finding.level)},
                      {"check", finding.check},
                      {"message", finding.message},
                      {"cause", text_or_null(finding.cause)},
                      {"fix", text_or_null(finding.fix)},
                      {"tunnel", text_or_null(report.tunnel)}});
    }
  }
  const ordered_json document{{"schema", "simplevpn.doctor/1"},
                              {"tunnel", text_or_null(target)},
                              {"sound", is_sound(reports)},
                              {"findings", std::move(list)}};
  std::printf("%s\n", document.dump(2, ' ', false, ordered_json::error_handler_t::replace).c_str());
}

int finish(const std::string& target, const Reports& reports, const Output& output) {
  if (output.json) {
    print_json(target, reports);
    return is_sound(reports) ? kOk : kCheckFailed;
  }
  for (const Report& report : reports) {
    const std::string heading = report.tunnel.empty() ? "this machine" : report.tunnel;
    if (target.empty()) std::printf("%s:\n", heading.c_str());
    for (const Finding& finding : report.findings) print(finding, output);
  }
  return is_sound(reports) ? kOk : kCheckFailed;
}

// What was said of the machine is not said again of each tunnel.
void remove_known(const Findings& known, Findings& findings) {
  std::erase_if(findings, [&](const Finding& finding) {
    return std::any_of(known.begin(), known.end(), [&](const Finding& other) {
      return other.check == finding.check && other.message == finding.message;
    });
  });
}

int examine_everything(const Output& output) {
  std::vector<std::string> names;
  if (const std::int32_t status = list_tunnels(names); status != TUNNEL_OK) {
    return fail(output, status_failure(output, status, "list the tunnels", kFailure));
  }
  doctor::Facts machine;
  doctor::gather_machine(machine);
  Reports reports{{"", doctor::check_machine(machine)}};
  for (const std::string& name : names) {
    doctor::Facts facts;
    if (!doctor::gather(name, "", facts)) continue;  // it has ended meanwhile
    Findings findings = doctor::check_all(facts);
    remove_known(reports.front().findings, findings);
    reports.push_back({name, std::move(findings)});
  }
  if (names.empty()) advise(output, "no tunnel is running");
  return finish("", reports, output);
}

}  // namespace

int examine(const Examine& options, const Output& output) {
  const std::string& target = options.target;
  if (target.empty()) return examine_everything(output);
  doctor::Facts facts;
  if (!doctor::gather(target, options.peer, facts)) {
    return fail(output, {.exit = kNoSuch,
                         .code = "E_NO_SUCH_TUNNEL",
                         .message = "no tunnel " + target + " runs, and there is no file of it",
                         .hint = "simplevpn doctor CONF, or the NAME of a running tunnel"});
  }
  const bool known = std::any_of(facts.peers.begin(), facts.peers.end(),
                                 [&](const auto& peer) { return facts.is_about(peer); });
  if (!options.peer.empty() && !known) {
    return fail(output, {.exit = kNoSuch,
                         .code = "E_NO_SUCH_PEER",
                         .message = "no peer is called " + options.peer,
                         .hint = "simplevpn peer list shows names and public keys"});
  }
  return finish(facts.name, {{facts.name, doctor::check_all(facts)}}, output);
}

}  // namespace simplevpn
