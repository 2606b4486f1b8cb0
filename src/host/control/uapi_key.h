// uapi_key.h — keys as the control protocol writes them: 64 hexadecimal digits.
#pragma once

#include <tunnel/keys.h>

#include <string_view>

#include "base/base.h"

namespace tunnel::host {

// False when the text is none. No branch or index depends on a digit: the key may be a secret.
bool read_key(std::string_view text, base::MutableBytesOf<TUNNEL_KEY_SIZE> key) noexcept;

}  // namespace tunnel::host
