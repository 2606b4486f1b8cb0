#include "device/coalesce.h"

#include <functional>
#include <map>

#include "support/catch.hpp"
#include "support/shapes.h"

namespace device = tunnel::device;
using device::Coalescer;
using test::Shape;

namespace {

using Runs = std::vector<std::vector<std::size_t>>;

// Packets and what is planned of them.
struct Planned {
  explicit Planned(std::vector<std::string> all, device::Offloads offloads = {true, true})
      : texts(std::move(all)) {
    for (std::string& text : texts) {
      tunnel_packet packet{};
      packet.data = reinterpret_cast<std::uint8_t*>(text.data());
      packet.length = static_cast<std::uint32_t>(text.size());
      packet.verdict = TUNNEL_VERDICT_DELIVER;
      packets.push_back(packet);
    }
    coalescer.plan(packets, offloads);
  }

  [[nodiscard]] Runs runs() const {
    Runs out;
    for (const auto& run : coalescer.runs()) {
      auto& indices = out.emplace_back();
      std::size_t i = run.head;
      for (unsigned left = run.count; left != 0; --left, i = coalescer.next(i))
        indices.push_back(i);
      CHECK(indices.back() == run.tail);
    }
    return out;
  }

  // The bytes that are written for a run, without the virtio header.
  [[nodiscard]] std::string written(std::size_t which) const {
    const auto& run = coalescer.runs()[which];
    if (run.count == 1) return texts[run.head];
    const auto header = device::merge_headers(run);
    const std::size_t size = run.first.segment.header_size;
    std::string out(header.bytes.begin(), header.bytes.begin() + static_cast<std::ptrdiff_t>(size));
    const auto indices = runs()[which];
    for (const std::size_t i : indices) out += texts[i].substr(size);
    return out;
  }

  std::vector<std::string> texts;
  std::vector<tunnel_packet> packets;
  Coalescer coalescer;
};

std::vector<std::string> packets_of(const std::vector<Shape>& shapes) {
  std::vector<std::string> out;
  for (const Shape& shape : shapes) out.push_back(test::packet_of(shape));
  return out;
}

Shape whole(bool ipv6, bool tcp, std::size_t payload = 3000) {
  Shape shape;
  shape.ipv6 = ipv6;
  shape.tcp = tcp;
  shape.payload = test::Random(5).text(payload);
  return shape;
}

}  // namespace

TEST_CASE("what is cut from a superpacket becomes that superpacket", "[device][coalesce]") {
  test::Random random(6);
  for (int i = 0; i < 1000; ++i) {
    Shape shape = random.shape();
    if (random.chance(2)) shape.flags |= 0x08;  // PSH
    if (random.chance(4)) shape.flags |= 0x40;  // ECE
    const std::size_t size = 1 + random.number(random.chance(3) ? 20 : 1400);
    const std::size_t count = 2 + random.number(63);
    const std::size_t most = 65'535 - shape.header_size();
    shape.payload = random.text(
        std::min(most, (count - 1) * size + 1 + random.number(static_cast<std::uint32_t>(size))));
    const auto parts = test::cut(shape, size);
    const Planned planned(packets_of(parts));
    if (planned.coalescer.runs().size() != 1) FAIL("round " << i << ": not one run");
    if (parts.size() == 1) continue;
    const auto header = device::merge_headers(planned.coalescer.runs()[0]).virtio;
    const auto as_read = test::virtio_of(shape, size);
    if (planned.written(0) != test::unsummed_of(shape)) FAIL("round " << i << ": other bytes");
    if (std::memcmp(&header, &as_read, sizeof header) != 0) FAIL("round " << i << ": header");
  }
}

namespace {

struct Breach {
  const char* what;
  std::function<void(Shape&)> make;
};

// Two packets that belong together, but for what is done to the second.
Runs after(const Breach& breach, const Shape& of) {
  auto parts = test::cut(of, 1500);
  breach.make(parts[1]);
  return Planned(packets_of(parts)).runs();
}

const Breach kIpv4Breaches[] = {
    {"type of service", [](Shape& s) { s.tos = 4; }},
    {"ECN", [](Shape& s) { s.tos = 3; }},
    {"time to live", [](Shape& s) { s.ttl = 63; }},
    {"DF", [](Shape& s) { s.fragment = 0; }},
    {"the reserved bit", [](Shape& s) { s.fragment = 0xc000; }},
    {"a fragment that more follow", [](Shape& s) { s.fragment = 0x6000; }},
    {"a fragment that is the last", [](Shape& s) { s.fragment = 0x4001; }},
    {"IP options", [](Shape& s) { s.ip_options = "\1\1\1\1"; }},
};

const Breach kIpv6Breaches[] = {
    {"traffic class", [](Shape& s) { s.tos = 4; }},
    {"ECN", [](Shape& s) { s.tos = 2; }},
    {"hop limit", [](Shape& s) { s.ttl = 63; }},
    {"flow label", [](Shape& s) { s.label = 1; }},
    {"an extension header",
     [](Shape& s) {
       s.extensions = std::string(s.tcp ? "\6\0\1\4\0\0\0\0" : "\21\0\1\4\0\0\0\0", 8);
     }},
};

const Breach kAnyBreaches[] = {
    {"another address", [](Shape& s) { s.host = 2; }},
    {"another port", [](Shape& s) { s.port = 2; }},
    {"another protocol", [](Shape& s) { s.tcp = !s.tcp; }},
    {"another IP version", [](Shape& s) { s.ipv6 = !s.ipv6; }},
    {"no payload", [](Shape& s) { s.payload.clear(); }},
    {"a longer payload", [](Shape& s) { s.payload += "x"; }},
};

const Breach kTcpBreaches[] = {
    {"FIN", [](Shape& s) { s.flags |= 0x01; }},
    {"SYN", [](Shape& s) { s.flags |= 0x02; }},
    {"RST", [](Shape& s) { s.flags |= 0x04; }},
    {"no ACK", [](Shape& s) { s.flags = 0; }},
    {"URG", [](Shape& s) { s.flags |= 0x20; }},
    {"ECE", [](Shape& s) { s.flags |= 0x40; }},
    {"CWR", [](Shape& s) { s.flags |= 0x80; }},
    {"a reserved bit", [](Shape& s) { s.reserved = 1; }},
    {"a gap", [](Shape& s) { s.sequence += 1; }},
    {"a repetition", [](Shape& s) { s.sequence -= 1500; }},
    {"acknowledges more", [](Shape& s) { s.acknowledged += 1; }},
    {"another window", [](Shape& s) { s.window += 1; }},
    {"an urgent pointer", [](Shape& s) { s.urgent = 1; }},
    {"more options", [](Shape& s) { s.options += "\1\1\1\1"; }},
    {"other options", [](Shape& s) { s.options[0] ^= 1; }},
};

template <std::size_t N>
void check_breaches(const Breach (&breaches)[N], Shape of) {
  if (of.tcp) of.options = "\1\1\1\1";
  REQUIRE(after({"nothing", [](Shape&) {}}, of) == Runs{{0, 1}});
  for (const Breach& breach : breaches) {
    CAPTURE(breach.what, of.ipv6, of.tcp);
    CHECK(after(breach, of) == Runs{{0}, {1}});
  }
}

}  // namespace

TEST_CASE("packets that differ in more than segments do are not merged", "[device][coalesce]") {
  for (const bool tcp : {true, false}) {
    check_breaches(kIpv4Breaches, whole(false, tcp));
    check_breaches(kIpv6Breaches, whole(true, tcp));
    check_breaches(kAnyBreaches, whole(false, tcp));
    check_breaches(kAnyBreaches, whole(true, tcp));
  }
  check_breaches(kTcpBreaches, whole(false, true));
  check_breaches(kTcpBreaches, whole(true, true));
}

TEST_CASE("flags that forbid merging forbid it for the first packet too", "[device][coalesce]") {
  for (const unsigned flag : {0x01u, 0x02u, 0x04u, 0x08u, 0x20u, 0x80u}) {
    auto parts = test::cut(whole(false, true), 1500);
    for (Shape& part : parts) part.flags |= static_cast<std::uint8_t>(flag);
    CAPTURE(flag);
    CHECK(Planned(packets_of(parts)).runs() == Runs{{0}, {1}});
  }
}

TEST_CASE("the identification counts up where a packet may be fragmented", "[device][coalesce]") {
  Shape shape = whole(false, true);
  shape.fragment = 0;
  const Breach stays{"stays", [](Shape& s) { s.id -= 1; }};
  CHECK(after({"nothing", [](Shape&) {}}, shape) == Runs{{0, 1}});
  CHECK(after(stays, shape) == Runs{{0}, {1}});
  shape.fragment = 0x4000;
  CHECK(after(stays, shape) == Runs{{0, 1}});
}

TEST_CASE("a shorter packet ends its run", "[device][coalesce]") {
  for (const bool tcp : {true, false}) {
    auto parts = test::cut(whole(false, tcp, 2500), 1000);
    Shape more = parts[2];
    more.sequence += 500;
    more.id += 1;
    parts.push_back(more);
    CHECK(Planned(packets_of(parts)).runs() == Runs{{0, 1, 2}, {3}});
  }
}

TEST_CASE("PSH goes into the superpacket and ends it", "[device][coalesce]") {
  auto parts = test::cut(whole(false, true, 4000), 1000);
  parts[1].flags |= 0x08;
  const Planned planned(packets_of(parts));
  REQUIRE(planned.runs() == Runs{{0, 1}, {2, 3}});
  CHECK(planned.written(0)[33] == 0x18);
  CHECK(planned.written(1)[33] == 0x10);
}

TEST_CASE("a run has 64 packets and 65535 bytes at most", "[device][coalesce]") {
  CHECK(Planned(packets_of(test::cut(whole(false, true, 70 * 100), 100))).runs()[0].size() == 64);
  CHECK(Planned(packets_of(test::cut(whole(false, true, 65'495), 1365))).runs().size() == 1);
  CHECK(Planned(packets_of(test::cut(whole(false, true, 65'496), 1365))).runs().size() == 2);
  CHECK(Planned(packets_of(test::cut(whole(true, false, 65'487), 9000))).runs().size() == 1);
  CHECK(Planned(packets_of(test::cut(whole(true, false, 65'488), 9000))).runs().size() == 2);
}

TEST_CASE("a wrong checksum keeps a packet alone and unchanged", "[device][coalesce]") {
  for (const bool tcp : {true, false}) {
    for (std::size_t bad = 0; bad < 4; ++bad) {
      auto texts = packets_of(test::cut(whole(tcp, tcp, 4000), 1000));
      texts[bad].back() = static_cast<char>(texts[bad].back() ^ 1);
      const Planned planned(texts);
      for (std::size_t i = 0; i < planned.runs().size(); ++i) {
        const auto run = planned.runs()[i];
        if (std::find(run.begin(), run.end(), bad) == run.end()) continue;
        CHECK(run.size() == 1);
        CHECK(planned.written(i) == texts[bad]);
      }
    }
  }
}

TEST_CASE("a wrong checksum of an IPv4 header is not made right", "[device][coalesce]") {
  for (const bool tcp : {true, false}) {
    auto texts = packets_of(test::cut(whole(false, tcp, 2000), 1000));
    texts[1][10] = static_cast<char>(texts[1][10] ^ 1);
    const Planned planned(texts);
    CHECK(planned.runs() == Runs{{0}, {1}});
    CHECK(planned.written(1) == texts[1]);
  }
}

TEST_CASE("datagrams without checksum are merged with their like", "[device][coalesce]") {
  Shape shape = whole(false, false, 4000);
  auto parts = test::cut(shape, 1000);
  for (Shape& part : parts) part.summed = false;
  CHECK(Planned(packets_of(parts)).runs() == Runs{{0, 1, 2, 3}});
  parts[2].summed = true;
  CHECK(Planned(packets_of(parts)).runs() == Runs{{0, 1}, {2}, {3}});
  for (Shape& part : parts) part.summed = false;
  for (Shape& part : parts) part.ipv6 = true;
  CHECK(Planned(packets_of(parts)).runs() == Runs{{0}, {1}, {2}, {3}});
}

TEST_CASE("a UDP length that lies keeps a datagram alone", "[device][coalesce]") {
  auto texts = packets_of(test::cut(whole(false, false, 2000), 1000));
  texts[1][25] = static_cast<char>(texts[1][25] - 1);
  CHECK(Planned(texts).runs() == Runs{{0}, {1}});
}

TEST_CASE("flows that are mixed are merged each by itself", "[device][coalesce]") {
  const auto a = packets_of(test::cut(whole(false, true), 1000));
  const auto b = packets_of(test::cut(whole(true, true), 1000));
  const auto c = packets_of(test::cut(whole(false, false), 1000));
  const Planned planned({a[0], b[0], a[1], c[0], c[1], b[1], a[2], b[2], c[2]});
  CHECK(planned.runs() == Runs{{0, 2, 6}, {1, 5, 7}, {3, 4, 8}});
}

TEST_CASE("nothing of a flow overtakes what stands between", "[device][coalesce]") {
  auto parts = test::cut(whole(false, true, 4000), 1000);
  Shape between = parts[0];
  const auto runs = [&] {
    const auto texts = packets_of({parts[0], parts[1], between, parts[2], parts[3]});
    return Planned(texts).runs();
  };
  between.payload.clear();
  CHECK(runs() == Runs{{0, 1}, {2}, {3, 4}});
  between.fragment = 0x2000;  // its ports may be those of the flow, or none
  CHECK(runs() == Runs{{0, 1}, {2}, {3, 4}});
  between.host = 9;
  CHECK(runs() == Runs{{0, 1, 3, 4}, {2}});
}

TEST_CASE("what is no packet of a flow is written alone", "[device][coalesce]") {
  const auto parts = packets_of(test::cut(whole(false, true), 1000));
  std::string icmp = parts[0];
  icmp[9] = 1;
  const std::string tail = parts[1] + "padding";
  const std::vector<std::string> odd{
      "",   "x", std::string(19, '\x45'), std::string(60, '\x60'), parts[0].substr(0, 30),
      icmp, tail};
  for (const std::string& each : odd) {
    CHECK(Planned({each, each, parts[0], parts[1]}).runs() == Runs{{0}, {1}, {2, 3}});
  }
}

TEST_CASE("only what is to be delivered is planned", "[device][coalesce]") {
  Planned planned(packets_of(test::cut(whole(false, true, 4000), 1000)));
  planned.packets[1].verdict = TUNNEL_VERDICT_CONSUMED;
  planned.coalescer.plan(planned.packets, {true, true});
  CHECK(planned.runs() == Runs{{0}, {2, 3}});
}

TEST_CASE("a kernel without UDP segmentation gets datagrams singly", "[device][coalesce]") {
  const auto datagrams = packets_of(test::cut(whole(false, false), 1500));
  CHECK(Planned(datagrams, {true, false}).runs() == Runs{{0}, {1}});
  CHECK(Planned(datagrams, {true, true}).runs() == Runs{{0, 1}});
}

namespace {

// Packets of a few flows as a network gives them: in runs, with something odd now and then.
std::vector<Shape> traffic(test::Random& random) {
  std::vector<Shape> flows;
  for (std::uint16_t i = 0; i < 6; ++i) {
    flows.push_back(random.shape());
    flows.back().port = i;
  }
  std::vector<Shape> out;
  while (out.size() < 128) {
    Shape& flow = flows[random.number(6)];
    if (random.chance(20)) flow.window ^= 1;
    if (random.chance(20)) flow.tos ^= 3;
    if (random.chance(20)) flow.sequence += 7;
    Shape packet = flow;
    if (random.chance(10)) packet.flags |= static_cast<std::uint8_t>(1 << random.number(8));
    if (random.chance(20)) packet.fragment = static_cast<std::uint16_t>(random.number(0x10000));
    packet.payload = random.text(random.chance(8) ? random.number(50) : 50);
    flow.sequence += static_cast<std::uint32_t>(packet.payload.size());
    flow.id += 1;
    out.push_back(packet);
  }
  return out;
}

// What the kernel makes of a run, by the slow reference.
std::vector<std::string> expected(const std::vector<Shape>& shapes,
                                  const std::vector<std::size_t>& run) {
  Shape merged = shapes[run.front()];
  const std::size_t size = merged.payload.size();
  if (run.size() == 1) return {test::packet_of(merged)};
  for (std::size_t i = 1; i < run.size(); ++i) merged.payload += shapes[run[i]].payload;
  merged.flags = shapes[run.back()].flags;
  return packets_of(test::cut(merged, size));
}

// The numbers of the packets of each flow, in the order in which they are written.
std::map<int, std::vector<std::size_t>> order(const std::vector<Shape>& shapes, const Runs& runs) {
  std::map<int, std::vector<std::size_t>> out;
  for (const auto& run : runs) {
    for (const std::size_t i : run) out[shapes[i].port].push_back(i);
  }
  return out;
}

}  // namespace

TEST_CASE("in any mix each flow keeps its packets and their order", "[device][coalesce]") {
  test::Random random(8);
  std::size_t merged = 0;
  for (int round = 0; round < 300; ++round) {
    const auto shapes = traffic(random);
    const auto texts = packets_of(shapes);
    const Planned planned(texts);
    const Runs runs = planned.runs();
    merged += shapes.size() - runs.size();
    std::size_t packets = 0;
    for (const auto& run : runs) {
      const auto made = expected(shapes, run);
      REQUIRE(made.size() == run.size());
      for (std::size_t i = 0; i < run.size(); ++i) {
        const bool any_id = !shapes[run[i]].ipv6 && (shapes[run[i]].fragment & 0x4000) != 0;
        const std::size_t from = any_id ? 12 : 0;
        if (made[i].substr(from) != texts[run[i]].substr(from)) FAIL("round " << round);
      }
      packets += run.size();
    }
    REQUIRE(packets == shapes.size());
    for (const auto& [port, numbers] : order(shapes, runs)) {
      if (!std::is_sorted(numbers.begin(), numbers.end())) FAIL("round " << round << ": " << port);
    }
  }
  CHECK(merged > 300 * 20);
}
