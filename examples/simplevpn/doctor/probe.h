// probe.h - one handshake, tried without an interface: nothing on the machine changes.
#pragma once

#include <tunnel/host/host.h>

#include "facts.h"

namespace simplevpn::doctor {

// From what a core and its engine counted.
void fill_counts(const tunnel_counters& core, const tunnel_engine_counters& engine, Counts& counts);

// Calls every peer whose endpoint is an address, for at most `patience_ms`, and fills in what was
// counted and who answered. Only for a tunnel that does not run: its peers would take us for it.
void probe(const tunnel_config* config, int patience_ms, Facts& facts);

}  // namespace simplevpn::doctor
