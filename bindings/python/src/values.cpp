// values.cpp — what a core tells: events, counters, and the numbers of the C headers.
#include "binding.h"

namespace tunnel::python {

namespace {

struct Number {
  const char* name;
  std::int32_t value;
};

constexpr Number kVerdicts[] = {
    {"NONE", TUNNEL_VERDICT_NONE},
    {"SEND", TUNNEL_VERDICT_SEND},
    {"REPLY", TUNNEL_VERDICT_REPLY},
    {"DELIVER", TUNNEL_VERDICT_DELIVER},
    {"CONSUMED", TUNNEL_VERDICT_CONSUMED},
    {"HELD", TUNNEL_VERDICT_HELD},
    {"SENT", TUNNEL_VERDICT_SENT},
    {"WAIT", TUNNEL_VERDICT_WAIT},
    {"DROP_MALFORMED", TUNNEL_DROP_MALFORMED},
    {"DROP_MAC1", TUNNEL_DROP_MAC1},
    {"DROP_BUSY", TUNNEL_DROP_BUSY},
    {"DROP_RATE_LIMITED", TUNNEL_DROP_RATE_LIMITED},
    {"DROP_UNKNOWN_INDEX", TUNNEL_DROP_UNKNOWN_INDEX},
    {"DROP_EXPIRED_KEY", TUNNEL_DROP_EXPIRED_KEY},
    {"DROP_FORGED", TUNNEL_DROP_FORGED},
    {"DROP_REPLAY", TUNNEL_DROP_REPLAY},
    {"DROP_COOKIE", TUNNEL_DROP_COOKIE},
    {"DROP_HANDSHAKE", TUNNEL_DROP_HANDSHAKE},
    {"DROP_UNKNOWN_PEER", TUNNEL_DROP_UNKNOWN_PEER},
    {"DROP_OLD_TIMESTAMP", TUNNEL_DROP_OLD_TIMESTAMP},
    {"DROP_FLOOD", TUNNEL_DROP_FLOOD},
    {"DROP_INNER_MALFORMED", TUNNEL_DROP_INNER_MALFORMED},
    {"DROP_NOT_ALLOWED", TUNNEL_DROP_NOT_ALLOWED},
    {"DROP_NO_PEER", TUNNEL_DROP_NO_PEER},
    {"DROP_NO_ENDPOINT", TUNNEL_DROP_NO_ENDPOINT},
    {"DROP_NO_KEY", TUNNEL_DROP_NO_KEY},
    {"DROP_TOO_BIG", TUNNEL_DROP_TOO_BIG},
    {"DROP_NO_ROOM", TUNNEL_DROP_NO_ROOM},
    {"DROP_UNREACHABLE", TUNNEL_DROP_UNREACHABLE},
    {"DROP_EXHAUSTED", TUNNEL_DROP_EXHAUSTED},
    {"DROP_IO", TUNNEL_DROP_IO},
    {"DROP_FILTERED", TUNNEL_DROP_FILTERED},
    {"DROP_STAGED", TUNNEL_DROP_STAGED},
};

constexpr Number kEventKinds[] = {
    {"HANDSHAKE", TUNNEL_EVENT_HANDSHAKE},
    {"HANDSHAKE_FAILED", TUNNEL_EVENT_HANDSHAKE_FAILED},
    {"ENDPOINT", TUNNEL_EVENT_ENDPOINT},
    {"TIMESTAMP", TUNNEL_EVENT_TIMESTAMP},
    {"TIMESTAMP_FLOOR", TUNNEL_EVENT_TIMESTAMP_FLOOR},
    {"UNDER_LOAD", TUNNEL_EVENT_UNDER_LOAD},
    {"PEER_EXPIRED", TUNNEL_EVENT_PEER_EXPIRED},
    {"UNKNOWN_KEY", TUNNEL_EVENT_UNKNOWN_KEY},
    {"OVERFLOW", TUNNEL_EVENT_OVERFLOW},
};

constexpr Number kErrors[] = {
    {"ERR_ARGUMENT", TUNNEL_ERR_ARGUMENT},   {"ERR_KEY", TUNNEL_ERR_KEY},
    {"ERR_NOT_FOUND", TUNNEL_ERR_NOT_FOUND}, {"ERR_EXISTS", TUNNEL_ERR_EXISTS},
    {"ERR_LIMIT", TUNNEL_ERR_LIMIT},         {"ERR_CLOSED", TUNNEL_ERR_CLOSED},
    {"ERR_MEMORY", TUNNEL_ERR_MEMORY},
};

py::dict dictionary(std::span<const Number> numbers) {
  py::dict result;
  for (const auto& number : numbers) result[number.name] = number.value;
  return result;
}

// {verdict: packets}, only the reasons that occurred.
py::dict drops(const tunnel_counters& counters) {
  py::dict result;
  for (int i = 0; i < TUNNEL_DROP_COUNT; ++i) {
    if (counters.drops[i] != 0) result[py::int_(TUNNEL_DROP_FIRST + i)] = counters.drops[i];
  }
  return result;
}

std::string event_text(const tunnel_event& event) {
  return "<Event kind=" + std::to_string(event.kind) + " peer=" + std::to_string(event.peer) +
         " value=" + std::to_string(event.value) + ">";
}

void add_event(py::module_& module) {
  py::class_<tunnel_event> type(module, "Event");
  type.def_readonly("kind", &tunnel_event::kind);
  type.def_readonly("peer", &tunnel_event::peer);
  type.def_readonly("value", &tunnel_event::value);
  type.def_readonly("mono_ns", &tunnel_event::mono_ns);
  type.def_property_readonly("address",
                             [](const tunnel_event& event) { return from_address(event.address); });
  type.def_property_readonly("public_key", [](const tunnel_event& event) -> py::object {
    if (event.kind != TUNNEL_EVENT_UNKNOWN_KEY) return py::none();
    PublicKey key;
    std::copy(std::begin(event.public_key), std::end(event.public_key), key.bytes.begin());
    return py::cast(key);
  });
  type.def("__repr__", &event_text);
}

void add_counters(py::module_& module) {
  py::class_<tunnel_counters> type(module, "Counters");
  type.def_readonly("under_load", &tunnel_counters::under_load);
  type.def_readonly("rx_packets", &tunnel_counters::rx_packets);
  type.def_readonly("rx_bytes", &tunnel_counters::rx_bytes);
  type.def_readonly("tx_packets", &tunnel_counters::tx_packets);
  type.def_readonly("tx_bytes", &tunnel_counters::tx_bytes);
  type.def_readonly("delivered_packets", &tunnel_counters::delivered_packets);
  type.def_readonly("delivered_bytes", &tunnel_counters::delivered_bytes);
  type.def_readonly("handshakes_initiated", &tunnel_counters::handshakes_initiated);
  type.def_readonly("handshakes_responded", &tunnel_counters::handshakes_responded);
  type.def_readonly("handshakes_completed", &tunnel_counters::handshakes_completed);
  type.def_readonly("cookie_replies", &tunnel_counters::cookie_replies);
  type.def_readonly("cookies_received", &tunnel_counters::cookies_received);
  type.def_readonly("keepalives_sent", &tunnel_counters::keepalives_sent);
  type.def_readonly("keepalives_received", &tunnel_counters::keepalives_received);
  type.def_readonly("staged_packets", &tunnel_counters::staged_packets);
  type.def_readonly("peers", &tunnel_counters::peers);
  type.def_readonly("sessions", &tunnel_counters::sessions);
  type.def_readonly("memory_bytes", &tunnel_counters::memory_bytes);
  type.def_readonly("memory_peak_bytes", &tunnel_counters::memory_peak_bytes);
  type.def_readonly("timestamp_floor_ns", &tunnel_counters::timestamp_floor_ns);
  type.def_property_readonly("drops", &drops);
}

}  // namespace

void add_values(py::module_& module) {
  module.attr("verdicts") = dictionary(kVerdicts);
  module.attr("event_kinds") = dictionary(kEventKinds);
  for (const auto& error : kErrors) module.attr(error.name) = error.value;
  module.def(
      "status_text", [](std::int32_t status) { return tunnel_status_text(status); },
      py::arg("status"));
  module.def(
      "status_hint", [](std::int32_t status) { return tunnel_status_hint(status); },
      py::arg("status"));
  const auto version = tunnel_version();
  module.attr("version") = std::to_string(version >> 16) + "." +
                           std::to_string(version >> 8 & 0xff) + "." +
                           std::to_string(version & 0xff);
  add_event(module);
  add_counters(module);
}

}  // namespace tunnel::python
