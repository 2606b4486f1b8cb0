// classify.cpp — any datagram: what classify() lets through can be read without looking again.
#include "input.h"
#include "protocol/wire.h"

namespace {

using namespace tunnel;
using namespace tunnel::protocol;

void read_data(base::Bytes datagram) {
  const auto header = read_data_header(datagram.data());
  fuzz::expect(header.receiver == receiver_index(datagram), "both readers agree on the receiver");
  std::uint8_t written[kDataHeaderSize];
  write_data_header(written, header);
  fuzz::expect(std::memcmp(written, datagram.data(), sizeof written) == 0,
               "a data header is written as it was read");
}

void check_padding(std::uint32_t length, std::uint32_t mtu) {
  const auto padded = padded_length(length, mtu);
  fuzz::expect(padded >= length && padded - length < 16, "padding adds less than 16 bytes");
  const bool fits = mtu == 0 || length > mtu || padded <= mtu;
  fuzz::expect(fits, "padding stays within the MTU");
  fuzz::expect(padded % 16 == 0 || mtu != 0, "padding is to 16 bytes");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const base::Bytes datagram(data, size);
  if (const auto type = classify(datagram)) {
    fuzz::expect(data[1] == 0 && data[2] == 0 && data[3] == 0, "reserved bytes are zero");
    (void)receiver_index(datagram);
    if (*type == MessageType::data) read_data(datagram);
    if (*type == MessageType::initiation) (void)sender_index(datagram);
  }
  fuzz::Input input(data, size);
  const auto sizes = input.number();
  check_padding(sizes & 0xffff, sizes >> 16 & 0xffff);
  return 0;
}
