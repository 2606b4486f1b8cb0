// recall_test.cpp — what is in force of a tunnel, told by its journal and the machine.
#include <tunnel/host/dns.h>

#include <array>
#include <memory>

#include "scratch.h"
#include "settings_support.h"

using namespace tunnel::host;
using namespace tunnel::test;

namespace {

using Recalled = std::unique_ptr<tunnel_settings, void (*)(tunnel_settings*)>;

const char* const kBlockBody = "chain out { type filter hook output priority 0; policy drop\n}";

// Journalled and taken by a process that has ended since.
void leave(const std::string& directory, std::vector<Step> steps) {
  auto applier = std::make_unique<Applier>(Plan{"wgt0", std::move(steps)});
  tunnel_settings_fault fault = TUNNEL_SETTINGS_FAULT_INIT;
  INFO(fault.message);
  REQUIRE(applier->open_journal(directory, fault) == TUNNEL_OK);
  REQUIRE(applier->apply(fault) == TUNNEL_OK);
}

Recalled recall(const std::string& directory) {
  tunnel_settings* settings = nullptr;
  REQUIRE(tunnel_settings_recall(directory.c_str(), "wgt0", &settings) == TUNNEL_OK);
  return {settings, tunnel_settings_destroy};
}

std::vector<std::uint32_t> applied(const Recalled& settings) {
  std::vector<std::uint32_t> found;
  tunnel_setting setting = TUNNEL_SETTING_INIT;
  for (std::size_t i = 0; tunnel_settings_get(settings.get(), i, &setting) == TUNNEL_OK; ++i) {
    found.push_back(setting.applied);
  }
  return found;
}

tunnel_settings_summary summary(const Recalled& settings) {
  tunnel_settings_summary summary = TUNNEL_SETTINGS_SUMMARY_INIT;
  REQUIRE(tunnel_settings_summarize(settings.get(), &summary) == TUNNEL_OK);
  return summary;
}

void prepare() {
  test::run_command("ip link add wgt0 type veth peer name other");
  test::run_command("ip link set wgt0 up");
  test::run_command("ip link set other up");
  test::run_command(
      "nft 'table ip theirs { chain forward { type filter hook forward priority 0\n}\n}'");
}

}  // namespace

TEST_CASE("steps are recalled, and which of them others have undone", "[host][settings]") {
  test::in_namespace([] {
    const Scratch scratch;
    prepare();
    leave(scratch.path(),
          {TableStep{"ltun", kBlockBody, true}, TableStep{"ltun_wgt0", "chain a {\n}"},
           SysctlStep{"net/ipv4/conf/other/arp_ignore", "1"},
           ForeignRuleStep{"ip", "theirs", "forward", "accept", "simplevpn wgt0"},
           RouteStep{.prefix = prefix("::/0"), .device = "", .table = 77, .unreachable = true},
           RuleStep{.family = 4, .priority = 7, .table = 77, .mark = 1, .not_mark = true}});
    REQUIRE(applied(recall(scratch.path())) == std::vector<std::uint32_t>(6, 1));
    REQUIRE(summary(recall(scratch.path())).flags == TUNNEL_SETTINGS_KILL_SWITCH);
    REQUIRE(summary(recall(scratch.path())).scheme == TUNNEL_SCHEME_STRICT);
    REQUIRE(tunnel_settings_mark(recall(scratch.path()).get()) == 1);
    test::run_command("ip rule del priority 7");
    test::run_command("nft flush ruleset");
    test::run_command("sysctl -qw net.ipv4.conf.other.arp_ignore=0");
    REQUIRE(applied(recall(scratch.path())) == std::vector<std::uint32_t>{0, 0, 0, 0, 1, 0});
    REQUIRE(summary(recall(scratch.path())).flags == 0);
    REQUIRE(summary(recall(scratch.path())).scheme == TUNNEL_SCHEME_NONE);
  });
}

TEST_CASE("schemes are told apart", "[host][settings]") {
  test::in_namespace([] {
    prepare();
    const Scratch quick;
    leave(quick.path(),
          {RuleStep{.family = 4, .priority = 7, .table = 77, .mark = 1, .not_mark = true},
           RuleStep{.family = 4, .priority = 6, .suppress_prefixlength = 0}});
    REQUIRE(summary(recall(quick.path())).scheme == TUNNEL_SCHEME_WG_QUICK);
    const Scratch halves;
    leave(halves.path(), {RouteStep{.prefix = prefix("0.0.0.0/1"), .device = "wgt0"},
                          SysctlStep{"net/ipv4/conf/other/arp_ignore", "1"}});
    REQUIRE(summary(recall(halves.path())).scheme == TUNNEL_SCHEME_SPLIT);
  });
}

TEST_CASE("a server is one that translates", "[host][settings]") {
  test::in_namespace([] {
    prepare();
    const Scratch scratch;
    leave(scratch.path(), {TableStep{"ltun_wgt0",
                                     "chain nat { type nat hook postrouting priority "
                                     "srcnat; oifname \"other\" masquerade\n}"}});
    REQUIRE(summary(recall(scratch.path())).flags == TUNNEL_SETTINGS_SERVER);
  });
}

TEST_CASE("what was recalled can be looked at only", "[host][settings]") {
  test::in_namespace([] {
    prepare();
    const Scratch scratch;
    leave(scratch.path(), {TableStep{"ltun", kBlockBody, true}});
    const std::string before = machine();
    const Recalled settings = recall(scratch.path());
    tunnel_settings_fault fault = TUNNEL_SETTINGS_FAULT_INIT;
    REQUIRE(tunnel_settings_apply(settings.get(), &fault) == TUNNEL_ERR_STATE);
    REQUIRE(tunnel_settings_undo(settings.get(), &fault) == TUNNEL_ERR_STATE);
    REQUIRE(machine() == before);
  });
}

TEST_CASE("journals are listed, and recalled while their daemon lives", "[host][settings]") {
  test::in_namespace([] {
    prepare();
    const Scratch scratch;
    std::array<char[16], 2> names{};
    std::size_t count = 7;
    REQUIRE(tunnel_settings_list(scratch.path().c_str(), names.data(), 2, &count) == TUNNEL_OK);
    REQUIRE(count == 0);
    Applier applier(Plan{"wgt0", {TableStep{"ltun_wgt0", "chain a {\n}"}}});
    tunnel_settings_fault fault = TUNNEL_SETTINGS_FAULT_INIT;
    REQUIRE(applier.open_journal(scratch.path(), fault) == TUNNEL_OK);
    REQUIRE(applier.apply(fault) == TUNNEL_OK);
    REQUIRE(tunnel_settings_list(scratch.path().c_str(), names.data(), 2, &count) == TUNNEL_OK);
    REQUIRE(count == 1);
    REQUIRE(names[0] == std::string("wgt0"));
    REQUIRE(applied(recall(scratch.path())).size() == 1);
    tunnel_settings* none = nullptr;
    REQUIRE(tunnel_settings_recall(scratch.path().c_str(), "wgt1", &none) == TUNNEL_ERR_NOT_FOUND);
    REQUIRE(tunnel_settings_recall(scratch.path().c_str(), "../x", &none) == TUNNEL_ERR_ARGUMENT);
    REQUIRE(applier.undo(fault) == TUNNEL_OK);
  });
}
