#include "core/peer_table.h"

namespace tunnel::core {

Peer* PeerTable::find(std::uint64_t id) noexcept {
  return const_cast<Peer*>(std::as_const(*this).find(id));
}

const Peer* PeerTable::find(std::uint64_t id) const noexcept {
  const auto number = static_cast<std::uint32_t>(id);
  if (number == 0 || number > slots_) return nullptr;
  const auto& peer = (*this)[number - 1];
  return peer.alive && peer.id() == id ? &peer : nullptr;
}

Peer* PeerTable::find(const protocol::PublicKey& key) noexcept {
  return const_cast<Peer*>(std::as_const(*this).find(key));
}

const Peer* PeerTable::find(const protocol::PublicKey& key) const noexcept {
  if (buckets_.empty()) return nullptr;
  const auto slot = buckets_[position(key)];
  return slot == kEmpty ? nullptr : &(*this)[slot];
}

Peer& PeerTable::add(const protocol::PublicKey& key) {
  grow_buckets();
  const auto slot = take_slot();
  auto& peer = (*this)[slot];
  peer.slot = slot;
  ++peer.generation;
  peer.alive = true;
  peer.public_key = key;
  buckets_[position(key)] = slot;
  ++size_;
  return peer;
}

void PeerTable::remove(Peer& peer) noexcept {
  const auto mask = buckets_.size() - 1;
  auto hole = position(peer.public_key);
  buckets_[hole] = kEmpty;
  for (auto at = (hole + 1) & mask; buckets_[at] != kEmpty; at = (at + 1) & mask) {
    const auto wanted = home((*this)[buckets_[at]].public_key);
    if (((at - wanted) & mask) >= ((at - hole) & mask)) {
      buckets_[hole] = std::exchange(buckets_[at], kEmpty);
      hole = at;
    }
  }
  const auto slot = peer.slot;
  const auto generation = peer.generation;
  peer = Peer{};
  peer.slot = slot;
  peer.generation = generation;
  free_slots_.push_back(slot);  // never allocates: take_slot reserved the place
  --size_;
}

std::size_t PeerTable::memory_bytes() const noexcept {
  return chunks_.size() * kChunk * sizeof(Peer) +
         (buckets_.capacity() + free_slots_.capacity()) * sizeof(std::uint32_t);
}

std::size_t PeerTable::growth() const noexcept {
  const auto buckets = buckets_full() ? more_buckets() - buckets_.size() : 0;
  const auto peers = chunks_full() ? kChunk : 0;
  return buckets * sizeof buckets_[0] + peers * (sizeof(Peer) + sizeof free_slots_[0]);
}

// Public keys come from the configuration, not from an attacker; the hash key is caution.
std::size_t PeerTable::home(const protocol::PublicKey& key) const noexcept {
  const auto mixed = (base::load_le64(key.data()) ^ hash_key_) * 0x9e3779b97f4a7c15u;
  return static_cast<std::size_t>(mixed >> 32) & (buckets_.size() - 1);
}

std::size_t PeerTable::position(const protocol::PublicKey& key) const noexcept {
  auto at = home(key);
  while (buckets_[at] != kEmpty && (*this)[buckets_[at]].public_key != key) {
    at = (at + 1) & (buckets_.size() - 1);
  }
  return at;
}

void PeerTable::grow_buckets() {
  if (!buckets_full()) return;
  std::vector<std::uint32_t> old(more_buckets(), kEmpty);
  old.swap(buckets_);
  for (const auto slot : old) {
    if (slot != kEmpty) buckets_[position((*this)[slot].public_key)] = slot;
  }
}

std::uint32_t PeerTable::take_slot() {
  if (!free_slots_.empty()) {
    const auto slot = free_slots_.back();
    free_slots_.pop_back();
    return slot;
  }
  if (chunks_full()) {
    free_slots_.reserve(slots_ + kChunk);
    chunks_.push_back(std::make_unique<Peer[]>(kChunk));
  }
  return slots_++;
}

}  // namespace tunnel::core
