#include "packets.h"

#include <cstring>

namespace tunnel::python {

namespace {

constexpr std::size_t kMaxSlots = 65536;
constexpr std::uint32_t kMaxMtu = 65535;
constexpr std::size_t kMaxMemory = std::size_t{1} << 30;
constexpr std::uint32_t kHeadroom = TUNNEL_HEADROOM;

// A slot takes a sealed packet of this MTU, and a usual one from a peer whose MTU is larger.
std::size_t slot_size(std::uint32_t mtu) noexcept {
  const std::size_t needed = (kHeadroom + std::size_t{mtu} + 80 + 15) / 16 * 16;
  return std::max<std::size_t>(needed, 2048);
}

// A view of part of a buffer's memory that keeps the buffer alive.
py::object view(const py::object& buffer, const std::uint8_t* data, std::size_t length) {
  const auto start = data - buffer.cast<PacketBuffer&>().memory();
  const auto all = py::reinterpret_steal<py::object>(PyMemoryView_FromObject(buffer.ptr()));
  if (!all) throw py::error_already_set();
  return all[py::slice(start, start + static_cast<py::ssize_t>(length), 1)];
}

// One packet of a buffer, by its place: it stays valid whatever happens to the buffer.
struct Packet {
  py::object buffer;
  py::ssize_t index;

  PacketBuffer& owner() const { return buffer.cast<PacketBuffer&>(); }
  tunnel_packet& get() const { return owner().packet(index); }

  py::object data() const { return view(buffer, get().data, get().length); }
  py::object space() const {
    const auto& packet = owner().clear(index);
    return view(buffer, packet.data, packet.room);
  }
  void load(const py::object& data) const {
    const PinnedBytes pinned(data);
    if (pinned.bytes().size() > owner().stride() - kHeadroom) {
      refuse_value("the packet is larger than a slot");
    }
    auto& packet = owner().clear(index);
    std::memmove(packet.data, pinned.bytes().data(), pinned.bytes().size());
    packet.length = static_cast<std::uint32_t>(pinned.bytes().size());
  }
  void set_length(const py::object& length) const {
    get().length = static_cast<std::uint32_t>(to_unsigned(length, "length", get().room));
  }
};

void add_packet(py::module_& module) {
  py::class_<Packet> type(module, "Packet");
  type.def_property_readonly("data", &Packet::data);
  type.def("space", &Packet::space);
  type.def("load", &Packet::load, py::arg("data"));
  type.def("__len__", [](const Packet& p) { return p.get().length; });
  type.def_property(
      "length", [](const Packet& p) { return p.get().length; }, &Packet::set_length);
  type.def_property_readonly("room", [](const Packet& p) { return p.get().room; });
  type.def_property_readonly("headroom", [](const Packet& p) { return p.get().headroom; });
  type.def_property_readonly("verdict", [](const Packet& p) { return p.get().verdict; });
  type.def_property_readonly("peer", [](const Packet& p) { return p.get().peer; });
  type.def_property_readonly("flags", [](const Packet& p) { return p.get().flags; });
  type.def_property(
      "remote", [](const Packet& p) { return from_address(p.get().remote); },
      [](const Packet& p, const py::object& address) {
        p.get().remote = to_address(address, "remote");
      });
  type.def_property(
      "local", [](const Packet& p) { return from_address(p.get().local); },
      [](const Packet& p, const py::object& address) {
        p.get().local = to_address(address, "local");
      });
}

}  // namespace

PacketBuffer::PacketBuffer(std::size_t slots, std::uint32_t mtu)
    : stride_(slot_size(mtu)), memory_(new std::uint8_t[slots * stride_]()), packets_(slots) {
  for (std::size_t slot = 0; slot < slots; ++slot) describe(slot);
}

void PacketBuffer::describe(std::size_t slot) noexcept {
  auto& packet = packets_[slot];
  packet = {};
  packet.data = memory_.get() + slot * stride_ + kHeadroom;
  packet.headroom = kHeadroom;
  packet.room = static_cast<std::uint32_t>(stride_) - kHeadroom;
}

tunnel_packet& PacketBuffer::packet(py::ssize_t index) {
  if (lent_) throw py::buffer_error("the buffer is in use by another thread");
  const auto slots = static_cast<py::ssize_t>(size());
  if (index < -slots || index >= slots) throw py::index_error("no such packet");
  return packets_[static_cast<std::size_t>(index < 0 ? index + slots : index)];
}

tunnel_packet& PacketBuffer::clear(py::ssize_t index) {
  auto& cleared = packet(index);
  describe(static_cast<std::size_t>(&cleared - packets_.data()));
  return cleared;
}

Loan::Loan(PacketBuffer& buffer, const py::object& count) : buffer_(buffer) {
  const std::size_t wanted =
      count.is_none() ? buffer.size() : to_unsigned(count, "count", buffer.size());
  if (buffer.lent_) throw py::buffer_error("the buffer is in use by another thread");
  packets_ = std::span(buffer.packets_).first(wanted);
  buffer_.lent_ = true;
}

void Loan::clear() noexcept {
  for (std::size_t slot = 0; slot < packets_.size(); ++slot) buffer_.describe(slot);
}

void add_packets(py::module_& module) {
  py::class_<PacketBuffer> type(module, "PacketBuffer", py::buffer_protocol());
  type.def(py::init([](const py::object& slots, const py::object& mtu) {
             const auto count = to_unsigned(slots, "slots", kMaxSlots);
             const auto size = static_cast<std::uint32_t>(to_unsigned(mtu, "mtu", kMaxMtu));
             if (count == 0) refuse_value("slots must be at least 1");
             if (count * slot_size(size) > kMaxMemory) refuse_value("more than 1 GiB of packets");
             return std::make_unique<PacketBuffer>(count, size);
           }),
           py::arg("slots") = 64, py::arg("mtu") = TUNNEL_MTU_DEFAULT);
  type.def_buffer([](PacketBuffer& buffer) {
    return py::buffer_info(buffer.memory(), static_cast<py::ssize_t>(buffer.memory_bytes()));
  });
  type.def_property_readonly("stride", &PacketBuffer::stride);
  type.def("__len__", &PacketBuffer::size);
  type.def(
      "packet",
      [](const py::object& self, py::ssize_t index) {
        (void)self.cast<PacketBuffer&>().packet(index);
        return Packet{self, index};
      },
      py::arg("index"));
  type.def("__getitem__", [](const py::object& self, py::ssize_t index) {
    return Packet{self, index}.data();
  });
  type.def("__setitem__", [](const py::object& self, py::ssize_t index, const py::object& data) {
    Packet{self, index}.load(data);
  });
  add_packet(module);
}

}  // namespace tunnel::python
