// keys.cpp — what stands behind the equals sign, one reader for each key of the file format.
#include <algorithm>

#include "host/config/address_text.h"
#include "host/config/file_parser.h"
#include "host/config/suggest.h"
#include "host/config/values.h"
#include "host/system/system.h"

namespace tunnel::host {

const std::array<Key, kKeyCount> kKeys = {{
    {"PrivateKey", Section::interface, &FileParser::read_private_key, true},
    {"ListenPort", Section::interface, &FileParser::read_listen_port},
    {"FwMark", Section::interface, &FileParser::read_fwmark},
    {"Address", Section::interface, &FileParser::read_addresses, false, true},
    {"MTU", Section::interface, &FileParser::read_mtu},
    {"Table", Section::interface, &FileParser::read_table},
    {"SaveConfig", Section::interface, &FileParser::read_save_config},
    {"DNS", Section::interface, &FileParser::read_dns, false, true},
    {"PreUp", Section::interface, &FileParser::read_pre_up, true, true},
    {"PostUp", Section::interface, &FileParser::read_post_up, true, true},
    {"PreDown", Section::interface, &FileParser::read_pre_down, true, true},
    {"PostDown", Section::interface, &FileParser::read_post_down, true, true},
    {"PublicKey", Section::peer, &FileParser::read_public_key},
    {"PresharedKey", Section::peer, &FileParser::read_preshared_key, true},
    {"Endpoint", Section::peer, &FileParser::read_peer_endpoint},
    {"PersistentKeepalive", Section::peer, &FileParser::read_peer_keepalive},
    {"AllowedIPs", Section::peer, &FileParser::read_allowed_ips, false, true},
}};

namespace {

// The first part of a list; the rest, without the separator, stays in `list`.
std::string_view take_part(std::string_view& list, std::string_view separators) {
  const std::size_t end = std::min(list.find_first_of(separators), list.size());
  const std::string_view part = list.substr(0, end);
  list.remove_prefix(std::min(end + 1, list.size()));
  return part;
}

constexpr std::string_view kListSeparators = ", \t\v\f\r";

std::string_view value_with_blanks(const Line& line) {
  return line.content().substr(line.content().find('=') + 1);
}

std::string whose_key(std::string_view name, std::size_t size) {
  const std::string what = std::string(name) + " is not a key: ";
  if (size == TUNNEL_KEY_TEXT_SIZE - 1) return what + "this is not the base64 text of 32 bytes";
  return what + std::to_string(size) + " characters instead of 44";
}

}  // namespace

bool FileParser::read_key(std::string_view value, base::MutableBytesOf<TUNNEL_KEY_SIZE> key) {
  if (tunnel_key_from_text(value.data(), value.size(), key.data()) == TUNNEL_OK) return true;
  return fail(value, {whose_key(key_->name, value.size()),
                      "a key has 44 characters, the last of them is '='"});
}

bool FileParser::read_private_key(std::string_view value) {
  config_.interface.fields |= TUNNEL_CONFIG_PRIVATE_KEY;
  return read_key(value, config_.interface.private_key.writable());
}

bool FileParser::read_listen_port(std::string_view value) {
  const auto port = read_port(value);
  if (!port) {
    return fail(value,
                {"ListenPort is neither a number up to 65535 nor the name of a UDP service", ""});
  }
  config_.interface.port = *port;
  config_.interface.fields |= TUNNEL_CONFIG_LISTEN_PORT;
  return true;
}

bool FileParser::read_fwmark(std::string_view value) {
  const auto mark = read_mark(value);
  if (!mark) {
    return fail(value,
                {"FwMark is neither 'off' nor a number of 32 bits", "write it as 51820 or 0xca6c"});
  }
  config_.interface.fwmark = *mark;
  config_.interface.fields |= TUNNEL_CONFIG_FWMARK;
  return true;
}

// wg-quick takes blanks as separators here, too.
bool FileParser::read_addresses(std::string_view value) {
  if (value.empty()) return fail(value, {"Address is empty", "e.g. 10.9.0.2/24"});
  std::string_view list = value_with_blanks(line_);
  while (!list.empty()) {
    const std::string_view part = take_part(list, kListSeparators);
    if (!part.empty() && !add_address(part)) return false;
  }
  return true;
}

bool FileParser::add_address(std::string_view text) {
  const auto prefix = read_prefix(text);
  if (!prefix) return bad_prefix(text);
  config_.interface.addresses.push_back(*prefix);
  return true;
}

bool FileParser::read_mtu(std::string_view value) {
  constexpr std::uint32_t kLeast = 68;  // RFC 791
  const auto mtu = read_number(value, 65535);
  if (!mtu || *mtu < kLeast) return fail(value, {"MTU is not a number from 68 to 65535", ""});
  mtu_spot_ = spot(value);
  config_.interface.mtu = *mtu;
  config_.interface.fields |= TUNNEL_CONFIG_MTU;
  return true;
}

bool FileParser::read_table(std::string_view value) {
  InterfaceSection& interface = config_.interface;
  interface.fields &= ~(TUNNEL_CONFIG_TABLE_OFF | TUNNEL_CONFIG_TABLE);
  interface.table = 0;
  if (same_word(value, "auto")) return true;
  if (same_word(value, "off")) {
    interface.fields |= TUNNEL_CONFIG_TABLE_OFF;
    return true;
  }
  const auto table = read_routing_table(value);
  if (!table) {
    return fail(value, {"Table is neither 'auto', 'off' nor a number or name of a routing table",
                        "names stand in /etc/iproute2/rt_tables"});
  }
  interface.table = *table;
  interface.fields |= TUNNEL_CONFIG_TABLE;
  return true;
}

bool FileParser::read_save_config(std::string_view value) {
  const bool save = same_word(value, "true");
  if (!save && !same_word(value, "false")) {
    return fail(value, {"SaveConfig is neither 'true' nor 'false'", ""});
  }
  config_.interface.fields &= ~TUNNEL_CONFIG_SAVE;
  if (save) config_.interface.fields |= TUNNEL_CONFIG_SAVE;
  return true;
}

bool FileParser::read_dns(std::string_view) {
  std::string_view list = value_with_blanks(line_);
  while (!list.empty()) {
    const std::string_view part = take_part(list, kListSeparators);
    if (!part.empty() && !add_dns(part)) return false;
  }
  return true;
}

// As wg-quick tells them apart: digits and dots, or a colon anywhere, are a server.
bool FileParser::add_dns(std::string_view text) {
  const bool is_server = text.find(':') != std::string_view::npos ||
                         text.find_first_not_of("0123456789.") == std::string_view::npos;
  if (!is_server) {
    if (!is_search_domain(text)) {
      return fail(text, {"this is no domain to search in", "letters, digits, '-', '_' and dots"});
    }
    config_.interface.search_domains.emplace_back(text);
    return true;
  }
  const auto server = read_ip(text);
  if (!server) return fail(text, {"this is not the IP address of a DNS server", ""});
  config_.interface.dns_servers.push_back(*server);
  return true;
}

bool FileParser::read_pre_up(std::string_view) {
  return add_hook(TUNNEL_HOOK_PRE_UP);
}

bool FileParser::read_post_up(std::string_view) {
  return add_hook(TUNNEL_HOOK_POST_UP);
}

bool FileParser::read_pre_down(std::string_view) {
  return add_hook(TUNNEL_HOOK_PRE_DOWN);
}

bool FileParser::read_post_down(std::string_view) {
  return add_hook(TUNNEL_HOOK_POST_DOWN);
}

// A '#' begins no comment here: what follows the equals sign is the shell's.
bool FileParser::add_hook(std::uint32_t kind) {
  const std::string_view raw = line_.raw();
  const std::string_view command = trim(raw.substr(raw.find('=') + 1));
  if (!command.empty()) config_.interface.hooks[kind - 1].emplace_back(command);
  return true;
}

bool FileParser::read_public_key(std::string_view value) {
  if (!read_key(value, peer().public_key)) return false;
  const auto [other, fresh] =
      config_.by_key.try_emplace(peer().public_key, config_.peers.size() - 1);
  if (!fresh) {
    const std::string line = std::to_string(config_.peers[other->second].line);
    return fail(value, {"the peer in line " + line + " has this public key already", ""});
  }
  key_spots_.push_back(spot(value));
  has_public_key_ = true;
  return true;
}

bool FileParser::read_preshared_key(std::string_view value) {
  return read_key(value, peer().preshared_key.writable());
}

bool FileParser::read_peer_endpoint(std::string_view value) {
  Endpoint endpoint;
  const EndpointFault fault = read_endpoint(value, endpoint);
  if (fault.message != nullptr) return fail(fault.part, {fault.message, fault.hint});
  if (endpoint.needs_brackets) {
    warn_at(value, {"the last group of this IPv6 address is taken for the port",
                    "write it as [address]:port"});
  }
  peer().host = endpoint.host;
  peer().port = endpoint.port;
  peer().endpoint = endpoint.address;
  return true;
}

bool FileParser::read_peer_keepalive(std::string_view value) {
  const auto seconds = read_keepalive(value);
  if (!seconds) {
    return fail(value, {"PersistentKeepalive is neither 'off' nor a number up to 65535", ""});
  }
  peer().keepalive_s = *seconds;
  return true;
}

bool FileParser::read_allowed_ips(std::string_view value) {
  if (value.empty()) warn_at(value, {"AllowedIPs is empty: this peer may send nothing", ""});
  for (bool more = !value.empty(); more;) {
    more = value.find(',') != std::string_view::npos;
    if (!add_allowed_ip(take_part(value, ","))) return false;
  }
  return true;
}

bool FileParser::add_allowed_ip(std::string_view text) {
  const bool remove = text.starts_with('-');
  const std::string_view number = text.substr(remove || text.starts_with('+') ? 1 : 0);
  const auto given = read_prefix(number);
  if (!given) return bad_prefix(text);
  const tunnel_prefix prefix = network_of(*given);
  if (!SamePrefix{}(prefix, *given)) {
    warn_at(
        text,
        {"the part behind the prefix length is not zero: " + prefix_text(prefix) + " is used", ""});
  }
  if (remove) {
    disown(prefix);
  } else {
    own(prefix, text);
  }
  return true;
}

bool FileParser::bad_prefix(std::string_view text) {
  if (text.empty() || text == "+" || text == "-") {
    return fail(text, {"an address is missing in the list", ""});
  }
  const std::size_t slash = text.find('/');
  std::string_view ip = text.substr(0, slash);
  if (ip.find('%') != std::string_view::npos) {
    return fail(text.substr(ip.find('%')), {"a prefix has no zone", ""});
  }
  if (ip.starts_with('+') || ip.starts_with('-')) ip.remove_prefix(1);
  const auto address = read_ip(ip);
  if (!address) return fail(ip, {"this is not an IP address", ""});
  const bool ipv4 = address->family == TUNNEL_FAMILY_IPV4;
  return fail(text.substr(slash + 1),
              {ipv4 ? "the prefix length of an IPv4 address is a number from 0 to 32"
                    : "the prefix length of an IPv6 address is a number from 0 to 128",
               ""});
}

void FileParser::own(const tunnel_prefix& prefix, std::string_view text) {
  const std::size_t self = config_.peers.size() - 1;
  const auto [owner, fresh] = owners_.try_emplace(prefix, self);
  if (!fresh && owner->second == self) return;
  if (!fresh) {
    warn_of_move(prefix, config_.peers[owner->second].line, text);
    owner->second = self;
    moved_ = true;
  }
  peer().allowed_ips.push_back(prefix);
}

void FileParser::warn_of_move(const tunnel_prefix& prefix, std::uint32_t from,
                              std::string_view text) {
  const std::string line = std::to_string(from);
  if (!warn_at(text, {prefix_text(prefix) + " moves here from the peer in line " + line, ""})) {
    return;
  }
  config_.warnings.back().former_line = from;
  config_.warnings.back().prefix = prefix;
}

void FileParser::disown(const tunnel_prefix& prefix) {
  const auto owner = owners_.find(prefix);
  if (owner == owners_.end() || owner->second != config_.peers.size() - 1) return;
  owners_.erase(owner);
  std::erase_if(peer().allowed_ips,
                [&](const tunnel_prefix& other) { return SamePrefix{}(other, prefix); });
}

bool SamePrefix::operator()(const tunnel_prefix& a, const tunnel_prefix& b) const noexcept {
  return a.family == b.family && a.length == b.length &&
         std::equal(std::begin(a.bytes), std::end(a.bytes), std::begin(b.bytes));
}

std::size_t PrefixHash::operator()(const tunnel_prefix& prefix) const noexcept {
  std::uint64_t hash = base::load_le64(prefix.bytes) * 0x9e3779b97f4a7c15u;
  hash = (hash ^ hash >> 29 ^ base::load_le64(prefix.bytes + 8)) * 0xbf58476d1ce4e5b9u;
  hash = (hash ^ hash >> 32 ^ prefix.length ^ std::uint64_t{prefix.family} << 8);
  return static_cast<std::size_t>(hash * 0x94d049bb133111ebu);
}

}  // namespace tunnel::host
