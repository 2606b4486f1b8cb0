# What `cmake --install` puts where. libtunnel-host stays uninstalled until its ABI has settled.
include(CMakePackageConfigHelpers)
set(tunnel_package "${CMAKE_INSTALL_LIBDIR}/cmake/tunnel")

# Two export sets: a consumer of the shared library needs no libsodium, so the static one stands in
# a file of its own.
install(TARGETS tunnel EXPORT tunnelTargets)
install(TARGETS tunnel_static EXPORT tunnelStaticTargets)
foreach(set IN ITEMS tunnelTargets tunnelStaticTargets)
  install(EXPORT ${set} NAMESPACE tunnel:: DESTINATION "${tunnel_package}")
endforeach()

install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/tunnel"
  DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
  FILES_MATCHING PATTERN "*.h" PATTERN "*.hpp" PATTERN host EXCLUDE)

configure_package_config_file("${CMAKE_CURRENT_LIST_DIR}/tunnelConfig.cmake.in"
  "${PROJECT_BINARY_DIR}/tunnelConfig.cmake" INSTALL_DESTINATION "${tunnel_package}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/tunnelConfigVersion.cmake"
  COMPATIBILITY SameMinorVersion)  # SameMajorVersion from 1.0 on
install(FILES "${PROJECT_BINARY_DIR}/tunnelConfig.cmake"
              "${PROJECT_BINARY_DIR}/tunnelConfigVersion.cmake"
  DESTINATION "${tunnel_package}")

# The .pc file finds its prefix from where it lies, so an installed tree may be moved.
file(RELATIVE_PATH tunnel_up "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
configure_file("${CMAKE_CURRENT_LIST_DIR}/tunnel.pc.in" "${PROJECT_BINARY_DIR}/tunnel.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/tunnel.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")

install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" DESTINATION "${CMAKE_INSTALL_DOCDIR}")
if(TARGET simplevpn)
  install(TARGETS simplevpn)
endif()
