// recovery_test.cpp — a process dies with its plan applied; another one undoes exactly that.
#include <cerrno>
#include <filesystem>

#include "dns_support.h"
#include "scratch.h"
#include "settings_support.h"

using namespace tunnel::host;
using namespace tunnel::test;

namespace {

const char* const kBlock = "chain out { type filter hook output priority 0; policy drop\n}";

std::vector<Step> steps() {
  return {
      SysctlStep{"net/ipv4/conf/other/forwarding", "1"},
      TableStep{"ours", "chain a { type filter hook output priority 0; accept\n}"},
      ForeignRuleStep{"ip", "theirs", "forward", "iifname \"wgt0\" accept", "simplevpn wgt0"},
      RouteStep{.prefix = prefix("0.0.0.0/0"), .device = "other", .table = 77},
      RouteStep{
          .prefix = prefix("203.0.113.7/32"), .device = "other", .gateway = address("192.0.2.9")},
      RouteStep{.prefix = prefix("::/0"), .device = "", .table = 77, .unreachable = true},
      RuleStep{.family = 4, .table = 77, .mark = 0xca6c, .not_mark = true},
      RuleStep{.family = 6, .suppress_prefixlength = 0},
  };
}

// With what other programs have, which must survive.
void prepare() {
  make_links();
  test::run_command("ip addr add 192.0.2.1/24 dev other");
  test::run_command("ip route add unreachable default table 77 metric 9 proto static");
  test::run_command("ip rule add not fwmark 0xca6c lookup 77 priority 9");
  test::run_command("ip -6 rule add lookup main suppress_prefixlength 0 priority 8");
  test::run_command("nft 'table inet ltun_theirs { chain a {\n}\n}'");
  test::run_command(
      "nft 'table ip theirs { chain forward { type filter hook forward priority 0; policy drop;"
      " accept comment \"simplevpn\"\n}\n}'");
}

// Applies a plan in a process that ends without a word, as after kill -9.
void die_with(const std::string& directory, std::vector<Step> steps) {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    Applier applier(Plan{"wgt0", std::move(steps)});
    tunnel_settings_fault fault = TUNNEL_SETTINGS_FAULT_INIT;
    const bool done =
        applier.open_journal(directory, fault) == TUNNEL_OK && applier.apply(fault) == TUNNEL_OK;
    if (!done) std::cout << fault.message << std::endl;
    ::_exit(done ? 0 : 1);
  }
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(status == 0);
}

void start(Applier& applier, const std::string& directory) {
  tunnel_settings_fault fault = TUNNEL_SETTINGS_FAULT_INIT;
  const std::int32_t opened = applier.open_journal(directory, fault);
  const std::int32_t status = opened == TUNNEL_OK ? applier.apply(fault) : opened;
  INFO(fault.message);
  REQUIRE(status == TUNNEL_OK);
}

// A clean-up, after which the machine is as it was before, and nothing is kept.
void require_cleaned_up(const Scratch& scratch, const std::string& before,
                        Block block = Block::kept) {
  tunnel_settings_fault fault = TUNNEL_SETTINGS_FAULT_INIT;
  const std::int32_t status = clean_up(scratch.path(), "wgt0", block, fault);
  INFO(fault.message);
  REQUIRE(status == TUNNEL_OK);
  REQUIRE(machine() == before);
  REQUIRE(std::filesystem::is_empty(scratch.path()));
}

}  // namespace

TEST_CASE("what a killed process applied is cleaned up, exactly that", "[host][settings]") {
  test::in_namespace([] {
    const Scratch scratch;
    prepare();
    const std::string before = machine();
    die_with(scratch.path(), steps());
    REQUIRE(machine() != before);
    require_cleaned_up(scratch, before);
  });
}

TEST_CASE("the next start undoes what a killed process left, and applies anew",
          "[host][settings]") {
  test::in_namespace([] {
    const Scratch scratch;
    prepare();
    const std::string before = machine();
    die_with(scratch.path(), steps());
    const std::string applied = machine();
    {
      Applier applier(Plan{"wgt0", steps()});
      start(applier, scratch.path());
      REQUIRE(machine() == applied);
      tunnel_settings_fault fault = TUNNEL_SETTINGS_FAULT_INIT;
      REQUIRE(clean_up(scratch.path(), "wgt0", Block::lifted, fault) == TUNNEL_ERR_IN_USE);
      REQUIRE(tunnel_settings_unblock(scratch.path().c_str(), nullptr, &fault) == TUNNEL_OK);
      REQUIRE(machine() == applied);
      REQUIRE(applier.undo(fault) == TUNNEL_OK);
    }
    REQUIRE(machine() == before);
    REQUIRE(std::filesystem::is_empty(scratch.path()));
  });
}

TEST_CASE("steps that were journalled and never taken are no trouble", "[host][settings]") {
  test::in_namespace([] {
    const Scratch scratch;
    prepare();
    const std::string before = machine();
    {
      std::string words;
      auto journal = Journal::open(scratch.path(), "wgt0", Journal::Missing::made, words);
      REQUIRE(journal);
      std::uint64_t id = 0;
      std::vector<Step> all = steps();
      all.push_back(TableStep{"blocked", kBlock, true});
      for (const Step& step : all) {
        if (!std::holds_alternative<SysctlStep>(step)) {
          REQUIRE(journal->begin(step, "", id).error == 0);
        }
      }
    }
    require_cleaned_up(scratch, before);
  });
}

TEST_CASE("the block outlives its process, a clean-up and a stop; only unblock lifts it",
          "[host][settings]") {
  test::in_namespace([] {
    const Scratch scratch;
    prepare();
    const std::string before = machine();
    test::run_command("nft 'table inet blocked { " + std::string(kBlock) + "\n}'");
    const std::string blocked = machine();
    test::run_command("nft delete table inet blocked");
    REQUIRE(machine() == before);

    std::vector<Step> plan = steps();
    plan.insert(plan.begin(), TableStep{"blocked", kBlock, true});
    die_with(scratch.path(), plan);
    tunnel_settings_fault fault = TUNNEL_SETTINGS_FAULT_INIT;
    REQUIRE(clean_up(scratch.path(), "wgt0", Block::kept, fault) == TUNNEL_OK);
    REQUIRE(tunnel_settings_cleanup(scratch.path().c_str(), nullptr, &fault) == TUNNEL_OK);
    REQUIRE(machine() == blocked);
    {
      Applier applier(Plan{"wgt0", plan});
      start(applier, scratch.path());
      REQUIRE(applier.undo(fault) == TUNNEL_OK);
      REQUIRE(machine() == blocked);
    }
    REQUIRE(machine() == blocked);
    require_cleaned_up(scratch, before, Block::lifted);
  });
}

TEST_CASE("a block of another tunnel is neither removed nor replaced", "[host][settings]") {
  test::in_namespace([] {
    const Scratch scratch;
    prepare();
    const auto block_of = [](const std::string& name) {
      return TableStep{kBlockTable,
                       "comment \"simplevpn " + name +
                           "\"\nchain out { type filter hook output priority 0; policy drop\n}",
                       true};
    };
    die_with(scratch.path(), {block_of("wgt0")});
    // Somebody removed the table, and another tunnel came up.
    test::run_command("nft delete table inet ltun");
    auto tools = Tools::open("wgt1");
    REQUIRE(tools);
    REQUIRE(look(*tools, block_of("wgt1")).answer.error == 0);
    REQUIRE(take(*tools, block_of("wgt1"), "").error == 0);
    const std::string before = machine();
    // Who looked before the other one was there finds out, too.
    REQUIRE(take(*tools, block_of("wgt2"), "").error == EEXIST);
    tunnel_settings_fault fault = TUNNEL_SETTINGS_FAULT_INIT;
    {
      Applier applier(Plan{"wgt0", {block_of("wgt0")}});
      REQUIRE(applier.open_journal(scratch.path(), fault) == TUNNEL_OK);
      REQUIRE(applier.apply(fault) == TUNNEL_ERR_EXISTS);
      REQUIRE(has_line(fault.message, "that of wgt1: simplevpn down wgt1"));
      REQUIRE(machine() == before);
    }
    require_cleaned_up(scratch, before, Block::lifted);
  });
}

TEST_CASE("a step that fails is taken back as far as it got, now or by the next one",
          "[host][settings]") {
  test::in_namespace([] {
    const Scratch scratch;
    const tunnel::test::Machine tools;
    test::run_command("ip link add wgt0 type veth peer name other");
    auto names = tunnel::test::step(ResolverStep::Backend::resolved);
    names.interface_name = "wgt0";
    tunnel_settings_fault fault = TUNNEL_SETTINGS_FAULT_INIT;
    const auto start = [&](const char* script) {
      tools.tool("resolvectl", script);
      tools.forget();
      Applier applier(Plan{"wgt0", {names}});
      REQUIRE(applier.open_journal(scratch.path(), fault) == TUNNEL_OK);
      REQUIRE(applier.apply(fault) == TUNNEL_ERR_SYSTEM);
      REQUIRE(has_line(fault.message, "resolvectl domain wgt0"));
    };
    const std::string asked =
        "resolvectl dns wgt0 10.9.0.1 fd09::1\nresolvectl domain wgt0 example.com ~.\n"
        "resolvectl revert wgt0\n";
    start("[ $1 != domain ]");
    REQUIRE(tools.log() == asked);
    REQUIRE(std::filesystem::is_empty(scratch.path()));
    start("[ $1 = dns ]");
    REQUIRE(tools.log() == asked);
    REQUIRE(scratch.read("wgt0.journal") != "");
    tools.tool("resolvectl", "exit 0");
    tools.forget();
    REQUIRE(clean_up(scratch.path(), "wgt0", Block::kept, fault) == TUNNEL_OK);
    REQUIRE(tools.log() == "resolvectl revert wgt0\n");
    REQUIRE(std::filesystem::is_empty(scratch.path()));
  });
}

TEST_CASE("a block that its process died before taking leaves no record", "[host][settings]") {
  test::in_namespace([] {
    const Scratch scratch;
    prepare();
    const std::string before = machine();
    die_with(scratch.path(), {TableStep{"blocked", kBlock, true}});
    test::run_command("nft delete table inet blocked");
    require_cleaned_up(scratch, before);
  });
}

TEST_CASE("a kernel setting of several tunnels is brought back by the last of them",
          "[host][settings]") {
  test::in_namespace([] {
    const Scratch scratch;
    prepare();
    const Step step = SysctlStep{"net/ipv4/conf/other/forwarding", "1"};
    const std::string on = "net.ipv4.conf.other.forwarding = 1";
    tunnel_settings_fault fault = TUNNEL_SETTINGS_FAULT_INIT;
    const std::string before = machine();
    {
      Applier first(Plan{"wgt0", {step}});
      Applier second(Plan{"other", {step}});
      start(first, scratch.path());
      start(second, scratch.path());
      REQUIRE(first.undo(fault) == TUNNEL_OK);
      REQUIRE(has_line(machine(), on));
      REQUIRE(second.undo(fault) == TUNNEL_OK);
      REQUIRE(machine() == before);
    }
    REQUIRE(std::filesystem::is_empty(scratch.path()));
    die_with(scratch.path(), {step});
    {
      Applier second(Plan{"other", {step}});
      start(second, scratch.path());
      REQUIRE(second.undo(fault) == TUNNEL_OK);
      REQUIRE(has_line(machine(), on));
    }
    require_cleaned_up(scratch, before);
    test::run_command("sysctl -qw net.ipv4.conf.other.forwarding=1");
    {
      Applier first(Plan{"wgt0", {step}});
      start(first, scratch.path());
      REQUIRE_FALSE(first.applied(0));
      REQUIRE(first.undo(fault) == TUNNEL_OK);
      REQUIRE(has_line(machine(), on));
    }
  });
}

TEST_CASE("a start that fails takes its block back, but not one that was there before",
          "[host][settings]") {
  test::in_namespace([] {
    const Scratch scratch;
    prepare();
    const std::string before = machine();
    const std::vector<Step> plan = {TableStep{"blocked", kBlock, true},
                                    RouteStep{.prefix = prefix("10.0.0.0/8"), .device = "none"}};
    tunnel_settings_fault fault = TUNNEL_SETTINGS_FAULT_INIT;
    {
      Applier applier(Plan{"wgt0", plan});
      REQUIRE(applier.open_journal(scratch.path(), fault) == TUNNEL_OK);
      REQUIRE(applier.apply(fault) == TUNNEL_ERR_NOT_FOUND);
      REQUIRE(machine() == before);
    }
    die_with(scratch.path(), {TableStep{"blocked", "chain other {\n}", true}});
    {
      Applier applier(Plan{"wgt0", plan});
      REQUIRE(applier.open_journal(scratch.path(), fault) == TUNNEL_OK);
      REQUIRE(applier.apply(fault) == TUNNEL_ERR_NOT_FOUND);
      REQUIRE(has_line(machine(), "policy drop"));
      REQUIRE(has_line(machine(), "table inet blocked"));
      REQUIRE_FALSE(has_line(machine(), "chain other"));
    }
    require_cleaned_up(scratch, before, Block::lifted);
  });
}

TEST_CASE("a block without a journal is refused: nobody could lift it", "[host][settings]") {
  test::in_namespace([] {
    prepare();
    const std::string before = machine();
    Applier applier(Plan{"wgt0", {TableStep{"blocked", kBlock, true}}});
    tunnel_settings_fault fault = TUNNEL_SETTINGS_FAULT_INIT;
    REQUIRE(applier.apply(fault) < 0);
    REQUIRE(machine() == before);
  });
}

TEST_CASE("what somebody changed after the crash is left alone", "[host][settings]") {
  test::in_namespace([] {
    const Scratch scratch;
    prepare();
    die_with(scratch.path(), {SysctlStep{"net/ipv4/conf/other/rp_filter", "2"},
                              SysctlStep{"net/ipv4/conf/other/forwarding", "1"}});
    test::run_command("sysctl -qw net.ipv4.conf.other.rp_filter=1");
    tunnel_settings_fault fault = TUNNEL_SETTINGS_FAULT_INIT;
    REQUIRE(clean_up(scratch.path(), "wgt0", Block::kept, fault) == TUNNEL_OK);
    REQUIRE(has_line(machine(), "net.ipv4.conf.other.rp_filter = 1"));
    REQUIRE(has_line(machine(), "net.ipv4.conf.other.forwarding = 0"));
  });
}
