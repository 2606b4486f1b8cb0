// recovery.h — undoes what a journal says: after a crash, at the next start or by `down --cleanup`.
#pragma once

#include <tunnel/host/settings.h>

#include <optional>
#include <string>

#include "host/settings/changes.h"
#include "host/settings/journal.h"

namespace tunnel::host {

// The block is what stays up when its tunnel is gone (TableStep::survives).
enum class Block : std::uint8_t { kept, lifted };

// ---- what tunnels share: kernel settings that several of them want

// While it lives no other tunnel here takes or undoes such a step. Waits. Nothing for other steps.
base::Descriptor turn_for(const Journal& journal, const Step& step);

// What was there before the first of the other tunnels here that has taken this step, too.
std::optional<std::string> before_of_others(const Journal& journal, const Step& step);

// Undoes a step of the journal and ends its record. What others have taken, too, stays: the last of
// them brings it back.
Answer undo_record(Journal& journal, Tools& tools, const Record& record);

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
