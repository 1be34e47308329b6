# grove_add_backend(NAME [LIBRARY ...]): compiles backends/NAME/*.c into the
# library. The folder defines `const grove_backend grove_backend_NAME`; the
# generated registry makes it known by its name, and tests/ run the contract
# suite on it as `ctest -L contract-NAME`.
set(GROVE_BACKENDS "")
set(GROVE_BACKEND_OBJECTS "")
set(GROVE_BACKEND_LIBRARIES "")

macro(grove_add_backend name)
  file(GLOB backend_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/backends/${name}/*.c)
  add_library(grove_backend_${name} OBJECT ${backend_sources})
  target_include_directories(grove_backend_${name} PRIVATE ${PROJECT_SOURCE_DIR}/include)
  target_link_libraries(grove_backend_${name} PRIVATE ${ARGN})
  grove_target_defaults(grove_backend_${name})
  list(APPEND GROVE_BACKENDS ${name})
  list(APPEND GROVE_BACKEND_OBJECTS $<TARGET_OBJECTS:grove_backend_${name}>)
  list(APPEND GROVE_BACKEND_LIBRARIES ${ARGN})
endmacro()

# Writes the table behind grove_backend_find and grove_backend_name.
function(grove_finish_backends)
  set(declarations "")
  set(entries "")
  foreach(name ${GROVE_BACKENDS})
    string(APPEND declarations "extern const grove_backend grove_backend_${name};\n")
    string(APPEND entries "    &grove_backend_${name},\n")
  endforeach()
  configure_file(${PROJECT_SOURCE_DIR}/cmake/backend_registry.c.in
                 ${PROJECT_BINARY_DIR}/backend_registry.c @ONLY)
  target_sources(grove_objects PRIVATE ${PROJECT_BINARY_DIR}/backend_registry.c)
endfunction()
