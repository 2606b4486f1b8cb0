// trie.h — longest-prefix table of one family: a multibit trie, six address bits per node.
//
// Six, because then both bitmaps of a node are one word each and a node fits into a cache line.
// Path-compressed both ways: a prefix that is alone below a child slot hangs there as a leaf, and a
// chain of nodes with one child each is left out, so there are never more nodes than prefixes.
// Every node but the root holds at least two references; a removal restores that without memory.
// With thousands of prefixes, lookups leave out the upper nodes: see shortcuts.h.
// The prefixes of an owner form a list through their entries.
#pragma once

#include "router/key.h"
#include "router/pool.h"
#include "router/router.h"
#include "router/shortcuts.h"
#include "router/slots.h"

namespace tunnel::router {

template <class Key>
class Trie {
 public:
  // `prefix` has zeros after its first `length` bits.
  // insert is false when memory is out (nothing changed), remove when `owner` does not own it.
  [[nodiscard]] bool insert(const Key& prefix, unsigned length, Owner owner) noexcept;
  bool remove(const Key& prefix, unsigned length, Owner owner) noexcept;
  void remove_all(Owner owner) noexcept;

  Owner find(const Key& address) const noexcept;

  // Calls visit(prefix, length) for each prefix of the owner until it returns false.
  template <class Visit>
  void each(Owner owner, Visit visit) const noexcept {
    for (auto id = head(owner); id != kNone; id = links_[id].next) {
      if (!visit(entries_[id].prefix, entries_[id].length)) return;
    }
  }

  std::size_t size() const noexcept { return links_.live(); }
  std::size_t memory_bytes() const noexcept;
  // Bytes that the next insert() takes at most.
  std::size_t growth(Owner owner) const noexcept;

 private:
  // A prefix lies in a node whose depth is its home, or is a leaf of a node above that. A host's
  // home is past the last depth: it is always a leaf.
  static unsigned home_of(unsigned length) noexcept { return (kLead + length) / 6 * 6; }
  static unsigned number_of(const Key& prefix, unsigned length) noexcept {
    return prefix_number(prefix.six(home_of(length)), (kLead + length) % 6);
  }

  using Slots = router::Slots<Key::kBits == 32 ? kNearIpv4 : kNearIpv6>;

  struct Entry {
    Key prefix;
    Owner owner = kNobody;
    std::uint8_t length = 0;

    unsigned home() const noexcept { return home_of(length); }
    unsigned number() const noexcept { return number_of(prefix, length); }
  };

  // List of the owner's prefixes. Apart from Entry because lookups do not need it: what they do
  // need should fit into the caches.
  struct Link {
    std::uint32_t next = kNone;
    std::uint32_t previous = kNone;
  };

  // Decides by the six bits at `depth`, for addresses that agree with `path` up to there.
  struct alignas(64) Node {
    [[no_unique_address]] Slots slots;  // what follows may begin in its padding
    std::uint8_t depth = 0;
    std::uint32_t next = kNone;  // the pool's
    Key path;

    bool on_way_to(const Key& key) const noexcept {
      return common_bits(path, key) + kLead >= depth;
    }
  };
  static_assert(sizeof(Node) == 64);  // a cache line

  // A lookup on its way: what comes next, and the longest prefix so far.
  struct Way {
    std::uint32_t below = kNone;  // node or leaf
    std::uint32_t cover = kNone;  // entry that counts unless a node has a longer prefix:
    const Slots* slots = nullptr;
    unsigned number = 0;  // in `slots`

    void pass(const Node& node, const Key& address) noexcept {
      const unsigned six = address.six(node.depth);
      below = node.slots.child(six);
      const unsigned longest = node.slots.longest(six);
      if (longest == 0) return;
      slots = &node.slots;
      number = longest;
    }
  };

  // Where a prefix is, or would be: the lowest node on its way and that node's parent.
  struct Place {
    Node* node;
    Node* parent;         // null for the root
    std::uint32_t entry;  // kNone when the prefix is not in the table
  };

  // A child reference is the number of a node, or of an entry with this bit.
  static constexpr std::uint32_t kLeaf = std::uint32_t{1} << 31;

  std::uint32_t take_entry() noexcept;
  void give_back_entry(std::uint32_t entry) noexcept;

  Way set_out(const Key& address) const noexcept;
  Shortcut descend(const Key& key, unsigned length) const noexcept;
  Shortcut end_at_leaf(Shortcut found, std::uint32_t ref, const Key& key,
                       unsigned length) const noexcept;
  void update_shortcuts(const Entry& changed, std::uint32_t before, std::uint32_t after) noexcept;
  void widen_shortcuts() noexcept;

  Place locate(const Key& prefix, unsigned length) noexcept;
  bool place(Node& node, std::uint32_t entry) noexcept;
  bool put(Node& node, std::uint32_t entry) noexcept;
  bool split(Node& above, std::uint32_t below, std::uint32_t entry) noexcept;
  bool fill(Node& node, std::uint32_t below, std::uint32_t entry) noexcept;
  void take_out(const Place& where) noexcept;
  void collapse(const Place& where) noexcept;

  std::uint32_t head(Owner owner) const noexcept {
    return owner < head_count_ ? heads_[owner] : kNone;
  }
  std::uint32_t heads_for(Owner owner) const noexcept;
  bool make_head(Owner owner) noexcept;
  void link(std::uint32_t entry, Owner owner) noexcept;
  void unlink(std::uint32_t entry) noexcept;

  Node root_;
  Pool<Node> nodes_;
  Pool<Link> links_;                        // gives the entries their numbers
  Chunks<Entry> entries_;                   // as many as links
  std::unique_ptr<std::uint32_t[]> heads_;  // by owner: first entry of its list
  std::uint32_t head_count_ = 0;
  Shortcuts shortcuts_;
  std::size_t slot_bytes_ = 0;  // what the nodes' Slots hold
};

extern template class Trie<Ipv4Key>;
extern template class Trie<Ipv6Key>;

}  // namespace tunnel::router
