// handles.h - owners of descriptors and of the host library's objects; those of libtunnel are in
// tunnel.hpp.
#pragma once

#include <unistd.h>

#include <memory>

#include <tunnel/host/host.h>

namespace simplevpn {

// A descriptor closed with its owner.
class Descriptor {
 public:
  explicit Descriptor(int handle = -1) : handle_(handle) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { reset(-1); }
  void reset(int handle) {
    if (handle_ >= 0) close(handle_);
    handle_ = handle;
  }
  int get() const { return handle_; }

 private:
  int handle_;
};

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
using ControlFileHandle = Handle<tunnel_control_file, tunnel_control_file_destroy>;
using ControlHandle = Handle<tunnel_control, tunnel_control_close>;
using ResolverHandle = Handle<tunnel_resolver, tunnel_resolver_destroy>;
using SettingsHandle = Handle<tunnel_settings, tunnel_settings_destroy>;
using SnapshotHandle = Handle<tunnel_snapshot, tunnel_snapshot_destroy>;
using StateHandle = Handle<tunnel_state, tunnel_state_destroy>;

}  // namespace simplevpn
