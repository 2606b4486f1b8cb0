# What the build links, found once. Debian ships libsodium with a .pc file only and Asio with
# neither .pc nor CMake file, so both become imported targets of our own.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium>=1.0.18)

# Its header only: the library is loaded when a core is made, where it is there (x86-64).
if(NOT TUNNEL_IPSEC_MB STREQUAL "OFF")
  find_path(TUNNEL_IPSEC_MB_INCLUDE intel-ipsec-mb.h)
  if(TUNNEL_IPSEC_MB_INCLUDE AND CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
    add_library(tunnel_ipsec_mb INTERFACE)
    target_include_directories(tunnel_ipsec_mb SYSTEM INTERFACE "${TUNNEL_IPSEC_MB_INCLUDE}")
    target_compile_definitions(tunnel_ipsec_mb INTERFACE TUNNEL_IPSEC_MB)
    target_link_libraries(tunnel_ipsec_mb INTERFACE ${CMAKE_DL_LIBS})
  elseif(TUNNEL_IPSEC_MB STREQUAL "ON")
    message(FATAL_ERROR "TUNNEL_IPSEC_MB is ON: intel-ipsec-mb.h was not found, or not x86-64")
  endif()
endif()

find_path(TUNNEL_ASIO_INCLUDE asio.hpp REQUIRED)
add_library(tunnel_asio INTERFACE)
target_include_directories(tunnel_asio SYSTEM INTERFACE "${TUNNEL_ASIO_INCLUDE}")
target_compile_definitions(tunnel_asio INTERFACE ASIO_STANDALONE ASIO_NO_DEPRECATED
                                                 ASIO_DISABLE_VISIBILITY=1)
target_link_libraries(tunnel_asio INTERFACE Threads::Threads)

if(TUNNEL_HOST)
  pkg_check_modules(MNL REQUIRED IMPORTED_TARGET libmnl)
  find_package(nlohmann_json 3 REQUIRED)
  # Its header only: the library is loaded when a tunnel first needs the packet filter.
  find_path(TUNNEL_NFTABLES_INCLUDE nftables/libnftables.h REQUIRED)
  add_library(tunnel_nftables INTERFACE)
  target_include_directories(tunnel_nftables SYSTEM INTERFACE "${TUNNEL_NFTABLES_INCLUDE}")
  target_link_libraries(tunnel_nftables INTERFACE ${CMAKE_DL_LIBS})
  pkg_check_modules(CARES REQUIRED IMPORTED_TARGET libcares>=1.16)
endif()

# ccache caches what includes a precompiled header only if it may be sloppy about time stamps.
find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND PROJECT_IS_TOP_LEVEL)
  set(launcher
      "${CMAKE_COMMAND}" -E env CCACHE_SLOPPINESS=pch_defines,time_macros CCACHE_NOHASHDIR=1
      "CCACHE_BASEDIR=${PROJECT_SOURCE_DIR}" "${CCACHE_PROGRAM}")
  set(CMAKE_CXX_COMPILER_LAUNCHER "${launcher}")
  set(CMAKE_C_COMPILER_LAUNCHER "${launcher}")
endif()
