// keys.h — the two secret keys as different Python types, so that they are not mixed up.
#pragma once

#include "binding.h"

namespace tunnel::python {

struct PrivateKey {
  Key key;
};

struct PresharedKey {
  Key key;
};

}  // namespace tunnel::python
