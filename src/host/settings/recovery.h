// recovery.h — undoes what a journal says: after a crash, at the next start or by `down --cleanup`.
#pragma once

#include <tunnel/host/settings.h>

#include <string>

#include "host/settings/changes.h"
#include "host/settings/journal.h"

namespace tunnel::host {

// The block is what stays up when its tunnel is gone (TableStep::survives).
enum class Block : std::uint8_t { kept, lifted };

// Undoes, last first, what was done in this boot and network namespace. Of what was done before the
// machine was started anew only files are left; what was done in another namespace is left alone.
// Goes on after a failure and reports the first one.
std::int32_t undo_journal(Journal& journal, Tools& tools, Block block,
                          tunnel_settings_fault& fault);

// The same for a tunnel whose daemon is dead. IN_USE when it lives.
std::int32_t clean_up(const std::string& directory, const std::string& name, Block block,
                      tunnel_settings_fault& fault);

void put_message(std::string_view text, tunnel_settings_fault& fault) noexcept;
// "ip -4 route add …: File exists"
void put_fault(const Step& step, const std::string& interface_name, const Answer& answer,
               tunnel_settings_fault& fault);

}  // namespace tunnel::host
