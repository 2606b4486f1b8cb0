// core.cpp — Core: a whole tunnel without I/O. Its peers stand in peers.cpp.
#include <vector>

#include "packets.h"
#include "shared_core.h"

namespace tunnel::python {

namespace {

constexpr std::uint32_t kMaxMtu = 65535;

std::uint32_t take_number(const py::kwargs& options, const char* name, std::uint32_t max) {
  const auto value = take(options, name);
  return value.is_none() ? 0 : static_cast<std::uint32_t>(to_unsigned(value, name, max));
}

// ---- create ----

std::unique_ptr<SharedCore> create(const py::object& private_key, const py::kwargs& options) {
  tunnel_core_config config = TUNNEL_CORE_CONFIG_INIT;
  const auto* key = optional<PrivateKey>(private_key, "private_key");
  const auto mtu = take(options, "mtu");
  if (!mtu.is_none()) {
    const auto number = static_cast<std::uint32_t>(to_unsigned(mtu, "mtu", kMaxMtu));
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

// ---- settings ----

// None: forget it.
void set_private_key(SharedCore& core, const py::object& private_key) {
  const auto* key = optional<PrivateKey>(private_key, "private_key");
  core.run("set the private key", [&](tunnel::Core& c) {
    return key == nullptr ? c.clear_private_key() : c.set_private_key(key->key);
  });
}

void set_mtu(SharedCore& core, const py::object& mtu) {
  const auto number = static_cast<std::uint32_t>(to_unsigned(mtu, "mtu", kMaxMtu));
  core.run("set the MTU", [&](tunnel::Core& c) { return c.set_mtu(number); });
}

void network_changed(SharedCore& core, const py::object& now) {
  const auto time = to_time(now);
  core.run("take note of the change", [&](tunnel::Core& c) { return c.network_changed(time); });
}

void forget_sessions(SharedCore& core) {
  core.run("forget sessions", [](tunnel::Core& c) { return c.forget_sessions(); });
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
  py::class_<SharedCore> type(module, "Core",
                              "A whole WireGuard tunnel with many peers, without any I/O. May be "
                              "shared by threads.");
  type.def(py::init(&create), py::arg("private_key") = py::none(),
           "Makes a core without peers; without a private key it neither seals nor opens.");
  type.def("close", &SharedCore::close, "Wipes every key now. Harmless when closed already.");
  type.def("__enter__", [](const py::object& self) { return self; });
  type.def("__exit__", [](SharedCore& core, const py::args&) { core.close(); });
  type.def_property_readonly("public_key", &public_key, "Ours. NotFound without a private key.");
  type.def("set_private_key", &set_private_key, py::arg("private_key"),
           "Changes our key, or forgets it (None). A changed key ends all sessions.");
  type.def("set_mtu", &set_mtu, py::arg("mtu"), "Changes the inside MTU; 0 is no bound.");
  add_peers(module, type);
  type.def("network_changed", &network_changed, py::arg("now"),
           "Says that local addresses or routes changed: every session sends a keepalive.");
  type.def("forget_sessions", &forget_sessions, "Forgets sessions and handshakes, keeps peers.");
  type.def("seal", &seal, py::arg("packets"), py::arg("now"), py::arg("count") = py::none(),
           "Turns inside packets into datagrams, in place. Returns a verdict each.");
  type.def("open", &open, py::arg("packets"), py::arg("now"), py::arg("count") = py::none(),
           "Turns datagrams into inside packets, in place. Returns a verdict each.");
  type.def("poll", &poll, py::arg("packets"), py::arg("now"), py::arg("budget") = 64,
           "Runs what is due, with at most `budget` handshakes. Returns how many packets of the "
           "buffer it filled; send them.");
  type.def_property_readonly("deadline", &deadline,
                             "The mono_ns at which poll is due; None when nothing is pending.");
  type.def("events", &events, "Takes the events that happened since the last call.");
  type.def("counters", &counters, "Packets, bytes, handshakes and drops so far.");
}

}  // namespace tunnel::python
