#include <net/if.h>
#include <tunnel/host/settings.h>

#include <memory>
#include <string>
#include <vector>

#include "config_support.h"
#include "scratch.h"
#include "settings_support.h"

using namespace tunnel::test;

namespace {

struct SettingsDeleter {
  void operator()(tunnel_settings* settings) const { tunnel_settings_destroy(settings); }
};
using SettingsPtr = std::unique_ptr<tunnel_settings, SettingsDeleter>;
using Texts = std::vector<std::string>;

SettingsPtr plan(const Parsed& parsed, const char* interface_name) {
  tunnel_settings* settings = nullptr;
  REQUIRE(tunnel_settings_plan(parsed.config.get(), interface_name, &settings, nullptr) ==
          TUNNEL_OK);
  return SettingsPtr(settings);
}

Texts texts(const SettingsPtr& settings, bool applied_only = false) {
  Texts texts;
  for (std::size_t i = 0; i < tunnel_settings_count(settings.get()); ++i) {
    tunnel_setting step = TUNNEL_SETTING_INIT;
    REQUIRE(tunnel_settings_get(settings.get(), i, &step) == TUNNEL_OK);
    if (!applied_only || step.applied == 1) texts.emplace_back(step.text);
  }
  return texts;
}

Parsed example() {
  return parse(
      with_interface("Address = 10.9.0.1/24, fd00:9::1/64\nMTU = 1400\n"
                     "[Peer]\nPublicKey = " +
                     kPeerKey +
                     "\n"
                     "AllowedIPs = 10.9.0.2/32, 192.168.7.0/24, fd00:9::2/128\n"
                     "[Peer]\nPublicKey = " +
                     kOtherKey +
                     "\n"
                     "AllowedIPs = 192.168.0.0/16, fd00:7::/64, 10.9.0.3/32\n"));
}

}  // namespace

TEST_CASE("a plan has the MTU, addresses, up, and routes that no address covers, longest first",
          "[host][settings]") {
  test::in_namespace([&] {
    Texts planned = texts(plan(example(), "wg0"));
    std::erase_if(planned, [](const std::string& text) { return text.find("nft") == 0; });
    REQUIRE(planned ==
            Texts{"ip link set dev wg0 mtu 1400", "ip -4 address add 10.9.0.1/24 dev wg0",
                  "ip -6 address add fd00:9::1/64 dev wg0 nodad", "ip link set dev wg0 up",
                  "ip -6 route add fd00:7::/64 dev wg0 proto 87",
                  "ip -4 route add 192.168.7.0/24 dev wg0 proto 87",
                  "ip -4 route add 192.168.0.0/16 dev wg0 proto 87"});
  });
}

TEST_CASE("without MTU a plan takes 1420, and with Table = off it has no routes",
          "[host][settings]") {
  const Parsed parsed = parse(with_interface("Table = off\n[Peer]\nPublicKey = " + kPeerKey +
                                             "\nAllowedIPs = 0.0.0.0/0\n"));
  test::in_namespace([&] {
    REQUIRE(texts(plan(parsed, "wg0")) ==
            Texts{"ip link set dev wg0 mtu 1420", "ip link set dev wg0 up"});
  });
}

TEST_CASE("a prefix that moved to another peer gets one route", "[host][settings]") {
  const Parsed parsed =
      parse(with_peer("AllowedIPs = 10.1.0.0/16\n[Peer]\nPublicKey = " + kOtherKey +
                      "\nAllowedIPs = 10.1.0.0/16\n"));
  test::in_namespace([&] {
    REQUIRE(texts(plan(parsed, "wg0")) == Texts{"ip link set dev wg0 mtu 1420",
                                                "ip link set dev wg0 up",
                                                "ip -4 route add 10.1.0.0/16 dev wg0 proto 87"});
  });
}

TEST_CASE("what is asked for besides the file is checked", "[host][settings]") {
  const Parsed parsed = example();
  tunnel_settings* settings = nullptr;
  tunnel_config_issue issue = TUNNEL_CONFIG_ISSUE_INIT;
  const auto ask = [&](const tunnel_settings_request& request) {
    return tunnel_settings_plan_for(parsed.config.get(), &request, "wg0", &settings, &issue);
  };
  tunnel_settings_request request = TUNNEL_SETTINGS_REQUEST_INIT;
  request.scheme = 7;
  CHECK(ask(request) == TUNNEL_ERR_ARGUMENT);
  request.scheme = TUNNEL_SCHEME_STRICT;
  request.flags = 1u << 31;
  CHECK(ask(request) == TUNNEL_ERR_ARGUMENT);
  request.flags = TUNNEL_SETTINGS_SERVER;
  request.nat = "nowhere0";
  CHECK(ask(request) == TUNNEL_ERR_NOT_FOUND);
  CHECK(std::string(issue.message) == "there is no interface 'nowhere0'");
  CHECK(settings == nullptr);
}

TEST_CASE("a server without ListenPort keeps the port that its socket got", "[host][settings]") {
  const Parsed parsed = example();
  tunnel_settings_request request = TUNNEL_SETTINGS_REQUEST_INIT;
  request.flags = TUNNEL_SETTINGS_SERVER;
  test::in_namespace([&] {
    test::run_command("ip link add up0 type veth peer name other");
    test::run_command("ip link set other up");
    test::run_command("ip link set up0 up");
    test::run_command("ip address add 192.0.2.1/24 dev up0");
    test::run_command("ip route add default via 192.0.2.2 dev up0");
    tunnel_settings* made = nullptr;
    request.port = 65536;
    REQUIRE(tunnel_settings_plan_for(parsed.config.get(), &request, "wg0", &made, nullptr) ==
            TUNNEL_ERR_ARGUMENT);
    request.port = 40000;
    REQUIRE(tunnel_settings_plan_for(parsed.config.get(), &request, "wg0", &made, nullptr) ==
            TUNNEL_OK);
    const SettingsPtr settings(made);
    REQUIRE(has_line(tunnel_settings_text(made), "udp masquerade to :1024-39999"));
  });
}

TEST_CASE("a plan for everything names the mark of the socket", "[host][settings]") {
  const Parsed parsed = parse(with_peer("AllowedIPs = 0.0.0.0/0, ::/0\n"));
  test::in_namespace([&] {
    REQUIRE(tunnel_settings_mark(plan(parsed, "wg0").get()) == 51820);
    REQUIRE(tunnel_settings_mark(plan(example(), "wg0").get()) == 0);
  });
}

TEST_CASE("a block follows its endpoints, survives undo, and is lifted by hand",
          "[host][settings]") {
  const Parsed parsed = parse(with_peer("AllowedIPs = 0.0.0.0/0\nEndpoint = 192.0.2.1:7\n"));
  tunnel_settings_request request = TUNNEL_SETTINGS_REQUEST_INIT;
  request.flags = TUNNEL_SETTINGS_KILL_SWITCH;
  test::in_namespace([&] {
    const Scratch folder;
    test::run_command("ip link add wgt0 type veth peer name other");
    const std::string before = machine();
    const auto start = [&] {
      tunnel_settings* settings = nullptr;
      REQUIRE(tunnel_settings_plan_for(parsed.config.get(), &request, "wgt0", &settings, nullptr) ==
              TUNNEL_OK);
      return SettingsPtr(settings);
    };
    for (int round = 0; round < 2; ++round) {
      const SettingsPtr settings = start();
      REQUIRE(tunnel_settings_open_journal(settings.get(), folder.path().c_str(), nullptr) ==
              TUNNEL_OK);
      REQUIRE(tunnel_settings_apply(settings.get(), nullptr) == TUNNEL_OK);
      REQUIRE(has_line(machine(), "192.0.2.1 . 7"));
      tunnel_address moved{};
      moved = address("198.51.100.2:8");
      REQUIRE(tunnel_settings_set_endpoints(settings.get(), &moved, 1, nullptr) == TUNNEL_OK);
      REQUIRE(has_line(machine(), "198.51.100.2 . 8"));
      REQUIRE_FALSE(has_line(machine(), "192.0.2.1 . 7"));
      REQUIRE(tunnel_settings_undo(settings.get(), nullptr) == TUNNEL_OK);
      REQUIRE(has_line(machine(), "table inet ltun {"));
      REQUIRE_FALSE(has_line(machine(), "table inet ltun_wgt0 {"));
    }
    REQUIRE(tunnel_settings_unblock(folder.path().c_str(), "wgt0", nullptr) == TUNNEL_OK);
    REQUIRE(machine() == before);
  });
}

TEST_CASE("a machine has one block, and who has it is named to the next one", "[host][settings]") {
  const Parsed parsed = parse(with_peer("AllowedIPs = 0.0.0.0/0\n"));
  tunnel_settings_request request = TUNNEL_SETTINGS_REQUEST_INIT;
  request.flags = TUNNEL_SETTINGS_KILL_SWITCH;
  test::in_namespace([&] {
    test::run_command("ip link add wgt0 type veth peer name wgt1");
    const std::string before = machine();
    const Scratch folder;
    const auto start = [&](const char* name, tunnel_settings_fault& fault) {
      tunnel_settings* made = nullptr;
      REQUIRE(tunnel_settings_plan_for(parsed.config.get(), &request, name, &made, nullptr) ==
              TUNNEL_OK);
      REQUIRE(tunnel_settings_open_journal(made, folder.path().c_str(), nullptr) == TUNNEL_OK);
      const std::int32_t status = tunnel_settings_apply(made, &fault);
      return std::pair{status, SettingsPtr(made)};
    };
    tunnel_settings_fault fault = TUNNEL_SETTINGS_FAULT_INIT;
    const auto [status, first] = start("wgt0", fault);
    REQUIRE(status == TUNNEL_OK);
    const std::string applied = machine();
    REQUIRE(start("wgt1", fault).first == TUNNEL_ERR_EXISTS);
    REQUIRE(has_line(fault.message, "that of wgt0: simplevpn down wgt0, or unblock"));
    REQUIRE(machine() == applied);
    test::run_command("nft flush table inet ltun");
    REQUIRE(tunnel_settings_refresh(first.get(), &fault) == TUNNEL_OK);
    REQUIRE(machine() == applied);
    REQUIRE(tunnel_settings_unblock(folder.path().c_str(), nullptr, &fault) == TUNNEL_OK);
    REQUIRE_FALSE(has_line(machine(), "policy drop"));
    // Who has it finds a sign that this was meant, and does not block again.
    REQUIRE(tunnel_settings_refresh(first.get(), &fault) == TUNNEL_OK);
    REQUIRE_FALSE(has_line(machine(), "table inet ltun {"));
    REQUIRE(tunnel_settings_refresh(first.get(), &fault) == TUNNEL_OK);
    REQUIRE_FALSE(has_line(machine(), "table inet ltun {"));
    tunnel_settings* recalled = nullptr;
    REQUIRE(tunnel_settings_recall(folder.path().c_str(), "wgt0", &recalled) == TUNNEL_OK);
    const SettingsPtr left(recalled);
    REQUIRE_FALSE(has_line(tunnel_settings_text(left.get()), "table inet ltun {"));
    REQUIRE(tunnel_settings_undo(first.get(), &fault) == TUNNEL_OK);
    REQUIRE(machine() == before);
  });
}

TEST_CASE("whatever block there is can be lifted, also when no journal knows of it",
          "[host][settings]") {
  test::in_namespace([] {
    const Scratch folder;
    REQUIRE(tunnel_settings_unblock(folder.path().c_str(), nullptr, nullptr) == TUNNEL_OK);
    const std::string before = machine();
    test::run_command("nft 'table inet ltun { chain a {\n}\n}'");
    REQUIRE(tunnel_settings_unblock(folder.path().c_str(), nullptr, nullptr) == TUNNEL_OK);
    REQUIRE(machine() == before);
  });
}

TEST_CASE("a start that fails leaves no block that was not there", "[host][settings]") {
  const Parsed parsed = parse(with_peer("AllowedIPs = 0.0.0.0/0\n"));
  tunnel_settings_request request = TUNNEL_SETTINGS_REQUEST_INIT;
  request.flags = TUNNEL_SETTINGS_KILL_SWITCH;
  test::in_namespace([&] {
    test::run_command("ip link add wgt0 type veth peer name other");
    const std::string before = machine();
    tunnel_settings* made = nullptr;
    REQUIRE(tunnel_settings_plan_for(parsed.config.get(), &request, "wgt0", &made, nullptr) ==
            TUNNEL_OK);
    const SettingsPtr settings(made);
    const Scratch folder;
    REQUIRE(tunnel_settings_open_journal(settings.get(), folder.path().c_str(), nullptr) ==
            TUNNEL_OK);
    test::run_command("ip route add unreachable default table 51820");
    REQUIRE(tunnel_settings_apply(settings.get(), nullptr) == TUNNEL_ERR_EXISTS);
    test::run_command("ip route del unreachable default table 51820");
    REQUIRE(machine() == before);
  });
}

TEST_CASE("a plan refuses names that no interface can have", "[host][settings]") {
  const Parsed parsed = example();
  tunnel_settings* settings = nullptr;
  for (const char* name : {"", "..", "a/b", "sixteen_letters_"}) {
    CHECK(tunnel_settings_plan(parsed.config.get(), name, &settings, nullptr) ==
          TUNNEL_ERR_ARGUMENT);
  }
}

TEST_CASE("a plan is applied by netlink and undone without a trace", "[host][settings]") {
  test::in_namespace([] {
    test::run_command("ip link add wgt0 type veth peer name other");
    const std::string before = machine();
    const SettingsPtr settings = plan(example(), "wgt0");
    REQUIRE(tunnel_settings_apply(settings.get(), nullptr) == TUNNEL_OK);
    REQUIRE(texts(settings, true).size() == 8);
    const std::string now = machine();
    INFO(now);
    REQUIRE(has_line(now, "mtu 1400"));
    REQUIRE(has_line(now, "inet 10.9.0.1/24 scope global wgt0"));
    REQUIRE(has_line(now, "inet6 fd00:9::1/64 scope global"));
    REQUIRE(has_line(now, "192.168.7.0/24 dev wgt0 proto 87 scope link"));
    REQUIRE(has_line(now, "fd00:7::/64 dev wgt0 proto 87"));
    REQUIRE(tunnel_settings_apply(settings.get(), nullptr) == TUNNEL_ERR_STATE);
    REQUIRE(tunnel_settings_undo(settings.get(), nullptr) == TUNNEL_OK);
    REQUIRE(texts(settings, true).empty());
    REQUIRE(machine() == before);
    REQUIRE(tunnel_settings_undo(settings.get(), nullptr) == TUNNEL_OK);
  });
}

TEST_CASE("a step that fails is named, and what was applied is undone", "[host][settings]") {
  test::in_namespace([] {
    test::run_command("ip link add wgt0 type veth peer name other");
    test::run_command("ip route add 192.168.0.0/16 dev lo");
    const std::string before = machine();
    const SettingsPtr settings = plan(example(), "wgt0");
    tunnel_settings_fault fault = TUNNEL_SETTINGS_FAULT_INIT;
    REQUIRE(tunnel_settings_apply(settings.get(), &fault) == TUNNEL_ERR_EXISTS);
    REQUIRE(fault.index == 7);
    REQUIRE(fault.system == EEXIST);
    REQUIRE(std::string(fault.message) ==
            "ip -4 route add 192.168.0.0/16 dev wgt0 proto 87: File exists");
    REQUIRE(machine() == before);
  });
}

TEST_CASE("undo leaves what others changed, and a deleted interface is no error",
          "[host][settings]") {
  test::in_namespace([] {
    test::run_command("ip link add wgt0 type veth peer name other");
    const SettingsPtr settings = plan(example(), "wgt0");
    REQUIRE(tunnel_settings_apply(settings.get(), nullptr) == TUNNEL_OK);
    test::run_command("ip link set wgt0 mtu 1390");
    test::run_command("ip route del 192.168.7.0/24 dev wgt0");
    test::run_command("ip route add 192.168.8.0/24 dev wgt0 proto static");
    REQUIRE(tunnel_settings_undo(settings.get(), nullptr) == TUNNEL_OK);
    REQUIRE(has_line(machine(), "mtu 1390"));
    REQUIRE(tunnel_settings_apply(settings.get(), nullptr) == TUNNEL_OK);
    test::run_command("ip link del wgt0");
    REQUIRE(tunnel_settings_undo(settings.get(), nullptr) == TUNNEL_OK);
    tunnel_settings_fault fault = TUNNEL_SETTINGS_FAULT_INIT;
    REQUIRE(tunnel_settings_apply(settings.get(), &fault) == TUNNEL_ERR_NOT_FOUND);
    REQUIRE(std::string(fault.message) == "there is no interface wgt0");
  });
}
