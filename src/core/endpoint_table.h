// endpoint_table.h — which peer an outside address means, for the plain profile.
//
// What stands in it comes from the configuration, what is looked up from strangers: the hash is
// keyed, and half of the places are empty, so that every lookup is short.
#pragma once

#include <tunnel/packet.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace tunnel::core {

class EndpointTable {
 public:
  static constexpr std::uint32_t kNobody = UINT32_MAX;

  explicit EndpointTable(std::uint64_t hash_key) noexcept : hash_key_(hash_key) {}

  // Room for so many, so that insert() takes no memory. Throws std::bad_alloc, changing nothing.
  void reserve(std::size_t endpoints);
  std::size_t growth(std::size_t endpoints) const noexcept;  // bytes that it would take
  // Family NONE names nobody and is left out. The address must not be there yet.
  void insert(const tunnel_address& endpoint, std::uint32_t slot) noexcept;
  void remove(const tunnel_address& endpoint) noexcept;  // also one that is not there
  // The slot of the peer at this address and port, or kNobody.
  std::uint32_t find(const tunnel_address& endpoint) const noexcept;

  std::size_t memory_bytes() const noexcept { return places_.capacity() * sizeof(Place); }

 private:
  struct Place {
    tunnel_address endpoint{};
    std::uint32_t slot = kNobody;  // kNobody = empty
  };

  std::size_t size_for(std::size_t endpoints) const noexcept;
  std::size_t mask() const noexcept { return places_.size() - 1; }
  std::size_t home(const tunnel_address& endpoint) const noexcept;
  std::size_t position(const tunnel_address& endpoint) const noexcept;

  std::uint64_t hash_key_;
  std::vector<Place> places_;  // a power of two, or none
};

}  // namespace tunnel::core
