# grove_add_test(ROOM [LIBRARY ...]): tests/ROOM/test_*.c become one Criterion
# program test-ROOM, run through scripts/run-test under the label ROOM.
function(grove_add_test room)
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/${room}/*.c)
  if(NOT sources)
    return()
  endif()
  add_executable(test-${room} ${sources})
  target_include_directories(test-${room} PRIVATE
    ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/tests)
  target_link_libraries(test-${room} PRIVATE grove_static PkgConfig::criterion ${ARGN})
  grove_target_defaults(test-${room})
  target_compile_definitions(test-${room} PRIVATE GROVE_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  add_test(NAME ${room} COMMAND ${PROJECT_SOURCE_DIR}/scripts/run-test $<TARGET_FILE:test-${room}>)
  set_tests_properties(${room} PROPERTIES
    LABELS ${room} TIMEOUT 600 SKIP_RETURN_CODE 77)
endfunction()
