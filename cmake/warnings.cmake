# What every target of the project is compiled with.
set(GROVE_WARNINGS
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion
  -Wstrict-prototypes -Wmissing-prototypes -Wcast-qual -Wcast-align
  -Wpointer-arith -Wwrite-strings -Wundef -Wvla -Wformat=2 -Wimplicit-fallthrough
  -Wnull-dereference -Wdouble-promotion)

function(grove_target_defaults target)
  target_compile_options(${target} PRIVATE ${GROVE_WARNINGS} $<$<BOOL:${GROVE_WERROR}>:-Werror>)
  target_compile_definitions(${target} PRIVATE _POSIX_C_SOURCE=200809L _DEFAULT_SOURCE)
  if(GROVE_TINY_LIMITS)
    target_compile_definitions(${target} PUBLIC GROVE_TINY_LIMITS)
  endif()
  if(GROVE_FUZZ)
    target_compile_options(${target} PUBLIC -fsanitize=fuzzer-no-link)
  endif()
  if(GROVE_SANITIZE)
    target_compile_options(${target} PUBLIC
      -fsanitize=${GROVE_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_link_options(${target} PUBLIC -fsanitize=${GROVE_SANITIZE})
  endif()
endfunction()
