// inner_ip.cpp — headers of inside packets, which an authenticated but hostile peer chooses.
#include <cstdlib>

#include "base/base.h"

namespace {

// A broken promise ends the program, so that libFuzzer keeps the input.
void require(bool condition) {
  if (!condition) std::abort();
}

bool inside(tunnel::base::Bytes part, tunnel::base::Bytes whole) {
  return part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const tunnel::base::Bytes packet(data, size);
  const auto header = tunnel::base::read_ip_header(packet);
  if (header) {
    const bool ipv4 = header->family == TUNNEL_FAMILY_IPV4;
    const std::size_t width = ipv4 ? 4 : 16;
    require(ipv4 || header->family == TUNNEL_FAMILY_IPV6);
    require(header->total_length <= size);
    require(header->total_length >=
            (ipv4 ? tunnel::base::kIpv4HeaderSize : tunnel::base::kIpv6HeaderSize));
    require(header->source.size() == width && inside(header->source, packet));
    require(header->destination.size() == width && inside(header->destination, packet));
  }
  return 0;
}
