# The one way libraries, programs and tests are declared, so that all of them look and are checked the same.

set(TAMGA_WARNINGS -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast
  -Wnon-virtual-dtor -Woverloaded-virtual -Wcast-align -Wformat=2)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  list(APPEND TAMGA_WARNINGS -Wduplicated-cond -Wlogical-op)
  if(CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    # At -O2 GCC 12 misjudges lengths in the standard library: std::string's operator+ (bug 105651), vector comparison.
    list(APPEND TAMGA_WARNINGS -Wno-restrict -Wno-stringop-overread)
    # At -Os it takes an std::optional that is looked at first for one that is not; the sanitizers' build keeps the warning.
    if(NOT TAMGA_SANITIZE)
      list(APPEND TAMGA_WARNINGS -Wno-maybe-uninitialized)
    endif()
  endif()
endif()
if(TAMGA_WERROR)
  list(APPEND TAMGA_WARNINGS -Werror)
endif()

function(_tamga_common target)
  target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:${TAMGA_WARNINGS}>)
  target_include_directories(${target} PRIVATE "${CMAKE_SOURCE_DIR}" "${CMAKE_BINARY_DIR}")
  if(TAMGA_SANITIZE)
    target_compile_options(${target} PRIVATE -fsanitize=${TAMGA_SANITIZE} -fno-omit-frame-pointer)
    target_link_options(${target} PRIVATE -fsanitize=${TAMGA_SANITIZE})
    if(TAMGA_SANITIZE MATCHES "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
      target_compile_options(${target} PRIVATE -Wno-tsan)  # Asio's atomic_thread_fence, which TSan does not model
    endif()
  else()
    # What a program is shipped without is not mapped beside what it uses.
    target_compile_options(${target} PRIVATE -ffunction-sections -fdata-sections)
    target_link_options(${target} PRIVATE -Wl,--gc-sections)
  endif()
endfunction()

# tamga_library(NAME SOURCES a.cpp ... LINKS tamga-base ... [PRIVATE_LINKS lib ...])
# The targets a library may link are what the `layers` test allows it.
function(tamga_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS;PRIVATE_LINKS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  _tamga_common(${name})
  target_link_libraries(${name} PUBLIC ${ARG_LINKS} PRIVATE ${ARG_PRIVATE_LINKS})
endfunction()

# tamga_program(NAME SOURCES main.cpp ... LINKS ...)
function(tamga_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  _tamga_common(${name})
  target_link_libraries(${name} PRIVATE ${ARG_LINKS})
  # Every symbol is looked up at the start, and the tables are read-only from then on.
  target_link_options(${name} PRIVATE LINKER:-z,relro,-z,now)
endfunction()

# tamga_test(NAME LABEL unit|softhsm|card|e2e SOURCES ... LINKS ...)
# One executable with GoogleTest's main; every TEST becomes a ctest entry that carries the label. ALONE: no other test
# runs at the same time, because these wait for what is painted.
function(tamga_test name)
  cmake_parse_arguments(ARG "ALONE" "LABEL;TIMEOUT" "SOURCES;LINKS;ENVIRONMENT" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 60)
  endif()
  add_executable(${name} ${ARG_SOURCES})
  _tamga_common(${name})
  target_link_libraries(${name} PRIVATE ${ARG_LINKS} GTest::gtest GTest::gtest_main)
  gtest_discover_tests(${name} DISCOVERY_TIMEOUT 30
    PROPERTIES LABELS "${ARG_LABEL}" TIMEOUT ${ARG_TIMEOUT} RUN_SERIAL ${ARG_ALONE} ENVIRONMENT "${ARG_ENVIRONMENT}")
endfunction()

# tamga_fuzz(NAME SOURCES ... LINKS ...): a libFuzzer target; its corpus lies in tests/fuzz/corpus/NAME.
function(tamga_fuzz name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS" ${ARGN})
  add_executable(fuzz_${name} ${ARG_SOURCES})
  _tamga_common(fuzz_${name})
  target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
  target_link_libraries(fuzz_${name} PRIVATE ${ARG_LINKS})
endfunction()
