#include "engine/icmp.h"

#include <array>
#include <vector>

#include "support/catch.hpp"

using tunnel::base::Bytes;
using tunnel::engine::kUnreachableMax;
using tunnel::engine::TokenBucket;
using tunnel::engine::write_unreachable;

namespace {

constexpr std::size_t kUdpHeader = 8;

// 10.0.0.1 -> 10.9.9.9, UDP
std::vector<std::uint8_t> ipv4_packet(std::size_t payload = 100) {
  std::vector<std::uint8_t> packet(20 + kUdpHeader + payload, 0xab);
  const std::array<std::uint8_t, 20> header{0x45, 0, 0,  0, 0x12, 0x34, 0,  0, 64, 17,
                                            0,    0, 10, 0, 0,    1,    10, 9, 9,  9};
  std::copy(header.begin(), header.end(), packet.begin());
  tunnel::base::store_be16(&packet[2], static_cast<std::uint16_t>(packet.size()));
  return packet;
}

// fd00::1 -> fd00::9, `next` directly after the header
std::vector<std::uint8_t> ipv6_packet(std::uint8_t next = 17, std::size_t payload = 100) {
  std::vector<std::uint8_t> packet(40 + payload, 0);
  packet[0] = 0x60;
  tunnel::base::store_be16(&packet[4], static_cast<std::uint16_t>(payload));
  packet[6] = next;
  packet[7] = 64;
  packet[8] = packet[24] = 0xfd;
  packet[23] = 1;
  packet[39] = 9;
  return packet;
}

struct Answer {
  std::array<std::uint8_t, kUnreachableMax> bytes{};
  std::size_t length = 0;

  Bytes all() const { return Bytes(bytes).first(length); }
};

Answer answer_to(const std::vector<std::uint8_t>& packet) {
  Answer answer;
  answer.length = write_unreachable(packet, answer.bytes);
  return answer;
}

// A checksum over bytes that hold a right checksum comes out as zero.
std::uint16_t icmpv6_sum(Bytes packet) {
  std::vector<std::uint8_t> pseudo(packet.begin() + 8, packet.begin() + 40);
  pseudo.insert(pseudo.end(), {0, 0, packet[4], packet[5], 0, 0, 0, 58});
  pseudo.insert(pseudo.end(), packet.begin() + 40, packet.end());
  return tunnel::base::internet_checksum(pseudo);
}

}  // namespace

TEST_CASE("an IPv4 packet without a way is answered with host unreachable", "[engine][icmp]") {
  const auto packet = ipv4_packet();
  const auto answer = answer_to(packet);

  REQUIRE(answer.length == 28 + packet.size());
  const auto header = tunnel::base::read_ip_header(answer.all());
  REQUIRE(header);
  CHECK(header->total_length == answer.length);
  CHECK(std::equal(header->source.begin(), header->source.end(), &packet[16]));
  CHECK(std::equal(header->destination.begin(), header->destination.end(), &packet[12]));
  CHECK(answer.bytes[9] == 1);
  CHECK(answer.bytes[20] == 3);
  CHECK(answer.bytes[21] == 1);
  CHECK(tunnel::base::internet_checksum(answer.all().first(20)) == 0);
  CHECK(tunnel::base::internet_checksum(answer.all().subspan(20)) == 0);
  CHECK(std::equal(packet.begin(), packet.end(), &answer.bytes[28]));
}

TEST_CASE("an IPv6 packet without a way is answered with address unreachable", "[engine][icmp]") {
  const auto packet = ipv6_packet();
  const auto answer = answer_to(packet);

  REQUIRE(answer.length == 48 + packet.size());
  const auto header = tunnel::base::read_ip_header(answer.all());
  REQUIRE(header);
  CHECK(header->total_length == answer.length);
  CHECK(std::equal(header->source.begin(), header->source.end(), &packet[24]));
  CHECK(std::equal(header->destination.begin(), header->destination.end(), &packet[8]));
  CHECK(answer.bytes[6] == 58);
  CHECK(answer.bytes[40] == 1);
  CHECK(answer.bytes[41] == 3);
  CHECK(icmpv6_sum(answer.all()) == 0);
  CHECK(std::equal(packet.begin(), packet.end(), &answer.bytes[48]));
}

TEST_CASE("an answer quotes no more than its protocol allows", "[engine][icmp]") {
  CHECK(answer_to(ipv4_packet(1400)).length == 576);
  const auto ipv6 = answer_to(ipv6_packet(17, 1400));
  CHECK(ipv6.length == kUnreachableMax);
  CHECK(icmpv6_sum(ipv6.all()) == 0);
  CHECK(answer_to(ipv4_packet(0)).length == 28 + 28);
}

TEST_CASE("padding behind an inside packet is not quoted", "[engine][icmp]") {
  auto packet = ipv4_packet(100);
  packet.resize(packet.size() + 8);
  CHECK(answer_to(packet).length == 28 + 128);
}

TEST_CASE("an ICMP error is never answered, a question is", "[engine][icmp]") {
  const auto [type, answered] = GENERATE(table<int, bool>(
      {{0, true}, {3, false}, {4, false}, {5, false}, {8, true}, {11, false}, {12, false}}));
  auto packet = ipv4_packet();
  packet[9] = 1;
  packet[20] = static_cast<std::uint8_t>(type);
  CHECK((answer_to(packet).length != 0) == answered);
}

TEST_CASE("an ICMPv6 error is never answered, a question is", "[engine][icmp]") {
  const auto [type, answered] = GENERATE(table<int, bool>(
      {{1, false}, {2, false}, {127, false}, {128, true}, {129, true}, {137, false}}));
  auto packet = ipv6_packet(58);
  packet[40] = static_cast<std::uint8_t>(type);
  CHECK((answer_to(packet).length != 0) == answered);
}

TEST_CASE("an ICMPv6 error behind extension headers is found", "[engine][icmp]") {
  auto packet = ipv6_packet(0);  // hop-by-hop options, then destination options, then ICMPv6
  packet[40] = 60;
  packet[48] = 58;
  packet[49] = 1;  // 16 bytes
  packet[64] = 1;  // destination unreachable
  CHECK(answer_to(packet).length == 0);
  packet[64] = 128;  // echo request
  CHECK(answer_to(packet).length != 0);
}

TEST_CASE("extension headers that lead out of the packet are not followed", "[engine][icmp]") {
  auto packet = ipv6_packet(0, 8);
  packet[40] = 60;
  packet[41] = 255;
  CHECK(answer_to(packet).length == 0);
}

TEST_CASE("only the first fragment is answered", "[engine][icmp]") {
  auto ipv4 = ipv4_packet();
  ipv4[6] = 0x20;  // more fragments
  CHECK(answer_to(ipv4).length != 0);
  ipv4[7] = 1;
  CHECK(answer_to(ipv4).length == 0);

  auto ipv6 = ipv6_packet(44);
  ipv6[40] = 17;
  ipv6[43] = 1;  // more fragments
  CHECK(answer_to(ipv6).length != 0);
  ipv6[43] = 8;
  CHECK(answer_to(ipv6).length == 0);
}

TEST_CASE("addresses that are not one node's are not answered", "[engine][icmp]") {
  const auto first_byte = GENERATE(0, 127, 224, 239, 240, 255);
  auto from = ipv4_packet();
  from[12] = static_cast<std::uint8_t>(first_byte);
  CHECK(answer_to(from).length == 0);
  auto to = ipv4_packet();
  to[16] = static_cast<std::uint8_t>(first_byte);
  CHECK(answer_to(to).length == 0);
}

TEST_CASE("IPv6 multicast, loopback and the unspecified address are not answered",
          "[engine][icmp]") {
  auto multicast = ipv6_packet();
  multicast[24] = 0xff;
  CHECK(answer_to(multicast).length == 0);
  auto unspecified = ipv6_packet();
  unspecified[8] = unspecified[23] = 0;
  CHECK(answer_to(unspecified).length == 0);
  unspecified[23] = 1;
  CHECK(answer_to(unspecified).length == 0);
}

TEST_CASE("what is not an IP packet is not answered", "[engine][icmp]") {
  CHECK(answer_to({}).length == 0);
  CHECK(answer_to({0x45, 0, 0}).length == 0);
  CHECK(answer_to(std::vector<std::uint8_t>(100, 0x15)).length == 0);
}

TEST_CASE("answers come in a burst and then at their rate", "[engine][icmp]") {
  constexpr std::uint64_t kStart = 1'000'000'000'000;
  constexpr std::uint64_t kMillisecond = 1'000'000;
  TokenBucket bucket(1000, 50);
  for (int i = 0; i < 50; ++i) CHECK(bucket.take(kStart));
  CHECK_FALSE(bucket.take(kStart));
  CHECK_FALSE(bucket.take(kStart + kMillisecond - 1));
  CHECK(bucket.take(kStart + kMillisecond));
  CHECK_FALSE(bucket.take(kStart + kMillisecond));
  for (int i = 0; i < 50; ++i) CHECK(bucket.take(kStart + 1000 * kMillisecond));
  CHECK_FALSE(bucket.take(kStart + 1000 * kMillisecond));
}
