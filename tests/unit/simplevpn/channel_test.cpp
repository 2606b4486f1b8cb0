// What the daemon hears of a process for packets that may be in the hands of an attacker.
#include "channel.h"

#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "support/catch.hpp"

using namespace simplevpn;

namespace {

struct Ends {
  Channel ours, theirs;
  Ends() { REQUIRE(Channel::make(ours, theirs) == TUNNEL_OK); }
  void send(const void* bytes, std::size_t size) const {
    REQUIRE(::send(theirs.handle(), bytes, size, MSG_NOSIGNAL) == static_cast<ssize_t>(size));
  }
};

bool is_known(const tunnel_address& address) {
  return address.family == TUNNEL_FAMILY_NONE || address.family == TUNNEL_FAMILY_IPV4 ||
         address.family == TUNNEL_FAMILY_IPV6;
}

template <std::size_t Size>
bool is_text(const std::array<char, Size>& text) {
  return text.back() == '\0' && std::all_of(text.begin(), text.end(), [](char c) {
           return c == '\0' || (c >= ' ' && c <= '~');
         });
}

}  // namespace

TEST_CASE("what arrives is what was said", "[channel]") {
  const Ends ends;
  Message said;
  said.word = Word::resolved;
  said.count = 1;
  said.addresses[0] = {TUNNEL_FAMILY_IPV4, 0, 51820, 0, {192, 0, 2, 1}};
  put_text(said.name, "vpn.example.org");
  REQUIRE(ends.theirs.send(said));
  Message heard;
  REQUIRE(ends.ours.receive(heard) == Channel::Got::message);
  CHECK(std::memcmp(&heard, &said, sizeof said) == 0);
  CHECK(ends.ours.receive(heard) == Channel::Got::nothing);
}

TEST_CASE("noise of the right size is harmless when it is looked at", "[channel]") {
  const Ends ends;
  std::mt19937 random(1);
  for (int i = 0; i < 20'000; ++i) {
    std::vector<std::uint8_t> noise(sizeof(Message));
    for (std::uint8_t& byte : noise) byte = static_cast<std::uint8_t>(random());
    if (i % 2 == 0) noise[1] = noise[2] = noise[3] = 0;  // or hardly any word would be known
    ends.send(noise.data(), noise.size());
    Message heard;
    REQUIRE(ends.ours.receive(heard) == Channel::Got::message);
    REQUIRE(heard.word <= Word::release);
    REQUIRE(heard.count <= heard.addresses.size());
    REQUIRE(heard.event.size == sizeof heard.event);
    REQUIRE(is_known(heard.event.address));
    REQUIRE(std::all_of(heard.addresses.begin(), heard.addresses.end(), is_known));
    REQUIRE((is_text(heard.name) && is_text(heard.reason)));
  }
}

TEST_CASE("what is no message is the end of the other side", "[channel]") {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, sizeof(Message) - 1,
                                 sizeof(Message) + 1, std::size_t{100'000}}) {
    CAPTURE(size);
    const Ends ends;
    const std::vector<char> bytes(size);
    ends.send(bytes.data(), size);
    Message heard;
    CHECK(ends.ours.receive(heard) == Channel::Got::closed);
  }
  Ends ends;
  ends.theirs.close();
  Message heard;
  CHECK(ends.ours.receive(heard) == Channel::Got::closed);
  CHECK_FALSE(ends.ours.try_send(heard));
}

TEST_CASE("who does not listen keeps nobody waiting", "[channel]") {
  const Ends ends;
  const Message message;
  int taken = 0;
  while (ends.ours.try_send(message)) ++taken;
  CHECK(taken > 0);
  CHECK_FALSE(ends.ours.try_send(message));
}
