// filter.h — the text of our packet filter tables.
#pragma once

#include <string>

#include "host/routing/choice.h"
#include "host/step/step.h"

namespace tunnel::host {

// The table of one tunnel: "ltun_wg0". Signs that names of tables may not have are spelt out.
std::string table_name(const std::string& tunnel);

// What packets meet besides routes: guards, marks, NAT. Empty when there is nothing to do.
std::string tunnel_table(const Request& request, const Choice& choice, const Machine& machine);

// Neighbours that ask for our hardware address meet a strict rp_filter as well: the way back to
// them is found by our mark.
bool needs_arp_mark(const Request& request, const Choice& choice) noexcept;
std::string arp_table(const Choice& choice);

// The block: what may leave the machine outside the tunnel, and nothing else.
std::string block_table(const Request& request, const Choice& choice, const Machine& machine);

}  // namespace tunnel::host
