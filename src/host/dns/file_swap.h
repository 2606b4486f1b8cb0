// file_swap.h — puts a text in the place of a file, and back what was there.
//
// By rename, so that a reader sees the old file or the new one; in place where a rename cannot be:
// on a bind mount, in a directory that is read-only. An immutable file stays as it is.
#pragma once

#include <string>
#include <string_view>

#include "host/dns/places.h"
#include "host/dns/saved_file.h"
#include "host/system/system.h"

namespace tunnel::host::dns {

// Removes what somebody who was killed had half written beside `path`.
void remove_unfinished(const std::string& path);

// Puts `text` where `before` was. A link is replaced, not followed, unless it cannot be replaced.
Answer put_text(const std::string& path, const SavedFile& before, std::string_view text);

// Puts `before` back where `ours` stands. Somebody else's content is left alone, and said so.
Answer put_back(const std::string& path, std::string_view ours, const SavedFile& before);

}  // namespace tunnel::host::dns
