// receive.cpp — whatever the kernel says about what it read: any lengths, segments, errors, slabs.
// Every datagram must come out once, in order, whole or marked as cut, in memory of its own.
#include "support/receiving.h"

#include "input.h"

namespace {

using namespace tunnel;

constexpr std::size_t kMostBytes = 256 << 10;

// Messages of the input: a kind, a length, a segment.
std::vector<test::Message> messages_of(fuzz::Input& input) {
  std::vector<test::Message> messages;
  std::size_t bytes = 0;
  while (!input.empty() && messages.size() < 200 && bytes < kMostBytes) {
    const auto fields = input.bytes<6>();
    test::Message message;
    message.bytes.resize(static_cast<std::size_t>(fields[0] | fields[1] << 8));
    for (std::size_t i = 0; i < message.bytes.size(); i += 64) {
      message.bytes[i] = static_cast<char>(messages.size() + i / 64);
    }
    message.port = fields[2];
    const int segment = fields[3] | fields[4] << 8;
    if (fields[5] % 4 == 1) message.segment = segment;
    if (fields[5] % 4 == 2) message.segment = -segment;
    if (fields[5] == 255) message.error = ECONNREFUSED;
    // What takes the slow reference for ever says nothing more than a thousand.
    if (message.segment > 0) {
      const auto most = static_cast<std::size_t>(message.segment) * 1000;
      message.bytes.resize(std::min(message.bytes.size(), most));
    }
    bytes += message.bytes.size();
    messages.push_back(std::move(message));
  }
  return messages;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const std::size_t slab_size = 64 + static_cast<std::size_t>(input.number() % (300 << 10));
  const std::uint32_t mtu = static_cast<std::uint32_t>(input.number() % 70'000);
  std::vector<tunnel_packet> packets(1 + input.byte() % 128);
  const bool trains = input.byte() % 4 != 0;
  auto messages = messages_of(input);

  std::vector<std::uint8_t> bytes(slab_size);
  const tunnel_slab slab{bytes.data(), slab_size, 16, 31, 16, mtu};
  std::vector<test::Datagram> expected, datagrams;
  for (auto& message : messages) {
    if (!trains) message.segment = 0;
    test::cut_up(message, transport::ReadSpace(slab).room(), expected);
  }
  test::waiting_messages = {messages.begin(), messages.end()};
  transport::ReceiveBatch batch(test::pretend_to_receive);
  batch.expect_trains(trains);
  for (std::size_t before = 1; datagrams.size() != before;) {
    before = datagrams.size();
    fuzz::expect(test::read_once(batch, slab, packets, datagrams), "packets lie apart");
  }
  fuzz::expect(datagrams == expected, "every datagram comes out once, in order");
  return 0;
}
