// commands.h - what each command needs, and what it does. Every one returns its exit status.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data_path.h"
#include "output.h"
#include "plain.h"
#include "routing.h"

namespace simplevpn {

// As `wg genkey`, `wg genpsk` and `wg pubkey`.
int genkey(const Output& output);
int genpsk(const Output& output);
int pubkey(const Output& output);

struct InitServer {
  std::string file = "server.conf";  // "-" = standard output
  std::vector<std::string> nets;     // inside networks; the server takes their first address
  std::string endpoint;              // HOST:PORT under which clients reach it; may be empty
  std::string client;                // also write this file, for a first client; may be empty
};
int init_server(const InitServer& options, const Output& output);

struct InitClient {
  std::string file = "client.conf";
  std::string endpoint;
  std::string server_key;
  std::vector<std::string> addresses;
};
int init_client(const InitClient& options, const Output& output);

struct PeerAdd {
  std::string name;
  std::string config = "server.conf";  // as `init server` writes it
  std::string out;                     // file of the client's configuration; "" = print it
  std::string qr;                      // small, large, ascii; "" = no QR code
  std::string public_key;              // of a client that made its own; "" = make a pair
  std::string endpoint;                // "" = what `init` wrote into the file
  std::string dns;
  std::vector<std::string> allowed;  // empty = the networks of the server
  bool psk = false;
};
int peer_add(const PeerAdd& options, const Output& output);

struct PeerChange {
  std::string name;  // friendly name or public key
  std::string new_name;
  std::string config = "server.conf";
};
int peer_remove(const PeerChange& options, const Output& output);
int peer_rename(const PeerChange& options, const Output& output);
int peer_list(const PeerChange& options, const Output& output);

struct Up {
  std::string config;  // a path, or a bare name: /etc/wireguard/NAME.conf
  bool foreground = false;
  bool no_hooks = false;
  std::string dns_backend = "auto";
  bool dry_run = false;  // print what would be changed, and change nothing
  double wait_s = 0;     // in the background: for a handshake
  bool json_log = false;
  int verbosity = 0;  // -1 errors and warnings, 0 also information, 1 also details
  Plain plain;        // `server` and `client` only
  Routing routing;
  DataPath data_path;
};
int up(const Up& options, const Output& output);

// A bare interface, to be set up through its control socket.
struct Tun {
  std::string name;
  bool foreground = false;
  bool json_log = false;
  bool verbose = false;  // more than LOG_LEVEL says
  DataPath data_path;
};
int tun(const Tun& options, const Output& output);

int reload(const std::string& file, const Output& output);  // of a tunnel that runs

struct Down {
  std::string target;     // a tunnel's name or its file
  bool no_hooks = false;  // neither hooks nor SaveConfig
  bool cleanup = false;   // clean_up() instead
};
int down(const Down& options, const Output& output);

// Undoes what a daemon that died has left, all but the block; "" = of every tunnel.
int clean_up(const std::string& target, const Output& output);
// The same, and the block.
int unblock(const std::string& target, const Output& output);
// Where the peers of a tunnel were; "" = of every dead one.
int forget_endpoints(const std::string& name, const Output& output);

// A file, or the name of one; see find_target.
int check(const std::string& file, const Output& output);
int strip(const std::string& file, const Output& output);
int save(const std::string& file, const Output& output);  // of a tunnel that runs

struct Status {
  std::string target;  // "" = every tunnel
  std::string peer;    // friendly name or public key; "" = every peer
  std::string check;   // live, ready, handshake; "" = show
  double watch_s = 0;  // show again after so many seconds, 0 = once
  double wait_s = 0;   // with `check`: try for so long
};
int status(const Status& options, const Output& output);

struct Events {
  std::string target;  // "" = every tunnel that runs
  std::string since;   // "all", "10m", a time of RFC 3339; "" = only what is to come
};
int events(const Events& options, const Output& output);

// Looks for what is wrong with a tunnel; 7 when something is.
struct Examine {
  std::string target;  // a file or a name; "" = the machine and all that run
  std::string peer;    // only the way to this one: friendly name or public key; "" = to every peer
};
int examine(const Examine& options, const Output& output);

int version(const Output& output);
int ciphers(const Output& output);  // takes a few milliseconds each

}  // namespace simplevpn
