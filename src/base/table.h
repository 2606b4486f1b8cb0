// table.h — makes the C tables of device.h and transport.h from any C++ class with the right
// members.
//
// Each interface exists once, as a C table {ops, self}. A class becomes a device or a transport by
// having the members below; there is no base class. `self` is owned by the table: close deletes it.
#pragma once

#include <tunnel/device.h>
#include <tunnel/transport.h>

#include <concepts>
#include <cstdint>
#include <memory>
#include <span>

namespace tunnel::base {

// The four verbs of everything that carries packets.
template <class T>
concept Carrier = requires(T t, const tunnel_slab& slab, std::span<tunnel_packet> packets,
                           std::span<tunnel_handle> handles) {
  { t.read(slab, packets) }
  noexcept->std::same_as<std::int32_t>;
  { t.write(packets) }
  noexcept->std::same_as<std::int32_t>;
  { t.wait(handles) }
  noexcept->std::same_as<std::int32_t>;
};

template <class T>
concept Device = Carrier<T> && requires(T t) {
  { T::kDeviceFlags } -> std::convertible_to<std::uint32_t>;
  { t.mtu() }
  noexcept->std::same_as<std::int32_t>;
};

// The C functions of one class. What `self` points to is always a T: only make_device() and
// make_transport() pair them.
template <class T>
struct TableFunctions {
  static T& of(void* self) noexcept { return *static_cast<T*>(self); }

  static std::int32_t read(void* self, const tunnel_slab* slab, tunnel_packet* packets,
                           std::size_t max) {
    if (max == 0) return 0;
    return of(self).read(*slab, {packets, max});
  }
  static std::int32_t write(void* self, tunnel_packet* packets, std::size_t count) {
    return of(self).write({packets, count});
  }
  static std::int32_t wait(void* self, tunnel_handle* handles, std::size_t max) {
    return of(self).wait({handles, max});
  }
  static void close(void* self) { delete &of(self); }

  static std::int32_t mtu(void* self) { return of(self).mtu(); }

  static std::int32_t rebind(void* self) { return of(self).rebind(); }
  static std::int32_t mark(void* self, std::uint32_t mark) { return of(self).mark(mark); }
  static std::int32_t port(void* self) { return of(self).port(); }
  static std::uint32_t changed(void* self) { return of(self).changed(); }
  static std::int32_t set_port(void* self, std::uint16_t port) { return of(self).set_port(port); }
  static std::int32_t offload(void* self, std::uint32_t on) { return of(self).offload(on); }
};

// Members that an object lacks are null in its table: unsupported.
template <Device T>
constexpr tunnel_device_ops device_ops() noexcept {
  using F = TableFunctions<T>;
  tunnel_device_ops ops{};
  ops.size = sizeof ops;
  ops.flags = T::kDeviceFlags;
  ops.read = F::read;
  ops.write = F::write;
  ops.wait = F::wait;
  ops.close = F::close;
  ops.mtu = F::mtu;
  if constexpr (requires(T t) { t.offload(0u); }) ops.offload = F::offload;
  return ops;
}

template <Device T>
inline constexpr tunnel_device_ops kDeviceOps = device_ops<T>();

template <Carrier T>
constexpr tunnel_transport_ops transport_ops() noexcept {
  using F = TableFunctions<T>;
  tunnel_transport_ops ops{};
  ops.size = sizeof ops;
  ops.read = F::read;
  ops.write = F::write;
  ops.wait = F::wait;
  ops.close = F::close;
  if constexpr (requires(T t) { t.rebind(); }) ops.rebind = F::rebind;
  if constexpr (requires(T t) { t.mark(0u); }) ops.mark = F::mark;
  if constexpr (requires(T t) { t.port(); }) ops.port = F::port;
  if constexpr (requires(T t) { t.changed(); }) ops.changed = F::changed;
  if constexpr (requires(T t) { t.set_port(std::uint16_t{0}); }) ops.set_port = F::set_port;
  if constexpr (requires(T t) { t.offload(0u); }) ops.offload = F::offload;
  return ops;
}

template <Carrier T>
inline constexpr tunnel_transport_ops kTransportOps = transport_ops<T>();

template <Device T>
[[nodiscard]] tunnel_device make_device(std::unique_ptr<T> object) noexcept {
  return {&kDeviceOps<T>, object.release()};
}

template <Carrier T>
[[nodiscard]] tunnel_transport make_transport(std::unique_ptr<T> object) noexcept {
  return {&kTransportOps<T>, object.release()};
}

// The object behind a table, when it is a T; null otherwise. The table still owns it.
template <Device T>
[[nodiscard]] T* device_as(const tunnel_device& device) noexcept {
  return device.ops == &kDeviceOps<T> ? static_cast<T*>(device.self) : nullptr;
}

template <Carrier T>
[[nodiscard]] T* transport_as(const tunnel_transport& transport) noexcept {
  return transport.ops == &kTransportOps<T> ? static_cast<T*>(transport.self) : nullptr;
}

}  // namespace tunnel::base
