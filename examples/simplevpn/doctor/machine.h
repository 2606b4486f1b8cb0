// machine.h - what of the machine matters to a tunnel. Changes nothing.
#pragma once

#include <tunnel/host/config.h>

#include "facts.h"

namespace simplevpn::doctor {

void read_machine(Facts& facts);

// Of a server that runs from `config`: which chains of others drop what it forwards.
void read_forwarding(const tunnel_config* config, Facts& facts);

}  // namespace simplevpn::doctor
