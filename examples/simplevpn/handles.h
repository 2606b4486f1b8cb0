// handles.h - owners of the host library's objects; those of libtunnel are in tunnel.hpp.
#pragma once

#include <memory>

#include <tunnel/host/host.h>

namespace simplevpn {

template <auto Destroy>
struct Destroyer {
  template <class Object>
  void operator()(Object* object) const {
    Destroy(object);
  }
};
template <class Object, auto Destroy>
using Handle = std::unique_ptr<Object, Destroyer<Destroy>>;

using ConfigHandle = Handle<tunnel_config, tunnel_config_destroy>;
using ControlHandle = Handle<tunnel_control, tunnel_control_close>;
using ResolverHandle = Handle<tunnel_resolver, tunnel_resolver_destroy>;
using SettingsHandle = Handle<tunnel_settings, tunnel_settings_destroy>;
using SnapshotHandle = Handle<tunnel_snapshot, tunnel_snapshot_destroy>;
using StateHandle = Handle<tunnel_state, tunnel_state_destroy>;

}  // namespace simplevpn
