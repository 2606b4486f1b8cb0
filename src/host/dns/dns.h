// dns.h — door of the room `host/dns`: name resolution of the machine while a tunnel is up.
//
// A ResolverStep is made with choose_backend(), and applied and undone with the three functions
// below. save_resolver() first: its one line of text goes to the journal, and is all that apply and
// undo need, also in another process after a crash.
#pragma once

#include <string>
#include <string_view>

#include "base/base.h"
#include "host/dns/detect.h"
#include "host/dns/places.h"
#include "host/dns/plan.h"
#include "host/step/step.h"
#include "host/system/system.h"

namespace tunnel::host {

base::Result<std::string> save_resolver(const ResolverStep& step, const DnsPlaces& places = {});
// A failure may leave something behind for undo_resolver().
Answer apply_resolver(const ResolverStep& step, std::string_view saved,
                      const DnsPlaces& places = {});
// No error when there is nothing left to undo, or what is there is somebody else's by now.
Answer undo_resolver(std::string_view saved, const DnsPlaces& places = {});

// Whether what apply_resolver() said is still there. True for what cannot be asked.
bool is_resolver_in_force(std::string_view saved, const DnsPlaces& places = {});

}  // namespace tunnel::host
