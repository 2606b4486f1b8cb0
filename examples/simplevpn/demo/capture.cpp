#include "capture.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <functional>

#include "ping.h"
#include "topology.h"

namespace simplevpn::demo {
namespace {

// The kernel writes into a ring that it shares with us, so nobody has to read along: there is room
// for 32 MiB. A block is handed over when it is full or this old, so the ring also has an end in
// time: not before 7 s.
constexpr std::size_t kBlockSize = std::size_t{1} << 17;  // twice the largest packet
constexpr std::size_t kBlocks = 256;
constexpr unsigned kHandOver_ms = 30;

constexpr std::size_t kUdpHeader = 8;

// Nothing is received before the ring is there: protocol 0 until bind().
int open_packet_socket() {
  return socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

bool make_ring(int handle) {
  const int version = TPACKET_V3;
  tpacket_req3 request{};
  request.tp_block_size = kBlockSize;
  request.tp_block_nr = kBlocks;
  request.tp_frame_size = 1 << 11;
  request.tp_frame_nr = request.tp_block_size / request.tp_frame_size * request.tp_block_nr;
  request.tp_retire_blk_tov = kHandOver_ms;
  return setsockopt(handle, SOL_PACKET, PACKET_VERSION, &version, sizeof version) == 0 &&
         setsockopt(handle, SOL_PACKET, PACKET_RX_RING, &request, sizeof request) == 0;
}

bool receive_from_everywhere(int handle, std::uint16_t protocol) {
  sockaddr_ll all{};
  all.sll_family = AF_PACKET;
  all.sll_protocol = htons(protocol);
  return bind(handle, reinterpret_cast<const sockaddr*>(&all), sizeof all) == 0;
}

const sockaddr_ll& source_of(const tpacket3_hdr& header) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(&header);
  constexpr std::size_t kAlignment = TPACKET_ALIGNMENT;
  constexpr std::size_t kOffset = (sizeof header + kAlignment - 1) / kAlignment * kAlignment;
  return *reinterpret_cast<const sockaddr_ll*>(bytes + kOffset);
}

void read_block(const tpacket_block_desc& block, std::vector<Packet>& packets) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(&block);
  std::size_t offset = block.hdr.bh1.offset_to_first_pkt;
  for (std::uint32_t i = 0; i < block.hdr.bh1.num_pkts; ++i) {
    const auto& header = *reinterpret_cast<const tpacket3_hdr*>(bytes + offset);
    const sockaddr_ll& source = source_of(header);
    if (source.sll_pkttype != PACKET_OUTGOING) {
      const std::uint8_t* data = bytes + offset + header.tp_net;
      const double seconds = header.tp_sec + header.tp_nsec * 1e-9;
      packets.push_back({seconds, ntohs(source.sll_protocol), {data, data + header.tp_snaplen}});
    }
    offset += header.tp_next_offset;
  }
}

std::size_t ip_header_size(const std::vector<std::uint8_t>& packet) {
  return (packet[0] & 15u) * 4u;
}

std::uint16_t port_at(const std::vector<std::uint8_t>& packet, std::size_t offset) {
  return static_cast<std::uint16_t>(packet[offset] << 8 | packet[offset + 1]);
}

}  // namespace

Capture::Capture(const Host& host) : socket_(host.open_socket(open_packet_socket)) {
  if (!socket_.valid() || !make_ring(socket_.get())) return;
  void* memory =
      mmap(nullptr, kBlockSize * kBlocks, PROT_READ | PROT_WRITE, MAP_SHARED, socket_.get(), 0);
  if (memory == MAP_FAILED) return;
  ring_ = static_cast<std::uint8_t*>(memory);
  if (receive_from_everywhere(socket_.get(), ETH_P_ALL)) return;
  munmap(ring_, kBlockSize * kBlocks);
  ring_ = nullptr;
}

Capture::~Capture() {
  if (ring_ != nullptr) munmap(ring_, kBlockSize * kBlocks);
}

std::vector<Packet> Capture::stop() {
  std::vector<Packet> packets;
  for (std::size_t i = 0; i < kBlocks; ++i) {
    auto& block = *reinterpret_cast<tpacket_block_desc*>(ring_ + i * kBlockSize);
    const auto handed_over = [&block] {
      return (__atomic_load_n(&block.hdr.bh1.block_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER) != 0;
    };
    // The last one is open until its time has run out; an empty one is never handed over.
    if (!wait_until(kHandOver_ms * 3e-3, 1, handed_over)) break;
    read_block(block, packets);
  }
  tpacket_stats_v3 statistics{};
  socklen_t length = sizeof statistics;
  getsockopt(socket_.get(), SOL_PACKET, PACKET_STATISTICS, &statistics, &length);
  lost_ = statistics.tp_drops;
  return packets;
}

bool Packet::is_tunnel() const {
  if (protocol != ETH_P_IP || bytes.size() < 20 || bytes[9] != IPPROTO_UDP) return false;
  const std::size_t udp = ip_header_size(bytes);
  if (bytes.size() < udp + kUdpHeader) return false;
  return port_at(bytes, udp) == kServerPort || port_at(bytes, udp + 2) == kServerPort;
}

std::uint8_t Packet::message_type() const {
  const std::size_t message = message_offset();
  return is_tunnel() && bytes.size() > message ? bytes[message] : 0;
}

std::size_t Packet::message_offset() const {
  return ip_header_size(bytes) + kUdpHeader;
}

bool Packet::has_marker() const {
  const std::boyer_moore_horspool_searcher searcher(kMarker, kMarker + sizeof kMarker - 1);
  return std::search(bytes.begin(), bytes.end(), searcher) != bytes.end();
}

bool Packet::is_housekeeping() const {
  if (protocol == ETH_P_ARP) return true;
  if (protocol != ETH_P_IPV6 || bytes.size() < 40) return false;
  // Link-local or multicast destination: it does not leave the cable.
  return bytes[24] == 0xff || (bytes[24] == 0xfe && (bytes[25] & 0xc0) == 0x80);
}

}  // namespace simplevpn::demo
