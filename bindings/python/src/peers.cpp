// peers.cpp — the peers of a Core: making, changing, reading and listing them.
#include <algorithm>
#include <vector>

#include "shared_core.h"

namespace tunnel::python {

namespace {

// What get_peer returns: a copy, so it does not follow the core.
struct PeerView {
  tunnel_peer_info info;     // without the preshared key
  py::object preshared_key;  // a PresharedKey, or None
  std::vector<tunnel_prefix> prefixes;
};

// Appends prefixes from an iterable of texts or ipaddress objects.
void read_prefixes(const py::object& texts, const char* name, std::uint16_t flags,
                   std::vector<tunnel_prefix>& out) {
  if (texts.is_none()) return;
  if (PyUnicode_Check(texts.ptr()) || PyBytes_Check(texts.ptr())) {
    refuse_type(std::string(name) + " must be a list of prefixes, not one text");
  }
  for (const auto& item : py::iter(texts)) {
    const py::str text(item);
    auto prefix = parse_prefix(to_text(text, name));
    if (!prefix) {
      refuse_value(std::string(name) + ": no prefix: " + py::repr(item).cast<std::string>());
    }
    prefix->flags = flags;
    out.push_back(*prefix);
  }
}

void read_flag(const py::kwargs& options, const char* name, std::uint32_t bit,
               std::uint32_t& flags) {
  if (const auto value = take(options, name); !value.is_none() && value.cast<bool>()) flags |= bit;
}

std::uint64_t set_peer(SharedCore& core, const PublicKey& key, const py::kwargs& options) {
  tunnel_peer_config config = TUNNEL_PEER_CONFIG_INIT;
  std::copy(key.bytes.begin(), key.bytes.end(), config.public_key);
  std::vector<tunnel_prefix> prefixes;
  read_prefixes(take(options, "allowed_ips"), "allowed_ips", 0, prefixes);
  read_prefixes(take(options, "remove_allowed_ips"), "remove_allowed_ips", TUNNEL_PREFIX_REMOVE,
                prefixes);
  config.prefixes = prefixes.data();
  config.prefix_count = prefixes.size();
  if (const auto endpoint = take(options, "endpoint"); !endpoint.is_none()) {
    config.endpoint = to_address(endpoint, "endpoint");
    config.fields |= TUNNEL_PEER_ENDPOINT;
  }
  if (const auto keepalive = take(options, "keepalive"); !keepalive.is_none()) {
    config.keepalive_s = static_cast<std::uint32_t>(to_unsigned(keepalive, "keepalive", 65535));
    config.fields |= TUNNEL_PEER_KEEPALIVE;
  }
  if (const auto stamp = take(options, "greatest_timestamp"); !stamp.is_none()) {
    const PinnedBytes pinned(stamp);
    if (pinned.bytes().size() != sizeof config.greatest_timestamp) {
      refuse_value("greatest_timestamp must have 12 bytes");
    }
    std::ranges::copy(pinned.bytes(), config.greatest_timestamp);
    config.fields |= TUNNEL_PEER_GREATEST_TIMESTAMP;
  }
  read_flag(options, "replace_allowed_ips", TUNNEL_PEER_REPLACE_PREFIXES, config.flags);
  read_flag(options, "create_only", TUNNEL_PEER_CREATE_ONLY, config.flags);
  read_flag(options, "update_only", TUNNEL_PEER_UPDATE_ONLY, config.flags);
  const auto preshared = take(options, "preshared_key");
  const auto* secret = optional<PresharedKey>(preshared, "preshared_key");
  refuse_rest(options, "set_peer()");
  if (secret != nullptr) {
    std::copy_n(secret->key.data(), TUNNEL_KEY_SIZE, config.preshared_key);
    config.fields |= TUNNEL_PEER_PRESHARED_KEY;
  }
  std::uint64_t peer = 0;
  const auto status = core.run_quietly(
      [&](tunnel::Core& c) { return tunnel_core_set_peer(c.get(), &config, &peer); });
  tunnel_key_wipe(config.preshared_key, sizeof config.preshared_key);
  check(status, "set a peer");
  return peer;
}

std::uint64_t find_peer(SharedCore& core, const PublicKey& key) {
  std::uint64_t peer = 0;
  core.run("find a peer", [&](tunnel::Core& c) {
    return tunnel_core_find_peer(c.get(), key.bytes.data(), &peer);
  });
  return peer;
}

// The id of a peer given as id or as public key.
std::uint64_t id_of(SharedCore& core, const py::object& peer) {
  if (py::isinstance<PublicKey>(peer)) return find_peer(core, peer.cast<const PublicKey&>());
  return to_unsigned(peer, "peer", UINT64_MAX);
}

void remove_peer(SharedCore& core, const py::object& peer) {
  const auto id = id_of(core, peer);
  core.run("remove a peer", [&](tunnel::Core& c) { return c.remove_peer(id); });
}

// Info and prefixes of one moment: both are read under the core's mutex.
std::int32_t read_peer(const tunnel::Core& core, std::uint64_t id, PeerInfo& info,
                       std::vector<tunnel_prefix>& prefixes) {
  const auto status = core.get_peer(id, info);
  if (status != TUNNEL_OK) return status;
  prefixes.resize(info.prefix_count);
  return core.peer_prefixes(id, prefixes).status();
}

py::object preshared_key_of(const PeerInfo& info) {
  const auto bytes = std::span(info.preshared_key);
  if (std::ranges::all_of(bytes, [](std::uint8_t byte) { return byte == 0; })) return py::none();
  return py::cast(PresharedKey{Key::from_bytes(bytes)});
}

PeerView get_peer(SharedCore& core, const py::object& peer) {
  const auto id = id_of(core, peer);
  PeerInfo info;
  PeerView view{};
  core.run("read a peer", [&](tunnel::Core& c) { return read_peer(c, id, info, view.prefixes); });
  view.preshared_key = preshared_key_of(info);
  tunnel_key_wipe(info.preshared_key, sizeof info.preshared_key);
  view.info = info;
  return view;
}

// The next peer behind the cursor; StopIteration at the end. A peer added or removed meanwhile is
// met or not.
struct Peers {
  py::object core;
  std::uint64_t cursor = 0;

  std::uint64_t next() {
    std::uint64_t peer = 0;
    const auto status = core.cast<SharedCore&>().run_quietly(
        [&](tunnel::Core& c) { return tunnel_core_next_peer(c.get(), &cursor, &peer); });
    if (status == TUNNEL_ERR_NOT_FOUND) throw py::stop_iteration();
    check(status, "list peers");
    return peer;
  }
};

// None: every peer with an endpoint, paced.
void initiate(SharedCore& core, const py::object& now, const py::object& peer) {
  const auto time = to_time(now);
  const auto id = peer.is_none() ? 0 : id_of(core, peer);
  if (id == 0 && !peer.is_none()) check(TUNNEL_ERR_NOT_FOUND, "initiate a handshake");
  core.run("initiate a handshake", [&](tunnel::Core& c) { return c.initiate(id, time); });
}

void add_peer_info(py::module_& module) {
  py::class_<PeerView> type(module, "PeerInfo", "What a core knew of a peer when it was asked.");
  type.def_property_readonly("public_key", [](const PeerView& peer) {
    PublicKey key;
    std::copy(std::begin(peer.info.public_key), std::end(peer.info.public_key), key.bytes.begin());
    return key;
  });
  type.def_readonly("preshared_key", &PeerView::preshared_key);
  type.def_property_readonly("endpoint",
                             [](const PeerView& peer) { return from_address(peer.info.endpoint); });
  type.def_property_readonly("allowed_ips", [](const PeerView& peer) {
    py::list texts;
    for (const auto& prefix : peer.prefixes) texts.append(to_string(prefix));
    return texts;
  });
  type.def_property_readonly("keepalive",
                             [](const PeerView& peer) { return peer.info.keepalive_s; });
  type.def_property_readonly("has_session",
                             [](const PeerView& peer) { return peer.info.has_session != 0; });
  type.def_property_readonly("latest_handshake_ns",
                             [](const PeerView& peer) { return peer.info.latest_handshake_ns; });
  type.def_property_readonly("handshake_ns",
                             [](const PeerView& peer) { return peer.info.handshake_ns; });
  type.def_property_readonly("rx_bytes", [](const PeerView& peer) { return peer.info.rx_bytes; });
  type.def_property_readonly("tx_bytes", [](const PeerView& peer) { return peer.info.tx_bytes; });
  type.def_property_readonly("greatest_timestamp", [](const PeerView& peer) {
    const auto& stamp = peer.info.greatest_timestamp;
    return py::bytes(reinterpret_cast<const char*>(stamp), sizeof stamp);
  });
}

}  // namespace

void add_peers(py::module_& module, py::class_<SharedCore>& type) {
  add_peer_info(module);
  py::class_<Peers>(module, "_Peers")
      .def("__iter__", [](const py::object& self) { return self; })
      .def("__next__", &Peers::next);
  type.def("set_peer", &set_peer, py::arg("public_key"),
           "Makes or changes the peer with this public key. Returns its id.");
  type.def("find_peer", &find_peer, py::arg("public_key"), "The id for a public key.");
  type.def("remove_peer", &remove_peer, py::arg("peer"), "Forgets a peer, by id or public key.");
  type.def("get_peer", &get_peer, py::arg("peer"), "A PeerInfo of a peer, by id or public key.");
  type.def(
      "peers", [](const py::object& self) { return Peers{self}; },
      "Iterates over the ids of all peers, which may come and go meanwhile.");
  type.def("initiate", &initiate, py::arg("now"), py::arg("peer") = py::none(),
           "Asks for a handshake with a peer, or with every peer that has an endpoint.");
}

}  // namespace tunnel::python
