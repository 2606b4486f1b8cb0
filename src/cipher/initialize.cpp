#include <sodium.h>

#include "cipher/cipher.h"

namespace tunnel::cipher {

bool initialize() noexcept {
  return sodium_init() >= 0;  // locks inside; 1 when it was done before
}

}  // namespace tunnel::cipher
