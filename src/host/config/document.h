// document.h — the text of a wg-quick file as sections and lines, to be changed in places.
//
// Only for text that parse_config accepted, so that every line is what it seems to be. Lines that
// no change is about stay as they are, byte for byte. Lines may hold keys: all are wiped.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/base.h"
#include "host/config/key.h"
#include "host/config/line.h"
#include "host/config/model.h"

namespace tunnel::host {

struct DocumentLine {
  enum class Kind : std::uint8_t { blank, comment, header, assignment };

  base::WipedBuffer text;  // with its newline, if it has one
  Kind kind = Kind::blank;
  const Key* key = nullptr;  // of an assignment
};

// A header and what follows it; a comment directly above a header belongs to it.
struct DocumentSection {
  Section kind = Section::none;
  PublicKey public_key{};  // of a peer
  std::vector<DocumentLine> lines;
};

class Document {
 public:
  explicit Document(std::string_view text);

  // The text as it now is.
  base::WipedBuffer text() const;

  bool has_peer(const PublicKey& key) const { return by_key_.contains(key); }
  // True when a peer other than `but` has the name.
  bool name_taken(std::string_view name, const PublicKey& but) const;

  // Appends a [Peer] with its PublicKey, unless there is one; set() does the rest.
  void add_peer(const PublicKey& key);
  // These three want a peer that there is.
  void remove_peer(const PublicKey& key);
  void rename_peer(const PublicKey& key, std::string_view name);  // "" removes the name
  void set(const PublicKey& peer, const Key& key, std::string_view value);

  // For a key of [Interface], which is made when there is none. "" as value removes a key.
  void set(const Key& key, std::string_view value);

  // Removes what `wg setconf` does not know (a byte order mark is such a thing), and blanks at both
  // ends of lines.
  void strip();

 private:
  DocumentLine line_of(std::string_view text);
  void add_line(DocumentLine line);
  void index_peer(DocumentSection& section);
  DocumentSection& section_of(const PublicKey& peer) { return sections_[by_key_.at(peer)]; }
  DocumentSection& interface();
  void end_with_newline();
  void set_in(DocumentSection& section, const Key& key, std::string_view value);
  DocumentLine assignment(std::string_view key, std::string_view value);
  void drop_blanks_before(std::size_t section);
  bool blank_follows(std::size_t section) const;

  std::vector<DocumentSection> sections_;  // removed ones stay, as nothing's, so that indexes hold
  std::unordered_map<PublicKey, std::size_t, PublicKeyHash> by_key_;
  std::string_view newline_ = "\n";
  std::string_view mark_;  // a byte order mark stays first, whatever comes to stand above a line
  Line scanned_;
};

}  // namespace tunnel::host
