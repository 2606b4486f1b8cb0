#include "router/trie.h"

#include <algorithm>

namespace tunnel::router {

// ---- lookup ----

template <class Key>
Owner Trie<Key>::find(const Key& address) const noexcept {
  Way way = set_out(address);
  while ((way.below & kLeaf) == 0) {
    const Node& node = nodes_[way.below];
    if (!node.on_way_to(address)) {
      way.below = kNone;
    } else {
      way.pass(node, address);
    }
  }
  if (way.below != kNone) {
    const Entry& leaf = entries_[way.below & ~kLeaf];
    if (common_bits(leaf.prefix, address) >= leaf.length) return leaf.owner;
  }
  const std::uint32_t entry = way.slots == nullptr ? way.cover : way.slots->prefix(way.number);
  return entry == kNone ? kNobody : entries_[entry].owner;
}

template <class Key>
typename Trie<Key>::Way Trie<Key>::set_out(const Key& address) const noexcept {
  Way way;
  if (shortcuts_.bits() == 0) {
    way.pass(root_, address);
    return way;
  }
  const Shortcut& shortcut = shortcuts_[address.top(shortcuts_.bits())];
  way.below = shortcut.below;
  way.cover = shortcut.cover;
  return way;
}

template <class Key>
typename Trie<Key>::Place Trie<Key>::locate(const Key& prefix, unsigned length) noexcept {
  const unsigned home = home_of(length);
  Place place{&root_, nullptr, kNone};
  while (place.node->depth < home) {
    const std::uint32_t child = place.node->slots.child(prefix.six(place.node->depth));
    if (child == kNone) return place;
    if ((child & kLeaf) != 0) {
      const Entry& leaf = entries_[child & ~kLeaf];
      if (leaf.length == length && leaf.prefix == prefix) place.entry = child & ~kLeaf;
      return place;
    }
    Node& below = nodes_[child];
    if (below.depth > home || !below.on_way_to(prefix)) return place;
    place.parent = place.node;
    place.node = &below;
  }
  place.entry = place.node->slots.prefix(number_of(prefix, length));
  return place;
}

// ---- insertion: everything that needs memory comes before the first change ----

template <class Key>
bool Trie<Key>::insert(const Key& prefix, unsigned length, Owner owner) noexcept {
  if (!make_head(owner)) return false;
  const Place where = locate(prefix, length);
  if (where.entry != kNone) {
    unlink(where.entry);
    link(where.entry, owner);
    return true;
  }
  const std::uint32_t id = take_entry();
  if (id == kNone) return false;
  entries_[id] = {prefix, owner, static_cast<std::uint8_t>(length)};
  if (!place(*where.node, id)) {
    give_back_entry(id);
    return false;
  }
  link(id, owner);
  update_shortcuts(entries_[id], kNone, id);
  widen_shortcuts();
  return true;
}

template <class Key>
std::uint32_t Trie<Key>::take_entry() noexcept {
  const std::uint32_t id = links_.take();
  if (id == kNone || id < entries_.size() || entries_.grow()) return id;
  links_.give_back(id);
  return kNone;
}

// Puts a new entry into the node where its way ends: directly, or by splitting what is in its way.
template <class Key>
bool Trie<Key>::place(Node& node, std::uint32_t entry) noexcept {
  const Entry& fresh = entries_[entry];
  if (fresh.home() == node.depth) return put(node, entry);
  const std::uint32_t below = node.slots.child(fresh.prefix.six(node.depth));
  return below == kNone ? put(node, entry) : split(node, below, entry);
}

// Adds an entry to a node that has nothing in its place: as prefix when at home, else as leaf.
template <class Key>
bool Trie<Key>::put(Node& node, std::uint32_t entry) noexcept {
  const Entry& fresh = entries_[entry];
  const std::size_t before = node.slots.memory_bytes();
  const bool done = fresh.home() == node.depth
                        ? node.slots.add_prefix(fresh.number(), entry)
                        : node.slots.add_child(fresh.prefix.six(node.depth), entry | kLeaf);
  slot_bytes_ += node.slots.memory_bytes() - before;
  return done;
}

// Puts a new node between `above` and its child `below`, at the depth where the entry leaves.
template <class Key>
bool Trie<Key>::split(Node& above, std::uint32_t below, std::uint32_t entry) noexcept {
  const Entry& fresh = entries_[entry];
  const bool leaf = (below & kLeaf) != 0;
  const Key& path = leaf ? entries_[below & ~kLeaf].prefix : nodes_[below].path;
  const unsigned limit = leaf ? entries_[below & ~kLeaf].home() : nodes_[below].depth;
  const unsigned common = home_of(common_bits(path, fresh.prefix));
  const std::uint32_t id = nodes_.take();
  if (id == kNone) return false;
  Node& node = nodes_[id];
  node.depth = static_cast<std::uint8_t>(std::min({common, limit, fresh.home()}));
  node.path = path;
  if (!fill(node, below, entry)) {
    slot_bytes_ -= node.slots.memory_bytes();
    nodes_.give_back(id);
    return false;
  }
  above.slots.replace_child(fresh.prefix.six(above.depth), id);
  return true;
}

template <class Key>
bool Trie<Key>::fill(Node& node, std::uint32_t below, std::uint32_t entry) noexcept {
  if ((below & kLeaf) != 0) return put(node, below & ~kLeaf) && put(node, entry);
  if (!node.slots.add_child(node.path.six(node.depth), below)) return false;
  slot_bytes_ += node.slots.memory_bytes();
  return put(node, entry);
}

// ---- removal: needs no memory ----

template <class Key>
bool Trie<Key>::remove(const Key& prefix, unsigned length, Owner owner) noexcept {
  const Place where = locate(prefix, length);
  if (where.entry == kNone || entries_[where.entry].owner != owner) return false;
  take_out(where);
  return true;
}

template <class Key>
void Trie<Key>::remove_all(Owner owner) noexcept {
  for (auto id = head(owner); id != kNone; id = head(owner)) {
    take_out(locate(entries_[id].prefix, entries_[id].length));
  }
}

template <class Key>
void Trie<Key>::take_out(const Place& where) noexcept {
  const Entry entry = entries_[where.entry];
  auto& slots = where.node->slots;
  const std::size_t before = slots.memory_bytes();
  if (entry.home() == where.node->depth) {
    slots.remove_prefix(entry.number());
  } else {
    slots.remove_child(entry.prefix.six(where.node->depth));
  }
  slot_bytes_ -= before - slots.memory_bytes();
  unlink(where.entry);
  give_back_entry(where.entry);
  collapse(where);
  update_shortcuts(entry, where.entry, kNone);
}

template <class Key>
void Trie<Key>::give_back_entry(std::uint32_t entry) noexcept {
  links_.give_back(entry);
  if (links_.live() != 0) return;
  entries_ = {};
  shortcuts_.clear();
  heads_.reset();
  head_count_ = 0;
}

// A node with a single reference left is replaced by it in its parent.
template <class Key>
void Trie<Key>::collapse(const Place& where) noexcept {
  const Node& node = *where.node;
  const unsigned prefixes = node.slots.prefix_count();
  if (where.parent == nullptr || node.slots.child_count() + prefixes != 1) return;
  const std::uint32_t last = node.slots.first() | (prefixes == 1 ? kLeaf : 0);
  const unsigned six = node.path.six(where.parent->depth);
  const std::uint32_t id = where.parent->slots.child(six);
  where.parent->slots.replace_child(six, last);
  slot_bytes_ -= node.slots.memory_bytes();
  nodes_.give_back(id);
}

// ---- shortcuts ----

// The shortcut for all addresses that begin with the first `length` bits of `key`.
template <class Key>
Shortcut Trie<Key>::descend(const Key& key, unsigned length) const noexcept {
  const unsigned home = home_of(length);
  const Node* node = &root_;
  Shortcut found;
  while (node->depth < home) {
    const unsigned six = key.six(node->depth);
    const unsigned number = node->slots.longest(six);
    if (number != 0) found.cover = node->slots.prefix(number);
    const std::uint32_t child = node->slots.child(six);
    if (child == kNone) return found;
    if ((child & kLeaf) != 0) return end_at_leaf(found, child, key, length);
    node = &nodes_[child];
    if (common_bits(node->path, key) < std::min(node->depth - kLead, length)) return found;
    if (node->depth >= home) found.below = child;
  }
  if (node->depth > home) return found;
  const unsigned number = node->slots.longest(key.six(home), (kLead + length) % 6);
  if (number != 0) found.cover = node->slots.prefix(number);
  return found;
}

template <class Key>
Shortcut Trie<Key>::end_at_leaf(Shortcut found, std::uint32_t ref, const Key& key,
                                unsigned length) const noexcept {
  const Entry& leaf = entries_[ref & ~kLeaf];
  const unsigned common = common_bits(leaf.prefix, key);
  if (leaf.length < length && common >= leaf.length) found.cover = ref & ~kLeaf;
  if (leaf.length >= length && common >= length) found.below = ref;
  return found;
}

// An entry came (before: kNone) or went (after: kNone). A long one changes what is below one
// shortcut. A short one is the cover of some, or the next shorter prefix around it is.
template <class Key>
void Trie<Key>::update_shortcuts(const Entry& changed, std::uint32_t before,
                                 std::uint32_t after) noexcept {
  const unsigned bits = shortcuts_.bits();
  if (bits == 0) return;
  const std::size_t first = changed.prefix.top(bits);
  if (changed.length >= bits) {
    shortcuts_[first] = descend(changed.prefix, bits);
    return;
  }
  const std::uint32_t around = descend(changed.prefix, changed.length).cover;
  if (before == kNone) before = around;
  if (after == kNone) after = around;
  for (auto& shortcut : shortcuts_.under(first, changed.length)) {
    if (shortcut.cover == before) shortcut.cover = after;
  }
}

// In two steps, and never back before the table is empty. The second step reads every prefix: at
// half a million, one insertion takes a tenth of a second.
template <class Key>
void Trie<Key>::widen_shortcuts() noexcept {
  const unsigned bits = Shortcuts::worth(size());
  if (bits <= shortcuts_.bits() || !shortcuts_.make(bits)) return;
  for (std::size_t i = 0; i < std::size_t{1} << bits; ++i) {
    shortcuts_[i] = descend(Key::with_top(i, bits), bits);
  }
}

// ---- lists of owners ----

// Owners are small numbers (slots of a peer table), so their lists begin in an array.
template <class Key>
std::uint32_t Trie<Key>::heads_for(Owner owner) const noexcept {
  if (owner < head_count_) return head_count_;
  const auto wanted = std::max<std::uint64_t>({std::uint64_t{owner} + 1, 2ull * head_count_, 8});
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(wanted, kNobody));
}

template <class Key>
bool Trie<Key>::make_head(Owner owner) noexcept {
  const auto count = heads_for(owner);
  if (count == head_count_) return true;
  std::unique_ptr<std::uint32_t[]> bigger(new (std::nothrow) std::uint32_t[count]);
  if (!bigger) return false;
  std::copy(heads_.get(), heads_.get() + head_count_, bigger.get());
  std::fill(bigger.get() + head_count_, bigger.get() + count, kNone);
  heads_ = std::move(bigger);
  head_count_ = count;
  return true;
}

template <class Key>
void Trie<Key>::link(std::uint32_t entry, Owner owner) noexcept {
  entries_[entry].owner = owner;
  const std::uint32_t next = heads_[owner];
  links_[entry] = {next, kNone};
  if (next != kNone) links_[next].previous = entry;
  heads_[owner] = entry;
}

template <class Key>
void Trie<Key>::unlink(std::uint32_t entry) noexcept {
  const Link old = links_[entry];
  if (old.next != kNone) links_[old.next].previous = old.previous;
  if (old.previous != kNone) {
    links_[old.previous].next = old.next;
  } else {
    heads_[entries_[entry].owner] = old.next;
  }
}

template <class Key>
std::size_t Trie<Key>::memory_bytes() const noexcept {
  return nodes_.memory_bytes() + links_.memory_bytes() + entries_.memory_bytes() + slot_bytes_ +
         shortcuts_.memory_bytes() + head_count_ * sizeof(heads_[0]);
}

template <class Key>
std::size_t Trie<Key>::growth(Owner owner) const noexcept {
  // Two nodes' references move at most: those of the node above and those of a new one.
  constexpr std::size_t kReferences = std::size_t{2} * 128 * sizeof(std::uint32_t);
  const auto entry = links_.growth() != 0 ? links_.growth() + entries_.growth() : 0;
  const auto heads = (heads_for(owner) - head_count_) * sizeof heads_[0];
  return kReferences + nodes_.growth() + entry + heads + shortcuts_.growth(size() + 1);
}

template class Trie<Ipv4Key>;
template class Trie<Ipv6Key>;

}  // namespace tunnel::router
