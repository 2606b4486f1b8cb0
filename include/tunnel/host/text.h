/* tunnel/host/text.h - addresses and prefixes as people write them. Any thread.
 *
 * Texts are zero terminated. Scopes are interface names ("fe80::1%eth0"), or numbers when no
 * interface has the number. */
#ifndef TUNNEL_HOST_TEXT_H
#define TUNNEL_HOST_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include <tunnel/packet.h>
#include <tunnel/status.h>

TUNNEL_BEGIN_DECLS

#define TUNNEL_ADDRESS_TEXT_SIZE 80
#define TUNNEL_PREFIX_TEXT_SIZE 56

/* "192.0.2.1:51820", "[2001:db8::1]:51820"; without the port when it is 0; "(none)" for family
 * NONE. */
TUNNEL_API int32_t tunnel_address_to_text(const tunnel_address* address,
                                          char text[TUNNEL_ADDRESS_TEXT_SIZE]);

/* Reads what tunnel_address_to_text writes; never asks a name server. The port may be missing (0).
 * CONFIG for anything else. */
TUNNEL_API int32_t tunnel_address_from_text(const char* text, size_t length,
                                            tunnel_address* address);

/* "10.9.0.0/24". */
TUNNEL_API int32_t tunnel_prefix_to_text(const tunnel_prefix* prefix,
                                         char text[TUNNEL_PREFIX_TEXT_SIZE]);

/* Reads "10.9.0.1/24"; without a length it is 32 or 128. Host bits are kept. CONFIG for anything
 * else. */
TUNNEL_API int32_t tunnel_prefix_from_text(const char* text, size_t length, tunnel_prefix* prefix);

TUNNEL_END_DECLS

#endif
