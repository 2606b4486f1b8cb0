// file_parser.h — the parser's state, private to this room. parser.cpp walks over lines and
// sections, keys.cpp reads what stands behind the equals sign.
#pragma once

#include <array>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "host/config/issue.h"
#include "host/config/key.h"
#include "host/config/line.h"
#include "host/config/model.h"

namespace tunnel::host {

// A place together with the text of its line, for what is found wrong only later.
struct Spot {
  std::string_view raw;
  Place place;
};

struct PrefixHash {
  std::size_t operator()(const tunnel_prefix& prefix) const noexcept;
};
struct SamePrefix {
  bool operator()(const tunnel_prefix& a, const tunnel_prefix& b) const noexcept;
};

class FileParser {
 public:
  FileParser(Config& config, tunnel_config_issue& issue) : config_(config), issue_(issue) {}

  bool parse(std::string_view text);

  // Readers of single keys; see kKeys. False = issue_ says what is wrong.
  bool read_private_key(std::string_view value);
  bool read_listen_port(std::string_view value);
  bool read_fwmark(std::string_view value);
  bool read_addresses(std::string_view value);
  bool read_mtu(std::string_view value);
  bool read_table(std::string_view value);
  bool read_save_config(std::string_view value);
  bool read_dns(std::string_view value);
  bool read_pre_up(std::string_view value);
  bool read_post_up(std::string_view value);
  bool read_pre_down(std::string_view value);
  bool read_post_down(std::string_view value);
  bool read_public_key(std::string_view value);
  bool read_preshared_key(std::string_view value);
  bool read_peer_endpoint(std::string_view value);
  bool read_peer_keepalive(std::string_view value);
  bool read_allowed_ips(std::string_view value);

 private:
  bool parse_line(std::uint32_t number, std::string_view raw);
  bool parse_content();
  bool parse_header();
  bool parse_assignment();
  bool unknown_key(std::string_view name, std::string_view value);
  bool wrong_section(const Key& key);
  bool check_repeated(const Key& key);
  void read_pragma();
  bool end_section();
  bool finish();
  bool check_mtu();
  bool check_own_key();

  bool read_key(std::string_view value, base::MutableBytesOf<TUNNEL_KEY_SIZE> key);
  bool add_address(std::string_view text);
  bool add_dns(std::string_view text);
  bool add_hook(std::uint32_t kind);
  bool add_allowed_ip(std::string_view text);
  bool bad_prefix(std::string_view text);
  void own(const tunnel_prefix& prefix, std::string_view text);
  void disown(const tunnel_prefix& prefix);
  void drop_moved_prefixes();

  PeerSection& peer() { return config_.peers.back(); }
  ShownLine shown() const;
  Spot spot(std::string_view part) const;
  bool fail(std::string_view part, const Words& words);
  bool fail_at(const Spot& spot, const Words& words);
  bool warn_at(std::string_view part, const Words& words);  // false after too many
  void warn_of_move(const tunnel_prefix& prefix, std::uint32_t from, std::string_view text);
  tunnel_config_issue refuse(std::string_view part, const Words& words) const;

  Config& config_;
  tunnel_config_issue& issue_;
  Line line_;
  Section section_ = Section::none;
  const Key* key_ = nullptr;  // of this line, once it is known
  bool hide_value_ = true;    // nothing behind the key may be shown
  Spot interface_header_;
  Spot peer_header_;
  Spot mtu_spot_;
  bool has_public_key_ = false;
  std::array<std::uint32_t, kKeyCount> seen_{};  // line of each key in its section; 0 = not yet
  std::vector<Spot> key_spots_;                  // of each peer's PublicKey
  std::unordered_map<tunnel_prefix, std::size_t, PrefixHash, SamePrefix> owners_;
  bool moved_ = false;  // a prefix stands in the list of a former owner, too
};

}  // namespace tunnel::host
