/* tunnel/host/host.h - everything libtunnel-host offers: what a tunnel needs of the machine.
 *
 * config     read and check a wg-quick file
 * edit       change such a file, its comments kept
 * dns        who answers for names on this machine, and who does without the tunnel
 * resolver   endpoints that are host names, looked up off the packet thread
 * settings   addresses, MTU and routes: plan, apply, undo
 * control    the WireGuard control socket, both ends
 * events     what happens to a tunnel, over that socket
 * state      last endpoints on disk, so that a restarted node finds its peers at once
 * text       addresses and prefixes as people write them
 *
 * The order of a daemon's life, each step undone in reverse:
 *
 *   tunnel_config_read          parse; nothing changed on the machine so far
 *   tunnel_settings_plan        may still refuse the file, with its position
 *   tunnel_core_create, tunnel_config_apply, tunnel_state_open, tunnel_state_apply
 *   tunnel_tun_open, tunnel_udp_open, tunnel_engine_create
 *   tunnel_control_open         refuses when another daemon has this name; see also
 *                               tunnel_control_file_create
 *   tunnel_settings_apply       rolls itself back when a step fails
 *   tunnel_resolver_create, tunnel_resolver_add_config; reports go to tunnel_control_looked_up
 *   tunnel_engine_run           events go to tunnel_resolver_event, tunnel_state_event and
 *                               tunnel_control_event
 *   tunnel_resolver_destroy, tunnel_settings_undo, tunnel_control_detach,
 *   tunnel_engine_destroy, tunnel_state_destroy, tunnel_control_close, tunnel_config_destroy */
#ifndef TUNNEL_HOST_HOST_H
#define TUNNEL_HOST_HOST_H

#include <tunnel/host/config.h>
#include <tunnel/host/control.h>
#include <tunnel/host/dns.h>
#include <tunnel/host/edit.h>
#include <tunnel/host/events.h>
#include <tunnel/host/resolver.h>
#include <tunnel/host/settings.h>
#include <tunnel/host/state.h>
#include <tunnel/host/text.h>

#endif
