// catch.hpp — Catch2 v2 (Debian 12) or v3 (newer distributions) under one name.
#pragma once

#ifdef TUNNEL_CATCH_V3
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>
#endif
