// core.cpp — Core: a whole tunnel without I/O.
//
// Every call converts its arguments with the GIL held, then releases the GIL, then takes the core's
// mutex: so several Python threads may share a core, and none of them stops the interpreter.
#include <mutex>
#include <vector>

#include "keys.h"
#include "packets.h"

namespace tunnel::python {

namespace {

class SharedCore {
 public:
  explicit SharedCore(tunnel::Core core) : core_(std::move(core)) {}

  // Runs `use(core)`, which returns a status, without the GIL.
  template <class Use>
  std::int32_t run_quietly(Use use) {
    const py::gil_scoped_release release;
    const std::lock_guard lock(mutex_);
    return core_.get() == nullptr ? TUNNEL_ERR_CLOSED : use(core_);
  }

  // The same; raises when the status is an error.
  template <class Use>
  std::int32_t run(const char* what, Use use) {
    return check(run_quietly(use), what);
  }

  // Wipes the keys now. Harmless when closed already.
  void close() {
    const py::gil_scoped_release release;
    const std::lock_guard lock(mutex_);
    core_ = tunnel::Core(nullptr);
  }

 private:
  std::mutex mutex_;
  tunnel::Core core_;
};

// Takes an option out of the keyword arguments; None when it is absent.
py::object take(const py::kwargs& options, const char* name) {
  if (!options.contains(name)) return py::none();
  return options.attr("pop")(name);
}

void refuse_rest(const py::kwargs& options, const char* function) {
  for (const auto& option : options) {
    refuse_type(std::string(function) + " has no argument " +
                py::repr(option.first).cast<std::string>());
  }
}

std::uint32_t take_number(const py::kwargs& options, const char* name, std::uint32_t max) {
  const auto value = take(options, name);
  return value.is_none() ? 0 : static_cast<std::uint32_t>(to_unsigned(value, name, max));
}

template <class T>
const T* optional(const py::object& value, const char* name) {
  if (value.is_none()) return nullptr;
  if (!py::isinstance<T>(value)) {
    refuse_type(std::string(name) + " must be a tunnel." +
                py::type::of<T>().attr("__name__").template cast<std::string>() + " or None");
  }
  return &value.cast<const T&>();
}

// ---- create ----

std::unique_ptr<SharedCore> create(const py::object& private_key, const py::kwargs& options) {
  tunnel_core_config config = TUNNEL_CORE_CONFIG_INIT;
  const auto* key = optional<PrivateKey>(private_key, "private_key");
  const auto mtu = take(options, "mtu");
  if (!mtu.is_none()) {
    const auto number = static_cast<std::uint32_t>(to_unsigned(mtu, "mtu", 65535));
    config.mtu = number == 0 ? TUNNEL_MTU_ZERO : number;
  }
  config.max_peers = take_number(options, "max_peers", 1u << 20);
  config.max_sessions = take_number(options, "max_sessions", 1u << 22);
  config.staging_bytes = take_number(options, "staging_bytes", 1u << 30);
  if (const auto floor = take(options, "timestamp_floor_ns"); !floor.is_none()) {
    config.timestamp_floor_ns = to_unsigned(floor, "timestamp_floor_ns", UINT64_MAX);
  }
  const auto seed = take(options, "test_seed");
  std::optional<PinnedBytes> pinned;
  if (!seed.is_none()) {
    pinned.emplace(seed);
    if (pinned->bytes().size() != 32) refuse_value("test_seed must have 32 bytes");
    config.test_seed = pinned->bytes().data();
  }
  refuse_rest(options, "Core()");
  auto core = tunnel::Core::create(config);
  check(core.status(), "create a core");
  if (key != nullptr) check(core->set_private_key(key->key), "set the private key");
  return std::make_unique<SharedCore>(std::move(*core));
}

// ---- peers ----

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

void remove_peer(SharedCore& core, const py::object& peer) {
  const auto id = py::isinstance<PublicKey>(peer) ? find_peer(core, peer.cast<const PublicKey&>())
                                                  : to_unsigned(peer, "peer", UINT64_MAX);
  core.run("remove a peer", [&](tunnel::Core& c) { return c.remove_peer(id); });
}

// ---- packets ----

py::list verdicts(std::span<const tunnel_packet> packets) {
  py::list result(packets.size());
  for (std::size_t i = 0; i < packets.size(); ++i) result[i] = packets[i].verdict;
  return result;
}

py::list seal(SharedCore& core, PacketBuffer& buffer, const py::object& now,
              const py::object& count) {
  const auto time = to_time(now);
  const Loan loan(buffer, count);
  core.run("seal", [&](tunnel::Core& c) { return c.seal(loan.packets(), time); });
  return verdicts(loan.packets());
}

py::list open(SharedCore& core, PacketBuffer& buffer, const py::object& now,
              const py::object& count) {
  const auto time = to_time(now);
  const Loan loan(buffer, count);
  core.run("open", [&](tunnel::Core& c) { return c.open(loan.packets(), time); });
  return verdicts(loan.packets());
}

std::int32_t poll(SharedCore& core, PacketBuffer& buffer, const py::object& now,
                  const py::object& budget) {
  const auto time = to_time(now);
  const auto handshakes = static_cast<std::uint32_t>(to_unsigned(budget, "budget", UINT32_MAX));
  Loan loan(buffer, py::none());
  loan.clear();
  return core.run("poll",
                  [&](tunnel::Core& c) { return c.poll(loan.packets(), handshakes, time); });
}

// ---- what it tells ----

// Nanoseconds, or None when nothing is pending.
py::object deadline(SharedCore& core) {
  std::uint64_t at = 0;
  core.run("ask for the deadline", [&](tunnel::Core& c) {
    at = c.deadline();
    return TUNNEL_OK;
  });
  if (at == TUNNEL_TIME_NEVER) return py::none();
  return py::int_(at);
}

py::list events(SharedCore& core) {
  std::vector<tunnel_event> taken;
  core.run("take events", [&](tunnel::Core& c) {
    while (const auto event = c.next_event()) taken.push_back(*event);
    return TUNNEL_OK;
  });
  py::list result;
  for (const auto& event : taken) result.append(py::cast(event));
  return result;
}

tunnel_counters counters(SharedCore& core) {
  tunnel_counters result = TUNNEL_COUNTERS_INIT;
  core.run("read counters",
           [&](tunnel::Core& c) { return tunnel_core_counters(c.get(), &result); });
  return result;
}

PublicKey public_key(SharedCore& core) {
  PublicKey key;
  core.run("read the public key",
           [&](tunnel::Core& c) { return tunnel_core_public_key(c.get(), key.bytes.data()); });
  return key;
}

}  // namespace

void add_core(py::module_& module) {
  py::class_<SharedCore> type(module, "Core");
  type.def(py::init(&create), py::arg("private_key") = py::none());
  type.def("close", &SharedCore::close);
  type.def("__enter__", [](const py::object& self) { return self; });
  type.def("__exit__", [](SharedCore& core, const py::args&) { core.close(); });
  type.def_property_readonly("public_key", &public_key);
  type.def("set_peer", &set_peer, py::arg("public_key"));
  type.def("find_peer", &find_peer, py::arg("public_key"));
  type.def("remove_peer", &remove_peer, py::arg("peer"));
  type.def("seal", &seal, py::arg("packets"), py::arg("now"), py::arg("count") = py::none());
  type.def("open", &open, py::arg("packets"), py::arg("now"), py::arg("count") = py::none());
  type.def("poll", &poll, py::arg("packets"), py::arg("now"), py::arg("budget") = 64);
  type.def_property_readonly("deadline", &deadline);
  type.def("events", &events);
  type.def("counters", &counters);
}

}  // namespace tunnel::python
