// The words saved: the six of the file that was there, and ours.
#include <net/if.h>

#include <cerrno>

#include "host/dns/backends.h"
#include "host/dns/file_swap.h"
#include "host/dns/resolv_conf.h"
#include "host/system/system.h"

namespace tunnel::host::dns::resolv_file {
namespace {

struct Saved {
  SavedFile before;
  std::string ours;
};

std::optional<Saved> read(std::string_view words) {
  auto before = read_saved(words);
  if (!before) return std::nullopt;
  for (int i = 0; i < 6; ++i) (void)next_word(words);
  auto ours = from_word(next_word(words));
  if (!ours || ours->empty()) return std::nullopt;
  return Saved{*std::move(before), *std::move(ours)};
}

// What a file stands for that tunnels wrote: the first of them that still has its interface keeps
// its file, otherwise what was there before all of them. `ending` has its interface a while yet.
SavedFile without_dead_tunnels(SavedFile file, std::string_view ending) {
  for (auto mark = read_mark(file.content); mark; mark = read_mark(file.content)) {
    const std::string& name = mark->interface_name;
    if (name != ending && ::if_nametoindex(name.c_str()) != 0) return file;
    file = std::move(mark->before);
  }
  return file;
}

}  // namespace

base::Result<std::string> save(const ResolverStep& step, const DnsPlaces& places) {
  auto now = save_file(places.resolv_conf());
  if (!now) return base::Error{now.status()};
  SavedFile before = *std::move(now);
  // Our own file of a former run: what it replaced is what there was.
  if (auto mark = read_mark(before.content); mark && mark->interface_name == step.interface_name) {
    before = std::move(mark->before);
  }
  const ResolvConf content = resolv_conf_for(step, read_resolv_conf(before.content));
  const std::string ours = mark_text({step.interface_name, before}) + resolv_conf_text(content);
  return saved_text(before) + " " + to_word(ours);
}

Answer apply(std::string_view words, const DnsPlaces& places) {
  const auto saved = read(words);
  if (!saved) return {EINVAL, "the saved file cannot be read"};
  return put_text(places.resolv_conf(), saved->before, saved->ours);
}

Answer undo(const std::string& interface_name, std::string_view words, const DnsPlaces& places) {
  const auto saved = read(words);
  if (!saved) return {0, "what " + places.resolv_conf() + " was is lost; it is left as it is"};
  const SavedFile before = without_dead_tunnels(saved->before, interface_name);
  return put_back(places.resolv_conf(), saved->ours, before);
}

bool is_in_force(std::string_view words, const DnsPlaces& places) {
  const auto saved = read(words);
  const auto now = save_file(places.resolv_conf());
  return !saved || (now && now->content == saved->ours);
}

}  // namespace tunnel::host::dns::resolv_file
