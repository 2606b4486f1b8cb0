/* tunnel/tunnel.h - everything libtunnel offers.
 *
 * keys       make, read and print keys
 * core       a whole tunnel without I/O: create, set_peer, seal, open, poll
 * cipher     the AEAD as a table
 * router     who owns a packet, as a table
 * device     where inside packets come from: Linux TUN, memory pair, your own
 * transport  what carries datagrams: UDP, memory pair, your own
 * engine     runs the four on one thread */
#ifndef TUNNEL_TUNNEL_H
#define TUNNEL_TUNNEL_H

#include <tunnel/cipher.h>
#include <tunnel/core.h>
#include <tunnel/device.h>
#include <tunnel/engine.h>
#include <tunnel/keys.h>
#include <tunnel/packet.h>
#include <tunnel/router.h>
#include <tunnel/status.h>
#include <tunnel/transport.h>

#endif
