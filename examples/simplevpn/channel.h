// channel.h - what the two processes of a tunnel say to each other: the daemon, which may change
// the machine, and the packet process, which reads what strangers send.
//
// Messages have one size and contain no pointers. What is received is made harmless before anybody
// looks at it, because the packet process may be in the hands of an attacker.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include <tunnel/core.h>

#include "handles.h"

namespace simplevpn {

enum class Word : std::uint32_t {
  none,
  // of the packet process
  ready,     // `value` = its UDP port, `name` = its user
  event,     // `event`
  resolved,  // of peer `key`: `name` is at addresses[0], or none and a `reason`
  endpoint,  // of peer `key` a client sets addresses[0], or none: the peer is gone
  mark,      // a client wants the mark `value` on the socket
  port,      // a client has given the socket the port `value`
  ended,     // no packet moves any more; `value` = what the engine's run() returned
  released,  // the interface is closed
  // of the daemon
  start,     // move packets
  settled,   // what was said up to `number` is part of the settings; `value` = mark of the socket
  ask,       // `addresses` for names from now on, with `value` as mark
  announce,  // `event` to those who listen
  stop,      // answered by `ended`
  release,   // answered by `released`
};

struct Message {
  Word word = Word::none;
  std::uint32_t count = 0;  // of addresses
  std::int64_t value = 0;
  std::uint64_t number = 0;  // of what is to be settled before the packet process goes on; 0 = none
  tunnel_event event = TUNNEL_EVENT_INIT;
  std::array<tunnel_address, 8> addresses{};
  std::array<std::uint8_t, TUNNEL_KEY_SIZE> key{};
  std::array<char, 256> name{};
  std::array<char, 128> reason{};
};

// Cut to what fits.
template <std::size_t Size>
void put_text(std::array<char, Size>& field, const std::string& text) {
  field = {};
  text.copy(field.data(), Size - 1);
}

// One end. Any thread may send; one receives.
class Channel {
 public:
  enum class Got { message, nothing, closed };

  // A status.
  static std::int32_t make(Channel& one, Channel& other);

  // False when the other end is gone; try_send() also when it does not read.
  bool send(const Message& message) const { return put(message, 0); }
  bool try_send(const Message& message) const;
  // Never waits. Whatever is no message counts as the end of the other side.
  [[nodiscard]] Got receive(Message& message) const;

  int handle() const { return handle_.get(); }
  void close() { handle_.reset(-1); }
  // Of the copy that a fork gave us; the owner does not close it.
  void take_over(int handle) { handle_.reset(handle); }

 private:
  bool put(const Message& message, int flags) const;

  Descriptor handle_;
};

}  // namespace simplevpn
