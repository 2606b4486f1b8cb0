// filter_changes.cpp — nft tables of our own, and rules in the chains of others.
#include <cerrno>

#include "host/settings/changes.h"

namespace tunnel::host {

Look look_at(Tools&, const TableStep&) {
  return {{EOPNOTSUPP, {}}};
}
Answer change(Tools&, const TableStep&) {
  return {EOPNOTSUPP, {}};
}
Answer restore(Tools&, const TableStep&, const std::string&) {
  return {EOPNOTSUPP, {}};
}
Look look_at(Tools&, const ForeignRuleStep&) {
  return {{EOPNOTSUPP, {}}};
}
Answer change(Tools&, const ForeignRuleStep&) {
  return {EOPNOTSUPP, {}};
}
Answer restore(Tools&, const ForeignRuleStep&, const std::string&) {
  return {EOPNOTSUPP, {}};
}

}  // namespace tunnel::host
