// base.h — door of the room `base`: bytes, results, secrets, IP headers, slabs, tables,
// descriptors, and where exceptions stop.
#pragma once

#include "base/bytes.h"
#include "base/descriptor.h"
#include "base/guard.h"
#include "base/ip.h"
#include "base/result.h"
#include "base/secret.h"
#include "base/sized.h"
#include "base/slab.h"
#include "base/table.h"
#include "base/wiped_buffer.h"
