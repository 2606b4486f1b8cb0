// catch_header.cpp — nothing of its own: carries the precompiled header of the test programs.
#include "support/catch.hpp"
