// base.h — door of the room `base`: bytes, results, secrets, IP headers.
#pragma once

#include "base/bytes.h"
#include "base/ip.h"
#include "base/result.h"
#include "base/secret.h"
