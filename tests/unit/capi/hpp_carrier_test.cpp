#include <array>
#include <tunnel/tunnel.hpp>
#include <type_traits>

#include "support/catch.hpp"

using tunnel::Device;

static_assert(!std::is_copy_constructible_v<Device>);
static_assert(std::is_nothrow_move_constructible_v<Device>);

namespace {

// A device that counts how often it was closed; `self` is the counter.
const tunnel_device_ops kClosing{sizeof(tunnel_device_ops),
                                 0,
                                 nullptr,
                                 nullptr,
                                 nullptr,
                                 [](void* self) { ++*static_cast<int*>(self); },
                                 [](void*) -> std::int32_t { return 1400; }};

// The same from before the mtu member existed.
const tunnel_device_ops kShort{offsetof(tunnel_device_ops, mtu),
                               0,
                               nullptr,
                               nullptr,
                               nullptr,
                               [](void* self) { ++*static_cast<int*>(self); },
                               [](void*) -> std::int32_t { return 1400; }};

}  // namespace

TEST_CASE("a device is closed exactly once by its last owner", "[capi][hpp]") {
  int closed = 0;
  {
    Device device(tunnel_device{&kClosing, &closed});
    CHECK(device.mtu() == 1400);
    Device other(std::move(device));
    device = std::move(other);
    CHECK(closed == 0);
  }
  CHECK(closed == 1);
}

TEST_CASE("assigning to a device closes what it owned", "[capi][hpp]") {
  int first = 0, second = 0;
  Device device(tunnel_device{&kClosing, &first});
  device = Device(tunnel_device{&kClosing, &second});
  CHECK(first == 1);
  CHECK(second == 0);
  CHECK(device.release().self == &second);
  device.close();
  CHECK(second == 0);
}

TEST_CASE("a member beyond the table's size is unsupported", "[capi][hpp]") {
  int closed = 0;
  Device device(tunnel_device{&kShort, &closed});
  CHECK(device.mtu() == TUNNEL_ERR_UNSUPPORTED);
  CHECK(device.offload(true) == TUNNEL_ERR_UNSUPPORTED);
}

TEST_CASE("a packet crosses a pair of devices", "[capi][hpp]") {
  auto ends = Device::pair(4, 1420);
  REQUIRE(ends);
  auto& [left, right] = *ends;
  std::array<std::uint8_t, 40> bytes{0x45};
  tunnel_packet sent{};
  sent.data = bytes.data();
  sent.length = 20;
  sent.room = 40;
  sent.verdict = TUNNEL_VERDICT_DELIVER;
  CHECK(left.write({&sent, 1}) == TUNNEL_OK);
  CHECK(sent.verdict == TUNNEL_VERDICT_SENT);
  std::array<std::uint8_t, 4096> memory{};
  const tunnel_slab slab{memory.data(), memory.size(), 16, 31, 16, 1420};
  std::array<tunnel_packet, 2> got{};
  REQUIRE(right.read(slab, got) == 1);
  CHECK(got[0].length == 20);
  CHECK(got[0].data[0] == 0x45);
  CHECK(right.mtu() == 1420);
}
