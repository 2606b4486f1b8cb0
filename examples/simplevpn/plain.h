// plain.h - a tunnel that protects nothing, made from the command line alone.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "output.h"
#include "target.h"

namespace simplevpn {

struct Up;

// The plan of the simple-vpn-demo, whose format these tunnels speak, is what is left out.
struct Plain {
  bool chosen = false;  // --insecure-plain: never by default, never by a file
  bool server = false;
  std::string name = "plain";  // of tunnel and interface
  std::string remote;          // the other side, HOST[:PORT]; a server takes addresses only
  std::string address;         // ours inside; "" = 10.8.0.1/16 or 10.8.0.2/16
  std::vector<std::string> allowed_ips;  // of the other side; none = the network of `address`
  unsigned port = 54345;                 // ours
};

// What a tunnel is told as loudly as possible.
constexpr const char* kPlainWarning =
    "INSECURE: no encryption, no authentication; anybody on the way reads, changes and forges what "
    "is inside";

// Fills a target for the daemon: a name, and a configuration in memory. A name of a host is looked
// up now, once: no datagram ever teaches where the other side is.
[[nodiscard]] std::optional<Failure> make_plain_target(const Up& options, Target& target);

}  // namespace simplevpn
