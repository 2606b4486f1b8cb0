#include "host/dns/resolv_conf.h"

#include <tunnel/host/text.h>

#include <algorithm>
#include <array>

#include "base/base.h"
#include "host/system/system.h"

namespace tunnel::host::dns {
namespace {

constexpr std::string_view kMark = "# simplevpn-replaced ";

std::string_view next_line(std::string_view& text) noexcept {
  const std::string_view line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(line.size() + 1, text.size()));
  return line;
}

std::vector<std::string> words(std::string_view line) {
  std::vector<std::string> found;
  for (auto word = next_word(line); !word.empty(); word = next_word(line)) {
    found.emplace_back(word);
  }
  return found;
}

void read_server(std::string_view word, std::vector<tunnel_address>& servers) {
  tunnel_address address{};
  if (tunnel_address_from_text(word.data(), word.size(), &address) != TUNNEL_OK) return;
  if (address.port == 0) servers.push_back(address);
}

void read_line(std::string_view line, ResolvConf& content) {
  const std::string_view key = next_word(line);
  if (key == "nameserver") {
    read_server(next_word(line), content.servers);
  } else if (key == "search" || key == "domain") {
    content.domains = words(line);
  } else if (key == "options") {
    for (std::string& option : words(line)) content.options.push_back(std::move(option));
  }
}

std::string line_of(const std::string& key, const std::vector<std::string>& values) {
  if (values.empty()) return {};
  std::string line = key;
  for (const std::string& value : values) line += " " + value;
  return line + "\n";
}

}  // namespace

ResolvConf read_resolv_conf(std::string_view text) {
  ResolvConf content;
  while (!text.empty()) {
    const std::string_view line = next_line(text);
    // A comment begins in the first column, as the C library sees it.
    if (line.empty() || line.front() == '#' || line.front() == ';') continue;
    read_line(line, content);
  }
  return content;
}

std::string resolv_conf_text(const ResolvConf& content) {
  std::string text = line_of("search", content.domains);
  for (const tunnel_address& server : content.servers) {
    text += "nameserver " + server_text(server) + "\n";
  }
  return text + line_of("options", content.options);
}

ResolvConf resolv_conf_for(const ResolverStep& step, const ResolvConf& before) {
  ResolvConf ours{step.servers, {}, {}};
  for (const std::string& domain : step.domains) {
    // "~lan" says who is asked, which this file cannot, and is nothing to search in.
    if (domain.front() != '~') ours.domains.push_back(domain);
  }
  for (const std::string& option : before.options) {
    // The former server's word on DNSSEC was trusted, ours need not be.
    if (option != "trust-ad") ours.options.push_back(option);
  }
  // Domains without servers, or domains that are not to have all names.
  if (step.servers.empty() || !step.everything) {
    ours.servers.insert(ours.servers.end(), before.servers.begin(), before.servers.end());
    ours.domains.insert(ours.domains.end(), before.domains.begin(), before.domains.end());
  }
  return ours;
}

std::string mark_text(const Mark& mark) {
  return "# Written for the tunnel " + mark.interface_name +
         " by simplevpn, which puts back what was here when the tunnel stops.\n" +
         std::string(kMark) + mark.interface_name + " " + saved_text(mark.before) + "\n";
}

std::optional<Mark> read_mark(std::string_view text) {
  while (!text.empty()) {
    std::string_view line = next_line(text);
    if (!line.starts_with(kMark)) continue;
    line.remove_prefix(kMark.size());
    Mark mark{std::string(next_word(line)), {}};
    auto before = read_saved(line);
    if (!before) return std::nullopt;
    mark.before = *std::move(before);
    return mark;
  }
  return std::nullopt;
}

std::string server_text(const tunnel_address& server) {
  tunnel_address address = server;
  address.port = 0;
  std::array<char, TUNNEL_ADDRESS_TEXT_SIZE> text{};
  (void)tunnel_address_to_text(&address, text.data());
  return text.data();
}

}  // namespace tunnel::host::dns
