// control.cpp — the text of the control socket: what a daemon answers, and requests as a client
// sends them, in pieces as they arrive.
#include <sys/socket.h>

#include <string>

#include "host/control/connection.h"
#include "host/control/uapi_read.h"
#include "input.h"

namespace {

using tunnel::base::Descriptor;
using tunnel::fuzz::expect;
using tunnel::host::Changes;
using tunnel::host::Connection;
using tunnel::host::PeerChange;
using tunnel::host::SetParser;

void read_answer(const std::string& text) {
  tunnel::host::Snapshot snapshot;
  if (!tunnel::host::read_snapshot(text, snapshot)) return;
  expect(snapshot.error >= 0, "an answer ends with an errno");
  expect(snapshot.interface.peer_count == snapshot.peers.size(), "peers are counted");
}

void take_changes(SetParser& parser, bool ended) {
  const Changes changes = parser.take_changes(ended);
  std::size_t prefixes = 0;
  for (const PeerChange& peer : changes.peers) {
    prefixes += peer.prefixes.size();
    expect(!peer.name || peer.name->size() <= tunnel::host::kLongestName, "names are short");
    expect(peer.host.empty() || peer.host_port != 0, "a host has a port");
  }
  const std::size_t most = 2 * SetParser::kPieceLines;
  expect(changes.interface.size() + changes.peers.size() + prefixes <= most + 1,
         "a piece is bounded");
  expect(parser.error() >= 0, "a fault is an errno");
}

bool take_requests(Connection& connection) {
  bool sound = true;
  for (;;) {
    const Connection::Request request = connection.next_request(sound);
    if (request == Connection::Request::none) return sound;
    expect(sound, "a request is sound");
    if (request == Connection::Request::set_part) take_changes(connection.changes(), false);
    if (request == Connection::Request::set) take_changes(connection.changes(), true);
  }
}

void read_requests(const std::string& text, std::size_t piece) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0) return;
  const Descriptor client(ends[0]);
  Connection connection(Descriptor(ends[1]), 0);
  for (std::size_t at = 0; at < text.size(); at += piece) {
    const std::string part = text.substr(at, piece);
    if (::send(client.get(), part.data(), part.size(), MSG_NOSIGNAL) < 0) return;
    if (!connection.receive(1) || !take_requests(connection)) return;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string text(data + 1, data + size);
  read_answer(text);
  const auto error = tunnel::host::read_set_answer(text);
  expect(!error || text.starts_with("errno="), "an answer to a set is an errno");
  read_requests(text, std::size_t{data[0]} + 1);
  return 0;
}
