# The contract suite as a library, for authors of backends here and elsewhere:
# see tests/contract/contract.h, which is installed as grove/contract.h.
if(GROVE_TESTS)
  set(GROVE_CONTRACT ON)
endif()
if(NOT GROVE_CONTRACT)
  return()
endif()

set(contract_folder ${PROJECT_SOURCE_DIR}/tests/contract)
file(GLOB contract_sources CONFIGURE_DEPENDS ${contract_folder}/*.c)
list(FILTER contract_sources EXCLUDE REGEX "/(test_[^/]*|contract_runner|broken_[^/]*)\\.c$")
add_library(grove_contract STATIC ${contract_sources})
target_include_directories(grove_contract PUBLIC
  $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
  $<BUILD_INTERFACE:${contract_folder}>
  $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
# It also needs libgrove, shared or static: whichever the program links.
target_link_libraries(grove_contract PUBLIC Threads::Threads)
grove_target_defaults(grove_contract)
