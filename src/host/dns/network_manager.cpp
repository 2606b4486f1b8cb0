// The global servers of NetworkManager's configuration stand above those of all connections, and
// are theirs no more when the piece is gone. An interface that it did not make itself it would have
// to take over before it could have servers of its own.
#include <sys/stat.h>

#include <cerrno>

#include "host/dns/backends.h"
#include "host/dns/file_swap.h"
#include "host/dns/resolv_conf.h"
#include "host/dns/tool.h"

namespace tunnel::host::dns::network_manager {
namespace {

std::string directory(const DnsPlaces& places) {
  return places.run + "/NetworkManager/conf.d";
}

std::string file(const std::string& interface_name, const DnsPlaces& places) {
  return directory(places) + "/simplevpn-" + interface_name + ".conf";
}

std::string joined(const std::vector<std::string>& values) {
  std::string line;
  for (const std::string& value : values) line += line.empty() ? value : "," + value;
  return line;
}

std::string content(const ResolverStep& step, const DnsPlaces& places) {
  const auto now = save_file(places.resolv_conf());
  const ResolvConf before = now ? read_resolv_conf(now->content) : ResolvConf{};
  const ResolvConf ours = resolv_conf_for(step, before);
  std::vector<std::string> servers;
  for (const tunnel_address& server : ours.servers) servers.push_back(server_text(server));
  std::string text = "# Written by simplevpn for the tunnel " + step.interface_name + "\n";
  text += "[global-dns]\n";
  if (!ours.domains.empty()) text += "searches=" + joined(ours.domains) + "\n";
  return text + "\n[global-dns-domain-*]\nservers=" + joined(servers) + "\n";
}

Answer reload() {
  return run_tool({"nmcli", "general", "reload", "conf"});
}

}  // namespace

Answer apply(const ResolverStep& step, const DnsPlaces& places) {
  ::mkdir(directory(places).c_str(), 0755);
  const std::string text = content(step, places);
  const Answer outcome = put_text(file(step.interface_name, places), SavedFile{}, text);
  if (outcome.error != 0) return outcome;
  return reload();
}

Answer undo(const std::string& interface_name, const DnsPlaces& places) {
  const std::string path = file(interface_name, places);
  remove_unfinished(path);
  if (::unlink(path.c_str()) != 0) {
    if (errno == ENOENT) return {};
    return {errno, "cannot remove " + path};
  }
  return reload();
}

bool is_in_force(const std::string& interface_name, const DnsPlaces& places) {
  struct stat info {};
  return ::stat(file(interface_name, places).c_str(), &info) == 0 || errno != ENOENT;
}

}  // namespace tunnel::host::dns::network_manager
