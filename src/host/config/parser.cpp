// parser.cpp — lines, sections and keys, in the order in which a file is read:
//   1. parse        cut the text into lines
//   2. parse_line   comment, section header or assignment
//   3. end_section  what a peer must have
//   4. finish       what only the whole file can tell
#include "host/config/parser.h"

#include <algorithm>

#include "host/config/file_parser.h"
#include "host/config/suggest.h"

namespace tunnel::host {
namespace {

constexpr std::size_t kLongestShownWord = 20;  // of something unknown: it may be part of a key

bool is_plain_word(std::string_view text) noexcept {
  return !text.empty() && text.size() <= kLongestShownWord &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
         });
}

std::string did_you_mean(std::string_view word) {
  return word.empty() ? "" : "did you mean " + in_quotes(word) + "?";
}

std::size_t index_of(const Key& key) noexcept {
  return static_cast<std::size_t>(&key - kKeys.data());
}

std::string_view nearest_key(std::string_view name) {
  std::array<std::string_view, kKeyCount> names{};
  std::transform(kKeys.begin(), kKeys.end(), names.begin(),
                 [](const Key& key) { return key.name; });
  return nearest(name, names);
}

}  // namespace

const Key* find_key(std::string_view name) noexcept {
  const auto found = std::find_if(kKeys.begin(), kKeys.end(),
                                  [&](const Key& key) { return same_word(key.name, name); });
  return found == kKeys.end() ? nullptr : &*found;
}

bool FileParser::parse(std::string_view text) {
  if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff")) {
    issue_ = issue_of_file({"this is UTF-16 text", "save the file as UTF-8"}, TUNNEL_ERR_CONFIG);
    return false;
  }
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  for (std::uint32_t number = 1; !text.empty(); ++number) {
    const std::string_view raw = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(raw.size() + 1, text.size()));
    if (!parse_line(number, raw)) return false;
  }
  return end_section() && finish();
}

bool FileParser::parse_line(std::uint32_t number, std::string_view raw) {
  key_ = nullptr;
  hide_value_ = true;
  if (raw.size() > kLongestLine) {
    line_.assign(number, raw.substr(0, 0));
    return fail(line_.raw(), {"this line is longer than 524288 bytes", "use several lines"});
  }
  line_.assign(number, raw);
  if (const std::size_t nul = raw.find('\0'); nul != std::string_view::npos) {
    return fail(raw.substr(nul, 1), {"there is a zero byte here", "is this a text file?"});
  }
  if (!line_.compact().empty()) return parse_content();
  read_pragma();
  return true;
}

bool FileParser::parse_content() {
  return line_.compact().front() == '[' ? parse_header() : parse_assignment();
}

bool FileParser::parse_header() {
  const std::string_view header = line_.compact();
  hide_value_ = false;
  if (!end_section()) return false;
  if (same_word(header, "[Interface]")) {
    section_ = Section::interface;
    if (interface_header_.place.line == 0) interface_header_ = spot(header);
    return true;
  }
  if (same_word(header, "[Peer]")) {
    section_ = Section::peer;
    peer_header_ = spot(header);
    has_public_key_ = false;
    for (const Key& key : kKeys) {
      if (key.section == Section::peer) seen_[index_of(key)] = 0;
    }
    config_.peers.emplace_back().line = line_.number();
    return true;
  }
  constexpr std::array<std::string_view, 2> kHeaders = {"[Interface]", "[Peer]"};
  const std::string_view meant = nearest(header, kHeaders);
  return fail(header, {"sections are [Interface] and [Peer]", did_you_mean(meant)});
}

bool FileParser::parse_assignment() {
  const std::string_view text = line_.compact();
  const std::size_t equals = text.find('=');
  const std::string_view name = text.substr(0, equals);
  if (equals == std::string_view::npos) {
    return fail(text, {"this is neither 'Key = value' nor a [Section]", ""});
  }
  const std::string_view value = text.substr(equals + 1);
  const Key* key = find_key(name);
  if (key == nullptr) return unknown_key(name, value);
  key_ = key;
  hide_value_ = key->secret;
  if (section_ != key->section) return wrong_section(*key);
  return check_repeated(*key) && (this->*key->read)(value);
}

bool FileParser::unknown_key(std::string_view name, std::string_view value) {
  const bool word = is_plain_word(name) && !value.empty();
  const std::string_view meant = word ? nearest_key(name) : std::string_view{};
  if (!meant.empty()) hide_value_ = find_key(meant)->secret;
  return fail(name, {word ? "unknown key " + in_quotes(name) : "unknown key", did_you_mean(meant)});
}

bool FileParser::wrong_section(const Key& key) {
  const std::string name = in_quotes(key.name);
  const char* home = key.section == Section::interface ? "[Interface]" : "[Peer]";
  const std::string_view part = line_.compact().substr(0, key.name.size());
  if (section_ == Section::none) return fail(part, {name + " stands before any [Section]", ""});
  return fail(part, {name + " belongs into " + home, ""});
}

// As with the WireGuard tools the last one counts; a peer with two keys is surely a mistake.
bool FileParser::check_repeated(const Key& key) {
  std::uint32_t& line = seen_[index_of(key)];
  if (line != 0 && !key.repeatable) {
    const std::string_view part = line_.compact().substr(0, key.name.size());
    const std::string before =
        in_quotes(key.name) + " was set already in line " + std::to_string(line);
    if (key.read == &FileParser::read_public_key) return fail(part, {before, ""});
    warn_at(part, {before + ": this one counts", ""});
  }
  line = line_.number();
  return true;
}

// "# friendly_name = laptop" inside a [Peer] names it.
void FileParser::read_pragma() {
  if (section_ != Section::peer) return;
  const auto name = pragma_value(line_.comment(), kNamePragma);
  if (name) peer().name = friendly_name(*name);
}

bool FileParser::end_section() {
  if (section_ != Section::peer || has_public_key_) return true;
  return fail_at(peer_header_, {"this peer has no PublicKey", ""});
}

bool FileParser::finish() {
  InterfaceSection& interface = config_.interface;
  for (const std::string& domain : interface.search_domains) {
    interface.search_domain_texts.push_back(domain.c_str());
  }
  drop_moved_prefixes();
  if (!check_mtu()) return false;
  if (config_.interface.private_key.is_zero()) {
    const Words words{"PrivateKey is missing in [Interface]", "make one with 'simplevpn genkey'"};
    config_.missing_key =
        interface_header_.place.line == 0
            ? issue_of_file(words, TUNNEL_ERR_CONFIG)
            : issue_at({interface_header_.raw}, interface_header_.place, words, TUNNEL_ERR_CONFIG);
    return true;
  }
  return check_own_key();
}

// All at once: one by one, a long list that moves would be walked for each of its prefixes.
void FileParser::drop_moved_prefixes() {
  if (!moved_) return;
  for (std::size_t i = 0; i < config_.peers.size(); ++i) {
    std::erase_if(config_.peers[i].allowed_ips, [&](const tunnel_prefix& prefix) {
      const auto owner = owners_.find(prefix);
      return owner == owners_.end() || owner->second != i;
    });
  }
}

bool FileParser::check_mtu() {
  constexpr std::uint32_t kLeastForIpv6 = 1280;  // RFC 8200
  const InterfaceSection& interface = config_.interface;
  const auto is_ipv6 = [](const tunnel_prefix& p) { return p.family == TUNNEL_FAMILY_IPV6; };
  if (interface.mtu == 0 || interface.mtu >= kLeastForIpv6) return true;
  if (std::none_of(interface.addresses.begin(), interface.addresses.end(), is_ipv6)) return true;
  return fail_at(mtu_spot_,
                 {"an interface with an IPv6 address needs an MTU of at least 1280", ""});
}

bool FileParser::check_own_key() {
  PublicKey own_key{};
  if (tunnel_key_public(config_.interface.private_key.data(), own_key.data()) != TUNNEL_OK) {
    return true;
  }
  const auto self = config_.by_key.find(own_key);
  if (self == config_.by_key.end()) return true;
  return fail_at(key_spots_[self->second],
                 {"this is our own public key: it belongs to the PrivateKey above",
                  "put the public key of the other side here"});
}

ShownLine FileParser::shown() const {
  if (!hide_value_) return {line_.raw()};
  // Of a line that is not understood, one plain word at its start may be shown.
  std::size_t from = line_.offset_of(line_.compact());
  const std::string_view rest = line_.raw().substr(std::min(from, line_.raw().size()));
  const std::size_t word = std::min(rest.find_first_of(" \t="), rest.size());
  if (key_ != nullptr || is_plain_word(rest.substr(0, word))) {
    const std::size_t value = rest.find('=');
    from += key_ != nullptr && value != std::string_view::npos ? value + 1 : word;
    while (from < line_.raw().size() && is_blank(line_.raw()[from])) ++from;
  }
  return {line_.raw(), from, std::string_view::npos};
}

Spot FileParser::spot(std::string_view part) const {
  return {line_.raw(), {line_.number(), line_.offset_of(part), line_.size_of(part)}};
}

bool FileParser::fail(std::string_view part, const Words& words) {
  issue_ = refuse(part, words);
  return false;
}

bool FileParser::fail_at(const Spot& spot, const Words& words) {
  issue_ = issue_at({spot.raw}, spot.place, words, TUNNEL_ERR_CONFIG);
  return false;
}

tunnel_config_issue FileParser::refuse(std::string_view part, const Words& words) const {
  return issue_at(shown(), spot(part).place, words, TUNNEL_ERR_CONFIG);
}

bool FileParser::warn_at(std::string_view part, const Words& words) {
  if (config_.warnings.size() >= kMostWarnings) return false;
  config_.warnings.push_back(issue_at(shown(), spot(part).place, words, TUNNEL_OK));
  return true;
}

void warn(Config& config, const Words& words) {
  config.warnings.insert(config.warnings.begin(), issue_of_file(words, TUNNEL_OK));
}

std::int32_t parse_config(std::string_view text, Config& config, tunnel_config_issue& issue) {
  return FileParser(config, issue).parse(text) ? TUNNEL_OK : TUNNEL_ERR_CONFIG;
}

}  // namespace tunnel::host
