// config.h — door of the room `host/config`: wg-quick files and the texts inside them.
#pragma once

#include "host/config/address_text.h"
#include "host/config/document.h"
#include "host/config/issue.h"
#include "host/config/key.h"
#include "host/config/line.h"
#include "host/config/model.h"
#include "host/config/next_address.h"
#include "host/config/parser.h"
#include "host/config/plain.h"
#include "host/config/read.h"
