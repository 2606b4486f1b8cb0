// tables.h — a device or transport as the engine holds it.
#pragma once

#include <tunnel/device.h>
#include <tunnel/transport.h>

#include <algorithm>
#include <cstring>

#include "base/base.h"

namespace tunnel::engine {

// The engine's own, full-sized copy of an ops table: a member that the object does not offer,
// because its table is older and shorter or because it says null, is null here.
template <class Ops>
struct Table {
  Ops ops{};
  void* self = nullptr;
};
using Device = Table<tunnel_device_ops>;
using Transport = Table<tunnel_transport_ops>;

// Without the four verbs that every table has, an object is of no use to us: TUNNEL_ERR_ARGUMENT.
template <class Ops>
base::Result<Table<Ops>> read_table(const Ops* ops, void* self) noexcept {
  if (ops == nullptr) return base::Error{TUNNEL_ERR_ARGUMENT};
  Table<Ops> table{.ops = {}, .self = self};
  std::memcpy(&table.ops, ops, std::min<std::size_t>(ops->size, sizeof table.ops));
  const auto& own = table.ops;
  if (own.read == nullptr || own.write == nullptr || own.wait == nullptr || own.close == nullptr) {
    return base::Error{TUNNEL_ERR_ARGUMENT};
  }
  return table;
}

}  // namespace tunnel::engine
