// system.h — door of the room `host/system`: errors of the system, files, exceptions, and
// the sizes of C structs. What every host room needs and none should write twice.
#pragma once

#include "host/system/answer.h"
#include "host/system/files.h"
#include "host/system/guard.h"
#include "host/system/locked_file.h"
#include "host/system/status.h"
