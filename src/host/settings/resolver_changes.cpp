// resolver_changes.cpp — name servers, by the backend that the plan chose.
#include <cerrno>

#include "host/dns/dns.h"
#include "host/settings/changes.h"

namespace tunnel::host {
namespace {

Answer not_saved(std::int32_t status) {
  return {status == TUNNEL_ERR_ARGUMENT ? EINVAL : EIO, tunnel_status_text(status)};
}

}  // namespace

Look look_at(Tools&, const ResolverStep& step) {
  auto saved = save_resolver(step);
  if (!saved) return {not_saved(saved.status()), true, {}};
  return {{}, true, *std::move(saved)};
}

Answer change(Tools&, const ResolverStep& step, const std::string& before) {
  return apply_resolver(step, before);
}

Answer restore(Tools&, const ResolverStep&, const std::string& before) {
  return undo_resolver(before);
}

}  // namespace tunnel::host
