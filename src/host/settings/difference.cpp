#include "host/settings/difference.h"

#include <optional>
#include <unordered_map>

namespace tunnel::host {
namespace {

using Kind = Todo::Kind;

// What the kernel has one of only: the place that a step takes. "" = any number of them fit.
std::string place_of(const Step& step) {
  if (const auto* table = std::get_if<TableStep>(&step)) return "table " + table_text(*table);
  const auto* route = std::get_if<RouteStep>(&step);
  if (route == nullptr) return {};
  RouteStep place;
  place.prefix = route->prefix;
  place.table = route->table;
  return step_json(place);
}

class Comparison {
 public:
  Comparison(const std::vector<Step>& now, const std::vector<Step>& wanted)
      : now_(now), used_(now.size()), partners_(wanted.size()), same_(wanted.size()) {
    match(wanted, step_json, true);
    match(wanted, place_of, false);
  }

  Todo todo(std::size_t wanted) const {
    const auto& partner = partners_[wanted];
    if (!partner) return {Kind::take, 0, wanted};
    return {same_[wanted] ? Kind::keep : Kind::swap, *partner, wanted};
  }
  bool is_left_over(std::size_t now) const { return !used_[now]; }

 private:
  // Finds partners for those that have none yet.
  template <class Key>
  void match(const std::vector<Step>& wanted, Key&& key_of, bool same) {
    std::unordered_multimap<std::string, std::size_t> places;
    for (std::size_t i = 0; i < now_.size(); ++i) {
      if (!used_[i]) places.emplace(key_of(now_[i]), i);
    }
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      if (partners_[i]) continue;
      const std::string key = key_of(wanted[i]);
      const auto found = key.empty() ? places.end() : places.find(key);
      if (found == places.end()) continue;
      partners_[i] = found->second;
      same_[i] = same;
      used_[found->second] = true;
      places.erase(found);
    }
  }

  const std::vector<Step>& now_;
  std::vector<bool> used_;
  std::vector<std::optional<std::size_t>> partners_;
  std::vector<bool> same_;
};

}  // namespace

bool keeps_inside(const Step& step, const std::string& interface_name) {
  if (const auto* rule = std::get_if<RuleStep>(&step)) {
    return !rule->to && !rule->suppress_prefixlength;
  }
  if (const auto* route = std::get_if<RouteStep>(&step)) {
    return route->unreachable || route->device == interface_name;
  }
  // A rule of ours among those of others is found by its comment, a kernel setting by its name: two
  // of them cannot be there side by side.
  return !std::holds_alternative<ForeignRuleStep>(step) &&
         !std::holds_alternative<SysctlStep>(step);
}

std::vector<Todo> difference(const std::vector<Step>& now, const std::vector<Step>& wanted,
                             const std::string& interface_name) {
  const Comparison comparison(now, wanted);
  std::vector<Todo> todos;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (is_block(wanted[i])) todos.push_back(comparison.todo(i));
  }
  for (std::size_t i = now.size(); i-- > 0;) {
    if (!comparison.is_left_over(i) || keeps_inside(now[i], interface_name)) continue;
    todos.push_back({Kind::undo, i, 0});
  }
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (!is_block(wanted[i])) todos.push_back(comparison.todo(i));
  }
  for (std::size_t i = now.size(); i-- > 0;) {
    if (!comparison.is_left_over(i) || !keeps_inside(now[i], interface_name)) continue;
    todos.push_back({Kind::undo, i, 0});
  }
  return todos;
}

}  // namespace tunnel::host
