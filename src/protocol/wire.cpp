#include "protocol/wire.h"

#include <algorithm>

namespace tunnel::protocol {

namespace {

constexpr std::uint32_t kPaddingMultiple = 16;

constexpr std::uint32_t round_up(std::uint32_t length) noexcept {
  return (length + kPaddingMultiple - 1) & ~(kPaddingMultiple - 1);
}

bool has_length_of(MessageType type, std::size_t length) noexcept {
  switch (type) {
    case MessageType::initiation:
      return length == kInitiationSize;
    case MessageType::response:
      return length == kResponseSize;
    case MessageType::cookie:
      return length == kCookieReplySize;
    case MessageType::data:
      return length >= kDataOverhead;
  }
  return false;
}

}  // namespace

std::optional<MessageType> classify(base::Bytes datagram) noexcept {
  if (datagram.size() < 4) return std::nullopt;
  // Type and reserved bytes as one number: a reserved byte that is set is another, unknown type.
  const std::uint32_t number = base::load_le32(datagram.data());
  if (number < 1 || number > 4) return std::nullopt;
  const auto type = static_cast<MessageType>(number);
  if (!has_length_of(type, datagram.size())) return std::nullopt;
  return type;
}

std::uint32_t sender_index(base::Bytes message) noexcept {
  return base::load_le32(&message[4]);
}

std::uint32_t receiver_index(base::Bytes message) noexcept {
  const bool response = message[0] == static_cast<std::uint8_t>(MessageType::response);
  return base::load_le32(&message[response ? 8 : 4]);
}

DataHeader read_data_header(const std::uint8_t* datagram) noexcept {
  return {base::load_le32(datagram + 4), base::load_le64(datagram + 8)};
}

void write_data_header(std::uint8_t* datagram, DataHeader header) noexcept {
  base::store_le32(datagram, static_cast<std::uint32_t>(MessageType::data));
  base::store_le32(datagram + 4, header.receiver);
  base::store_le64(datagram + 8, header.counter);
}

std::uint32_t padded_length(std::uint32_t length, std::uint32_t mtu) noexcept {
  if (mtu == 0) return round_up(length);
  const std::uint32_t last_unit = length > mtu ? length % mtu : length;
  return length - last_unit + std::min(mtu, round_up(last_unit));
}

}  // namespace tunnel::protocol
