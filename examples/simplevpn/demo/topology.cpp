#include "topology.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "ping.h"

namespace simplevpn::demo {
namespace {

constexpr const char* kClient = R"(
link set lo up
link set uplink up
address add 192.0.2.2/24 dev uplink
route add default via 192.0.2.1
)";

constexpr const char* kRouter = R"(
link set lo up
link set to-client up
link set to-server up
address add 192.0.2.1/24 dev to-client
address add 198.51.100.1/24 dev to-server
)";

constexpr const char* kServer = R"(
link set lo up
link set uplink up
link set lan up
address add 198.51.100.2/24 dev uplink
address add 10.20.0.1/24 dev lan
address add fd20::1/64 dev lan nodad
route add default via 198.51.100.1
)";

constexpr const char* kBehind = R"(
link set lo up
link set lan up
address add 10.20.0.2/24 dev lan
address add fd20::2/64 dev lan nodad
route add default via 10.20.0.1
route add ::/0 via fd20::1
)";

constexpr const char* kMove = R"(
address flush dev uplink
address add 192.0.2.77/24 dev uplink
route add default via 192.0.2.1
)";

bool configure(const Host& host, const char* script, std::string& error) {
  const Outcome outcome = host.run({"ip", "-batch", "-"}, script);
  if (outcome.status != 0) error = host.name() + ": ip: " + outcome.output;
  return outcome.status == 0;
}

// One end of a cable: an interface of a host.
struct End {
  const Host& host;
  std::string interface;
};

bool plug(const End& left, const End& right, std::string& error) {
  // The other host has no name: `ip` is given its descriptor, and inherits it.
  const Descriptor network(dup(right.host.network()));
  const std::string there = "/proc/self/fd/" + std::to_string(network.get());
  const Outcome outcome = left.host.run({"ip", "link", "add", "name", left.interface, "type",
                                         "veth", "peer", "name", right.interface, "netns", there});
  if (outcome.status != 0) error = left.host.name() + ": ip link add: " + outcome.output;
  return outcome.status == 0;
}

bool forward_packets(const Host& host, std::string& error) {
  for (const char* file :
       {"/proc/sys/net/ipv4/ip_forward", "/proc/sys/net/ipv6/conf/all/forwarding"}) {
    Process child = host.start([file] { return write_file(file, "1") ? 0 : errno; });
    const int status = child.wait(10).value_or(EIO);
    if (status == 0) continue;
    error = host.name() + ": cannot write " + file + ": " + std::strerror(status);
    return false;
  }
  return true;
}

bool connect_all(const Topology& hosts, std::string& error) {
  return plug({hosts.client, "uplink"}, {hosts.router, "to-client"}, error) &&
         plug({hosts.router, "to-server"}, {hosts.server, "uplink"}, error) &&
         plug({hosts.server, "lan"}, {hosts.behind, "lan"}, error) &&
         forward_packets(hosts.router, error) && forward_packets(hosts.server, error) &&
         configure(hosts.client, kClient, error) && configure(hosts.router, kRouter, error) &&
         configure(hosts.server, kServer, error) && configure(hosts.behind, kBehind, error);
}

// A new cable carries nothing for up to a second, unless somebody asks for its state. A lost first
// initiation would show as a handshake of five seconds.
bool await_path(const Topology& hosts, std::string& error) {
  for (const Host* host : {&hosts.client, &hosts.router, &hosts.server, &hosts.behind}) {
    static_cast<void>(host->run({"ip", "link", "show"}));
  }
  if (answers(hosts.client, kServerOutside, 5) && answers(hosts.server, kBehind6, 5)) return true;
  error = "the cables between the hosts carry nothing";
  return false;
}

}  // namespace

std::optional<Topology> Topology::build(std::string& error) {
  auto client = Host::create("client");
  auto router = Host::create("router");
  auto server = Host::create("server");
  auto behind = Host::create("behind");
  if (!client || !router || !server || !behind) {
    error = std::string("no namespaces for a host: ") + std::strerror(errno);
    return {};
  }
  Topology hosts{*std::move(client), *std::move(router), *std::move(server), *std::move(behind)};
  if (!connect_all(hosts, error) || !await_path(hosts, error)) return {};
  return hosts;
}

bool Topology::move_client(std::string& error) const {
  return configure(client, kMove, error);
}

}  // namespace simplevpn::demo
