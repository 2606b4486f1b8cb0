// resolv_conf.h — the text of /etc/resolv.conf (resolv.conf(5)): read and written, nothing else.
#pragma once

#include <tunnel/packet.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/dns/saved_file.h"
#include "host/step/step.h"

namespace tunnel::host::dns {

struct ResolvConf {
  std::vector<tunnel_address> servers;
  std::vector<std::string> domains;  // of the last `search` or `domain`
  std::vector<std::string> options;
};

// What is malformed or unknown is skipped, as the C library does it.
ResolvConf read_resolv_conf(std::string_view text);

// Lines `search`, `nameserver`, `options`.
std::string resolv_conf_text(const ResolvConf& content);

// What a step makes of the file that was there. All names go to the tunnel's servers; only when the
// step asks for less do the former servers stay, behind ours, and the former domains.
ResolvConf resolv_conf_for(const ResolverStep& step, const ResolvConf& before);

// Our file says which tunnel wrote it and what it replaced: thus nothing is lost with the journal,
// and tunnels that end in another order than they began do not bring back each other's files.
struct Mark {
  std::string interface_name;
  SavedFile before;
};
std::string mark_text(const Mark& mark);
std::optional<Mark> read_mark(std::string_view text);

// "192.0.2.1", "fe80::1%eth0".
std::string server_text(const tunnel_address& server);

}  // namespace tunnel::host::dns
