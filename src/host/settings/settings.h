// settings.h — door of the room `host/settings`: plans, and how they are applied and undone.
#pragma once

#include "host/settings/applier.h"
#include "host/settings/journal.h"
#include "host/settings/plan.h"
#include "host/settings/recovery.h"
#include "host/settings/watch.h"
#include "host/step/step.h"
