// filter_changes.cpp — nft tables of our own, and rules in the chains of others.
//
// A table or a rule that is there already and is in no journal of ours belongs to somebody else.
#include <algorithm>
#include <cerrno>
#include <set>
#include <string_view>

#include "host/settings/changes.h"

namespace tunnel::host {
namespace {

constexpr const char* kLiftedSign = "\tchain lifted {\n\t}\n";  // lets everything pass
constexpr std::string_view kTableFamilies[] = {"ip", "ip6", "inet", "bridge", "arp", "netdev"};

bool is_letter(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool is_further(char c) noexcept {
  return is_letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '/';
}

// What nft reads as one word, so that nothing in a journal becomes a command.
bool is_word(std::string_view text) noexcept {
  return !text.empty() && is_letter(text.front()) &&
         std::all_of(text.begin(), text.end(), is_further);
}

bool is_comment(std::string_view text) noexcept {
  return !text.empty() && text.size() < 128 &&
         std::none_of(text.begin(), text.end(), [](char c) { return c == '"' || c < ' '; });
}

bool is_sane(const ForeignRuleStep& step) noexcept {
  const bool known = std::find(std::begin(kTableFamilies), std::end(kTableFamilies), step.family) !=
                     std::end(kTableFamilies);
  return known && is_word(step.table) && is_word(step.chain) && is_comment(step.comment);
}

std::string chain_of(const ForeignRuleStep& step) {
  return step.family + " " + step.table + " " + step.chain;
}

// Does `work` with the filter, or says why there is none.
template <class Work>
Answer with_filter(Tools& tools, bool sane, Work&& work) {
  if (!sane) return {EINVAL, "no name that nft reads as one word"};
  Answer why;
  if (!tools.nft) tools.nft = Nft::open(why);
  return tools.nft ? work(*tools.nft) : why;
}

bool has_filter(Tools& tools) {
  Answer why;
  if (!tools.nft) tools.nft = Nft::open(why);
  return tools.nft.has_value();
}

// The block, as nft names it.
std::string block_text() {
  return table_text({kBlockTable, {}, true});
}

// The tunnel whose name stands at the head of a block.
std::string holder_in(const std::string& rules) {
  const std::string mark = std::string("comment \"") + kBlockComment;
  const std::size_t found = rules.find(mark);
  if (found == rules.npos) return {};
  const std::size_t begin = found + mark.size();
  return rules.substr(begin, rules.find('"', begin) - begin);
}

bool is_lifted(const std::string& rules) {
  return rules.find("chain lifted {") != rules.npos;
}

// "chain output", "set endpoints4": what a table is made of, as nft writes it or is told it.
std::set<std::string, std::less<>> parts_of(std::string_view text) {
  std::set<std::string, std::less<>> parts;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const std::string_view kind = next_word(line);
    if (kind != "chain" && kind != "set") continue;
    parts.insert(std::string(kind) + " " + std::string(next_word(line)));
  }
  return parts;
}

// A table that is deleted and made anew lets packets through between the two, although that is one
// transaction (seen with Linux 6.18, one packet in five times). Its rules and the elements of its
// sets can be exchanged without. Telling it all first makes what is missing.
std::string exchange_script(const TableStep& step) {
  const std::string told = table_definition(step);
  std::string script = told + "flush table " + table_text(step) + "\n";
  for (const std::string& part : parts_of(step.body)) {
    if (!part.starts_with("set ")) continue;
    script += "flush set " + table_text(step) + part.substr(part.find(' ')) + "\n";
  }
  return script + told;
}

struct Place {
  bool there = false;  // there is a table of this name
  bool taken = false;  // and it is more than the sign of a lifted block
  bool ours = false;   // and not another tunnel's: all tunnels share the name of the block
  std::string holder{};
  std::string rules{};  // of a block
};

Answer find_place(Nft& nft, const TableStep& step, Place& place) {
  Answer answer = nft.has_table(table_text(step), place.there);
  place.ours = place.taken = place.there;
  if (answer.error != 0 || !place.taken || !step.survives) return answer;
  answer = nft.read("list table " + table_text(step), place.rules);
  place.holder = holder_in(place.rules);
  // A sign that nobody has taken is anybody's to replace.
  if (answer.error == 0 && is_lifted(place.rules)) place.taken = place.ours = false;
  if (!place.taken) return answer;
  place.ours = answer.error == 0 && place.holder == holder_in(step.body);
  return answer;
}

Answer replace(Nft& nft, const Place& place, const TableStep& step) {
  if (!step.survives) return nft.run(table_script(step));
  const auto before = parts_of(place.rules);
  const auto after = parts_of(step.body);
  const bool fits = std::includes(after.begin(), after.end(), before.begin(), before.end());
  if (fits && nft.run(exchange_script(step)).error == 0) return {};
  return nft.run(table_script(step));
}

Answer taken_by(const std::string& holder) {
  if (holder.empty()) return {EEXIST, "another program or tunnel has a table of this name"};
  return {EEXIST, "there is one block, and it is that of " + holder + ": simplevpn down " + holder +
                      ", or unblock"};
}

}  // namespace

std::string block_holder() {
  Answer why;
  auto nft = Nft::open(why);
  std::string rules;
  if (nft) (void)nft->list_table(block_text(), rules);
  return holder_in(rules);
}

// Without the sign the daemon of a tunnel that runs would put the block back.
Answer lift_block(bool holder_lives) {
  Answer why;
  auto nft = Nft::open(why);
  bool found = false;
  if (nft) why = nft->has_table(block_text(), found);
  if (!found) return why;
  if (holder_lives) return nft->run(table_script({kBlockTable, kLiftedSign, true}));
  return nft->run("delete table " + block_text());
}

bool take_lifted_sign() {
  Answer why;
  auto nft = Nft::open(why);
  std::string rules;
  if (nft) (void)nft->list_table(block_text(), rules);
  if (!is_lifted(rules)) return false;
  return nft->run("delete table " + block_text()).error == 0;
}

Look look_at(Tools& tools, const TableStep& step) {
  if (step.optional && !has_filter(tools)) return {{}, false, {}};
  return {with_filter(tools, is_word(step.name), [&](Nft& nft) -> Answer {
    Place place;
    const Answer answer = find_place(nft, step, place);
    return answer.error != 0 || !place.taken ? answer : taken_by(place.holder);
  })};
}

// One that is not there yet is not there either when the kernel makes it.
Answer change(Tools& tools, const TableStep& step, const std::string&) {
  return with_filter(tools, is_word(step.name), [&](Nft& nft) -> Answer {
    Place place;
    const Answer answer = find_place(nft, step, place);
    if (answer.error != 0) return answer;
    if (!place.there) {
      return nft.run("create table " + table_text(step) + "\n" + table_script(step));
    }
    if (!place.taken) return nft.run(table_script(step));
    return place.ours ? replace(nft, place, step) : taken_by(place.holder);
  });
}

Answer restore(Tools& tools, const TableStep& step, const std::string&) {
  return with_filter(tools, is_word(step.name), [&](Nft& nft) -> Answer {
    Place place;
    const Answer answer = find_place(nft, step, place);
    if (answer.error != 0 || !place.ours) return answer;
    return nft.run("delete table " + table_text(step));
  });
}

Look look_at(Tools& tools, const ForeignRuleStep& step) {
  return {with_filter(tools, is_sane(step), [&](Nft& nft) -> Answer {
    std::uint64_t handle = 0;
    const Answer answer = nft.find_rule(chain_of(step), step.comment, handle);
    if (answer.error != 0 || handle == 0) return answer;
    return {EEXIST, {}};
  })};
}

Answer change(Tools& tools, const ForeignRuleStep& step, const std::string&) {
  return with_filter(tools, is_sane(step), [&](Nft& nft) { return nft.run(rule_script(step)); });
}

Answer restore(Tools& tools, const ForeignRuleStep& step, const std::string&) {
  return with_filter(tools, is_sane(step), [&](Nft& nft) -> Answer {
    std::uint64_t handle = 0;
    const Answer answer = nft.find_rule(chain_of(step), step.comment, handle);
    if (answer.error != 0 || handle == 0) return answer;
    return nft.run("delete rule " + chain_of(step) + " handle " + std::to_string(handle));
  });
}

}  // namespace tunnel::host
