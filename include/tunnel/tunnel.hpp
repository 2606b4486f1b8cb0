// tunnel/tunnel.hpp - the C ABI for C++20: owners that close what they own, spans, results.
//
// Header-only, so it adds nothing to the ABI. What can fail returns the int32_t of the C function
// or a Result, which is a value or that number; nothing throws, except std::bad_alloc where a
// std::string is made. Owners are move-only. The C headers say what a call does; here stands only
// what C++ adds.
#ifndef TUNNEL_TUNNEL_HPP
#define TUNNEL_TUNNEL_HPP

#include <tunnel/tunnel.h>
#include <tunnel/cpp/address.hpp>
#include <tunnel/cpp/carrier.hpp>
#include <tunnel/cpp/core.hpp>
#include <tunnel/cpp/engine.hpp>
#include <tunnel/cpp/keys.hpp>
#include <tunnel/cpp/result.hpp>

#endif
