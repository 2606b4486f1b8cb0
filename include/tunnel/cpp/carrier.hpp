// tunnel/cpp/carrier.hpp - owns a device or a transport.
#ifndef TUNNEL_CPP_CARRIER_HPP
#define TUNNEL_CPP_CARRIER_HPP

#include <tunnel/device.h>
#include <tunnel/transport.h>
#include <tunnel/cpp/result.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace tunnel {

// A device or transport that is owned: closed when it dies. `Table` is the C struct {ops, self}.
template <class Table>
class Carrier {
 public:
  // Owns what the table names from now on.
  explicit Carrier(const Table& table) noexcept : table_(table) {}
  Carrier(Carrier&& other) noexcept : table_(std::exchange(other.table_, {})) {}
  Carrier& operator=(Carrier&& other) noexcept {
    if (this != &other) close();
    if (this != &other) table_ = std::exchange(other.table_, {});
    return *this;
  }
  Carrier(const Carrier&) = delete;
  Carrier& operator=(const Carrier&) = delete;
  ~Carrier() { close(); }

  const Table& get() const noexcept { return table_; }
  // Gives the ownership away; the object is empty afterwards.
  Table release() noexcept { return std::exchange(table_, {}); }
  void close() noexcept {
    const Table table = release();
    if (table.ops != nullptr) table.ops->close(table.self);
  }

  std::int32_t read(const tunnel_slab& slab, std::span<tunnel_packet> packets) noexcept {
    return table_.ops->read(table_.self, &slab, packets.data(), packets.size());
  }
  std::int32_t write(std::span<tunnel_packet> packets) noexcept {
    return table_.ops->write(table_.self, packets.data(), packets.size());
  }
  std::int32_t wait(std::span<tunnel_handle> handles) noexcept {
    return table_.ops->wait(table_.self, handles.data(), handles.size());
  }

 protected:
  // Calls a member that a table may lack, because it is shorter or says null.
  template <class Member, class... Arguments>
  std::int32_t call(Member member, std::size_t offset, Arguments... arguments) const noexcept {
    if (offset + sizeof(void*) > table_.ops->size) return TUNNEL_ERR_UNSUPPORTED;
    const auto function = table_.ops->*member;
    return function == nullptr ? TUNNEL_ERR_UNSUPPORTED : function(table_.self, arguments...);
  }

 private:
  Table table_;
};

// Where inside packets come from and go to.
class Device : public Carrier<tunnel_device> {
 public:
  using Carrier::Carrier;

  static Result<Device> tun(const tunnel_tun_config& config = sized<tunnel_tun_config>()) noexcept {
    tunnel_device device{};
    const auto status = tunnel_tun_open(&config, &device);
    return {status, Device(device)};
  }
  // Two devices joined in memory.
  static Result<std::array<Device, 2>> pair(std::uint32_t capacity, std::uint32_t mtu) noexcept {
    tunnel_device ends[2] = {};
    const auto status = tunnel_device_pair(capacity, mtu, ends);
    return {status, {Device(ends[0]), Device(ends[1])}};
  }

  // The inside MTU, or an error.
  std::int32_t mtu() noexcept {
    return call(&tunnel_device_ops::mtu, offsetof(tunnel_device_ops, mtu));
  }
  std::int32_t offload(bool enable) noexcept {
    return call(&tunnel_device_ops::offload, offsetof(tunnel_device_ops, offload),
                std::uint32_t{enable});
  }
  // Name of a TUN device.
  std::int32_t name(std::span<char, 16> out) const noexcept {
    return tunnel_tun_name(&get(), out.data());
  }
};

// What carries datagrams to other nodes.
class Transport : public Carrier<tunnel_transport> {
 public:
  using Carrier::Carrier;

  static Result<Transport> udp(
      const tunnel_udp_config& config = sized<tunnel_udp_config>()) noexcept {
    tunnel_transport transport{};
    const auto status = tunnel_udp_open(&config, &transport);
    return {status, Transport(transport)};
  }
  // Two transports joined in memory, with faults by choice.
  static Result<std::array<Transport, 2>> pair(
      const tunnel_pair_config& config = sized<tunnel_pair_config>()) noexcept {
    tunnel_transport ends[2] = {};
    const auto status = tunnel_transport_pair(&config, ends);
    return {status, {Transport(ends[0]), Transport(ends[1])}};
  }
  // The time of a memory pair.
  std::int32_t advance(std::uint64_t mono_ns) noexcept {
    return tunnel_transport_pair_advance(&get(), mono_ns);
  }

  std::int32_t rebind() noexcept {
    return call(&tunnel_transport_ops::rebind, offsetof(tunnel_transport_ops, rebind));
  }
  std::int32_t mark(std::uint32_t mark) noexcept {
    return call(&tunnel_transport_ops::mark, offsetof(tunnel_transport_ops, mark), mark);
  }
  std::int32_t port() noexcept {
    return call(&tunnel_transport_ops::port, offsetof(tunnel_transport_ops, port));
  }
  std::int32_t set_port(std::uint16_t port) noexcept {
    return call(&tunnel_transport_ops::set_port, offsetof(tunnel_transport_ops, set_port), port);
  }
  std::int32_t offload(bool enable) noexcept {
    return call(&tunnel_transport_ops::offload, offsetof(tunnel_transport_ops, offload),
                enable ? 1u : 0u);
  }
};

}  // namespace tunnel

#endif
