// offload_linux.h — which offloads a TUN has, asked from the kernel and switched.
#pragma once

#include <cstddef>

#include "base/base.h"
#include "device/offloads.h"

namespace tunnel::device {

// Switches on what the kernel has: from now on reads give superpackets and packets whose checksum
// is left to us.
Offloads enable_offloads(int tun) noexcept;

// Packets that wait in the interface already may still be superpackets.
void disable_offloads(int tun) noexcept;

// Gives a TUN that was opened with IFF_VNET_HDR the short header, whatever its last user wanted.
base::Result<std::size_t> choose_header(int tun) noexcept;

// Size of the header of a TUN that somebody else configured. Nothing when it is none that we read.
base::Result<std::size_t> read_header_size(int tun) noexcept;

}  // namespace tunnel::device
