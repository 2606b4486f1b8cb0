// json.cpp — steps as the journal stores them. The reader takes nothing on trust: a journal may be
// damaged.
#include <tunnel/host/text.h>

#include <algorithm>
#include <array>
#include <limits>
#include <nlohmann/json.hpp>

#include "host/step/step.h"

namespace tunnel::host {
namespace {

using Json = nlohmann::json;

constexpr std::array<const char*, 4> kBackends = {"resolved", "network_manager", "resolvconf",
                                                  "file"};

std::string text_of(const tunnel_prefix& prefix) {
  std::array<char, TUNNEL_PREFIX_TEXT_SIZE> text{};
  (void)tunnel_prefix_to_text(&prefix, text.data());
  return text.data();
}

std::string text_of(const tunnel_address& address) {
  std::array<char, TUNNEL_ADDRESS_TEXT_SIZE> text{};
  (void)tunnel_address_to_text(&address, text.data());
  return text.data();
}

struct Writer {
  Json operator()(const MtuStep& step) const { return {{"kind", "mtu"}, {"mtu", step.mtu}}; }

  Json operator()(const AddressStep& step) const {
    return {{"kind", "address"}, {"address", text_of(step.address)}};
  }

  Json operator()(const UpStep&) const { return {{"kind", "up"}}; }

  Json operator()(const RouteStep& step) const {
    Json json{{"kind", "route"}, {"prefix", text_of(step.prefix)}, {"table", step.table}};
    if (!step.device.empty()) json["device"] = step.device;
    if (step.gateway) json["gateway"] = text_of(*step.gateway);
    if (step.unreachable) json["unreachable"] = true;
    return json;
  }

  Json operator()(const RuleStep& step) const {
    Json json{{"kind", "rule"}, {"family", step.family}, {"table", step.table}};
    if (step.priority != 0) json["priority"] = step.priority;
    if (step.to) json["to"] = text_of(*step.to);
    if (step.mark) json["mark"] = *step.mark;
    if (step.not_mark) json["not_mark"] = true;
    if (step.suppress_prefixlength) json["suppress_prefixlength"] = *step.suppress_prefixlength;
    return json;
  }

  Json operator()(const SysctlStep& step) const {
    Json json{{"kind", "sysctl"}, {"name", step.name}, {"value", step.value}};
    if (step.optional) json["optional"] = true;
    return json;
  }

  Json operator()(const TableStep& step) const {
    Json json{{"kind", "table"}, {"name", step.name}, {"body", step.body}};
    if (step.survives) json["survives"] = true;
    if (step.optional) json["optional"] = true;
    if (step.arp) json["arp"] = true;
    return json;
  }

  Json operator()(const ForeignRuleStep& step) const {
    return {{"kind", "foreign_rule"}, {"family", step.family}, {"table", step.table},
            {"chain", step.chain},    {"rule", step.rule},     {"comment", step.comment}};
  }

  Json operator()(const ResolverStep& step) const {
    Json servers = Json::array();
    for (const tunnel_address& server : step.servers) servers.push_back(text_of(server));
    return {{"kind", "resolver"},
            {"backend", kBackends[static_cast<std::size_t>(step.backend)]},
            {"interface", step.interface_name},
            {"servers", servers},
            {"domains", step.domains},
            {"everything", step.everything}};
  }
};

// Takes the members of an object one by one. `whole()` says that each was there and of its type,
// and that there was nothing else.
class Reader {
 public:
  explicit Reader(const Json& json) : json_(json) {}

  [[nodiscard]] bool whole() const { return good_ && taken_ == json_.size(); }
  void fail() { good_ = false; }

  void take(const char* name, std::string& value) {
    if (const Json* found = need(name, Json::value_t::string)) value = text(*found);
  }

  void take(const char* name, std::uint32_t& value) {
    const Json* found = need(name, Json::value_t::number_unsigned);
    const auto number = found == nullptr ? 0 : *found->get_ptr<const std::uint64_t*>();
    good_ = good_ && number <= std::numeric_limits<std::uint32_t>::max();
    value = static_cast<std::uint32_t>(number);
  }

  void take(const char* name, bool& value) {
    const Json* found = need(name, Json::value_t::boolean);
    value = found != nullptr && *found->get_ptr<const bool*>();
  }

  void take(const char* name, tunnel_prefix& value) {
    const Json* found = need(name, Json::value_t::string);
    if (found != nullptr) read(text(*found), value);
  }

  void take(const char* name, tunnel_address& value) {
    const Json* found = need(name, Json::value_t::string);
    if (found != nullptr) read(text(*found), value);
  }

  template <class T>
  void take(const char* name, std::vector<T>& values) {
    const Json* found = need(name, Json::value_t::array);
    if (found == nullptr) return;
    for (const Json& each : *found) {
      good_ = good_ && each.is_string();
      if (good_) read(text(each), values.emplace_back());
    }
  }

  // Absent = the default.
  template <class T>
  void take_if_there(const char* name, T& value) {
    if (json_.contains(name)) take(name, value);
  }

  template <class T>
  void take_if_there(const char* name, std::optional<T>& value) {
    if (json_.contains(name)) take(name, value.emplace());
  }

 private:
  static const std::string& text(const Json& json) { return *json.get_ptr<const std::string*>(); }

  const Json* need(const char* name, Json::value_t type) {
    const auto found = json_.find(name);
    good_ = good_ && found != json_.end() && found->type() == type;
    if (good_) ++taken_;
    return good_ ? &*found : nullptr;
  }

  static void read(const std::string& from, std::string& to) { to = from; }
  void read(const std::string& from, tunnel_prefix& to) {
    good_ = good_ && tunnel_prefix_from_text(from.data(), from.size(), &to) == TUNNEL_OK;
  }
  void read(const std::string& from, tunnel_address& to) {
    good_ = good_ && tunnel_address_from_text(from.data(), from.size(), &to) == TUNNEL_OK;
  }

  const Json& json_;
  std::size_t taken_ = 0;
  bool good_ = true;
};

void fill(Reader& from, MtuStep& step) {
  from.take("mtu", step.mtu);
}

void fill(Reader& from, AddressStep& step) {
  from.take("address", step.address);
}

void fill(Reader&, UpStep&) {}

void fill(Reader& from, RouteStep& step) {
  from.take("prefix", step.prefix);
  from.take("table", step.table);
  from.take_if_there("device", step.device);
  from.take_if_there("gateway", step.gateway);
  from.take_if_there("unreachable", step.unreachable);
}

void fill(Reader& from, RuleStep& step) {
  std::uint32_t family = 0;
  from.take("family", family);
  if (family != TUNNEL_FAMILY_IPV4 && family != TUNNEL_FAMILY_IPV6) from.fail();
  step.family = static_cast<std::uint8_t>(family);
  from.take("table", step.table);
  from.take_if_there("priority", step.priority);
  from.take_if_there("to", step.to);
  from.take_if_there("mark", step.mark);
  from.take_if_there("not_mark", step.not_mark);
  from.take_if_there("suppress_prefixlength", step.suppress_prefixlength);
}

void fill(Reader& from, SysctlStep& step) {
  from.take("name", step.name);
  from.take("value", step.value);
  from.take_if_there("optional", step.optional);
}

void fill(Reader& from, TableStep& step) {
  from.take("name", step.name);
  from.take("body", step.body);
  from.take_if_there("survives", step.survives);
  from.take_if_there("optional", step.optional);
  from.take_if_there("arp", step.arp);
}

void fill(Reader& from, ForeignRuleStep& step) {
  from.take("family", step.family);
  from.take("table", step.table);
  from.take("chain", step.chain);
  from.take("rule", step.rule);
  from.take("comment", step.comment);
}

void fill(Reader& from, ResolverStep& step) {
  std::string backend;
  from.take("backend", backend);
  const auto found = std::find(kBackends.begin(), kBackends.end(), backend);
  if (found == kBackends.end()) return from.fail();
  step.backend = static_cast<ResolverStep::Backend>(found - kBackends.begin());
  from.take("interface", step.interface_name);
  from.take("servers", step.servers);
  from.take("domains", step.domains);
  from.take("everything", step.everything);
}

template <class T>
std::optional<Step> read_as(Reader& from) {
  T step;
  fill(from, step);
  if (!from.whole()) return std::nullopt;
  return step;
}

struct Kind {
  std::string_view name;
  std::optional<Step> (*read)(Reader&);
};

constexpr Kind kKinds[] = {
    {"mtu", read_as<MtuStep>},
    {"address", read_as<AddressStep>},
    {"up", read_as<UpStep>},
    {"route", read_as<RouteStep>},
    {"rule", read_as<RuleStep>},
    {"sysctl", read_as<SysctlStep>},
    {"table", read_as<TableStep>},
    {"foreign_rule", read_as<ForeignRuleStep>},
    {"resolver", read_as<ResolverStep>},
};

}  // namespace

std::string step_json(const Step& step) {
  // Bytes that are no UTF-8 cannot come from a planner; replaced, they do no harm.
  return std::visit(Writer{}, step).dump(-1, ' ', true, Json::error_handler_t::replace);
}

std::optional<Step> step_from_json(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  Reader reader(json);
  std::string name;
  reader.take("kind", name);
  const auto kind = std::find_if(std::begin(kKinds), std::end(kKinds),
                                 [&](const Kind& each) { return each.name == name; });
  return kind == std::end(kKinds) ? std::nullopt : kind->read(reader);
}

bool same_step(const Step& a, const Step& b) {
  return step_json(a) == step_json(b);
}

}  // namespace tunnel::host
