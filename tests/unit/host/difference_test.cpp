// difference_test.cpp — two plans compared: what is to be done, in which order.
#include "host/settings/difference.h"

#include <tunnel/packet.h>

#include "settings_support.h"

using namespace tunnel::host;
using namespace tunnel::test;

namespace {

using Kind = Todo::Kind;
using Steps = std::vector<Step>;

Step block(const char* body) {
  return TableStep{kBlockTable, body, true};
}

Step inside(const char* to) {
  return RouteStep{prefix(to), "wg0", 51820};
}

Step endpoint_by(const char* gateway) {
  RouteStep route{prefix("203.0.113.5/32"), "eth0"};
  route.gateway = address(gateway);
  return route;
}

Step all_but(std::uint32_t mark) {
  RuleStep rule{TUNNEL_FAMILY_IPV4, 31821, 51820};
  rule.mark = mark;
  rule.not_mark = true;
  return rule;
}

Step past(const char* network) {
  RuleStep rule{TUNNEL_FAMILY_IPV4, 31820};
  rule.to = prefix(network);
  return rule;
}

// "keep 0 0, take 1": what is done, by the places in the two lists.
std::string plan(const Steps& now, const Steps& wanted) {
  std::string text;
  for (const Todo& todo : difference(now, wanted, "wg0")) {
    const std::string place = std::to_string(todo.now);
    const std::string other = std::to_string(todo.wanted);
    text += text.empty() ? "" : ", ";
    switch (todo.kind) {
      case Kind::keep:
        text += "keep " + place + " " + other;
        break;
      case Kind::swap:
        text += "swap " + place + " " + other;
        break;
      case Kind::take:
        text += "take " + other;
        break;
      case Kind::undo:
        text += "undo " + place;
        break;
    }
  }
  return text;
}

struct Case {
  const char* what;
  Steps now, wanted;
  const char* todo;
};

}  // namespace

TEST_CASE("two plans are compared in the order in which no packet gets out", "[host][settings]") {
  const Case cases[] = {
      {"nothing and nothing", {}, {}, ""},
      {"the same is looked after", {inside("0.0.0.0/0")}, {inside("0.0.0.0/0")}, "keep 0 0"},
      {"the first time", {}, {inside("0.0.0.0/0"), all_but(7)}, "take 0, take 1"},
      {"all is left over: the last goes first",
       {inside("0.0.0.0/0"), all_but(7)},
       {},
       "undo 1, undo 0"},
      {"what keeps inside comes before its predecessor goes",
       {inside("0.0.0.0/0"), all_but(7)},
       {inside("0.0.0.0/0"), all_but(8)},
       "keep 0 0, take 1, undo 1"},
      {"what leads past the tunnel goes before its successor comes",
       {past("172.17.0.0/16"), all_but(7)},
       {past("172.18.0.0/16"), all_but(7)},
       "undo 0, take 0, keep 1 1"},
      {"the block first",
       {block("a"), past("172.17.0.0/16"), all_but(7)},
       {block("b"), all_but(7), inside("10.0.0.0/8")},
       "swap 0 0, undo 1, keep 2 1, take 2"},
      {"another way to the same place takes its place",
       {endpoint_by("192.0.2.1")},
       {endpoint_by("192.0.2.2")},
       "swap 0 0"},
      {"a route of the same prefix in another table does not",
       {inside("10.0.0.0/8")},
       {RouteStep{prefix("10.0.0.0/8"), "wg0", 51821}},
       "take 0, undo 0"},
      {"a table of the same name takes its place",
       {TableStep{"ltun_wg0", "a"}},
       {TableStep{"ltun_wg0", "b"}},
       "swap 0 0"},
      {"one of another family does not",
       {TableStep{"ltun_wg0", "a"}},
       {TableStep{"ltun_wg0", "a", false, false, true}},
       "take 0, undo 0"},
      {"a rule in a chain of others is found by its comment: first undone",
       {ForeignRuleStep{"ip", "filter", "FORWARD", "oifname eth0 accept", "simplevpn wg0 out"}},
       {ForeignRuleStep{"ip", "filter", "FORWARD", "oifname eth1 accept", "simplevpn wg0 out"}},
       "undo 0, take 0"},
  };
  for (const Case& each : cases) {
    INFO(each.what);
    CHECK(plan(each.now, each.wanted) == each.todo);
  }
}
