// doctor.cpp - `doctor`: what is wrong with a tunnel, why, and what to do about it.
#include <algorithm>
#include <cstdio>

#include "../commands.h"
#include "../json_text.h"
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

void print_json(const std::string& name, const Findings& findings, bool sound) {
  ordered_json list = ordered_json::array();
  for (const Finding& finding : findings) {
    list.push_back({{"level", word_of(finding.level)},
                    {"check", finding.check},
                    {"message", finding.message},
                    {"cause", text_or_null(finding.cause)},
                    {"fix", text_or_null(finding.fix)}});
  }
  const ordered_json document{{"schema", "simplevpn.doctor/1"},
                              {"tunnel", name},
                              {"sound", sound},
                              {"findings", std::move(list)}};
  std::printf("%s\n", document.dump(2, ' ', false, ordered_json::error_handler_t::replace).c_str());
}

}  // namespace

int examine(const Examine& options, const Output& output) {
  const std::string& target = options.target;
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
  const Findings findings = doctor::check_all(facts);
  const bool sound = std::none_of(findings.begin(), findings.end(), [](const Finding& finding) {
    return finding.level == Level::fail;
  });
  if (output.json) {
    print_json(facts.name, findings, sound);
  } else {
    for (const Finding& finding : findings) print(finding, output);
  }
  return sound ? kOk : kCheckFailed;
}

}  // namespace simplevpn
