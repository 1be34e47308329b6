# Installation: headers, both libraries, the program and its manual pages, a
# CMake package and a pkg-config file. All of it may be moved afterwards.
include(CMakePackageConfigHelpers)

add_library(grove::grove ALIAS grove)
add_library(grove::grove_static ALIAS grove_static)
if(TARGET grove_contract)
  add_library(grove::grove_contract ALIAS grove_contract)
endif()
if(NOT GROVE_INSTALL)
  return()
endif()

# The pkg-config modules behind PkgConfig::NAME targets, one for each: what the
# static library's users have to link as well.
set(GROVE_PKG_PREFIXES zstd xxhash jansson sodium)
foreach(library ${GROVE_BACKEND_LIBRARIES})
  if(library MATCHES "^PkgConfig::(.*)$")
    list(APPEND GROVE_PKG_PREFIXES ${CMAKE_MATCH_1})
  endif()
endforeach()
list(REMOVE_DUPLICATES GROVE_PKG_PREFIXES)
set(GROVE_PKG_MODULES "")
foreach(prefix ${GROVE_PKG_PREFIXES})
  list(APPEND GROVE_PKG_MODULES ${${prefix}_MODULE_NAME})
endforeach()
list(JOIN GROVE_PKG_MODULES " " GROVE_PKG_REQUIRES)
list(JOIN GROVE_PKG_PREFIXES " " GROVE_PKG_PREFIXES_WORDS)

install(DIRECTORY include/grove DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        FILES_MATCHING PATTERN "*.h")
install(TARGETS grove EXPORT groveTargets)
install(TARGETS grove_static EXPORT groveStaticTargets)
if(GROVE_CONTRACT)
  install(FILES tests/contract/contract.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/grove)
  install(TARGETS grove_contract EXPORT groveContractTargets)
endif()
if(TARGET grove-cli)
  install(TARGETS grove-cli)
  install(DIRECTORY ${GROVE_MANUAL_FOLDER}/ DESTINATION ${CMAKE_INSTALL_MANDIR}/man1
          FILES_MATCHING PATTERN "*.1")
endif()

set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/grove)
install(EXPORT groveTargets NAMESPACE grove:: DESTINATION ${package_folder})
install(EXPORT groveStaticTargets NAMESPACE grove:: DESTINATION ${package_folder})
if(GROVE_CONTRACT)
  install(EXPORT groveContractTargets NAMESPACE grove:: DESTINATION ${package_folder})
endif()
configure_package_config_file(cmake/groveConfig.cmake.in groveConfig.cmake
  INSTALL_DESTINATION ${package_folder})
# Until 1.0 every minor version may break what stood before it.
write_basic_package_version_file(groveConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/groveConfig.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/groveConfigVersion.cmake
        DESTINATION ${package_folder})

file(RELATIVE_PATH GROVE_PREFIX_FROM_PC
  /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
configure_file(cmake/grove.pc.in grove.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/grove.pc
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
