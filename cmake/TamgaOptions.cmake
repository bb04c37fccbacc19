# Options, compiler settings and the packages everything is built from.

option(TAMGA_WERROR "Treat warnings as errors (off in the package build)" ON)
option(TAMGA_PROGRAMS "Build the programs; off for fuzzing, which needs the libraries alone" ON)
option(TAMGA_TESTS "Build the tests, and the programs only they use; off in the package build" ON)
option(TAMGA_FUZZ "Build the libFuzzer targets (clang only)" OFF)
option(TAMGA_BENCH "Build the benchmarks" OFF)
set(TAMGA_SANITIZE "" CACHE STRING "Sanitizers for every target, as -fsanitize= takes them")

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CCACHE}")
endif()

include(GNUInstallDirs)
# Compiled in and installed to: absolute, so that `cmake --install --prefix` cannot make the two differ. DESTDIR may.
set(TAMGA_LIBEXEC_DIR "${CMAKE_INSTALL_FULL_LIBEXECDIR}/tamga")
set(TAMGA_DATA_DIR "${CMAKE_INSTALL_FULL_DATADIR}/tamga")

find_package(PkgConfig REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(LibXml2 REQUIRED)
find_package(Threads REQUIRED)
set(Boost_NO_WARN_NEW_VERSIONS ON)
find_package(Boost 1.81 EXACT REQUIRED COMPONENTS json)
pkg_check_modules(P11KIT REQUIRED IMPORTED_TARGET p11-kit-1)
pkg_check_modules(PCSCLITE REQUIRED libpcsclite)
pkg_check_modules(SECCOMP REQUIRED IMPORTED_TARGET libseccomp)
pkg_check_modules(SYSTEMD REQUIRED IMPORTED_TARGET libsystemd)
find_program(MSGFMT msgfmt REQUIRED)
find_program(XGETTEXT xgettext REQUIRED)

# The build id is the first thing the processes tell each other: a process of another build is ended, not talked to.
set(TAMGA_BUILD "" CACHE STRING "Names this build; empty: version and commit do. A package has its own version in it")
find_package(Git QUIET)
set(TAMGA_REVISION "unknown")
if(GIT_FOUND)
  execute_process(COMMAND "${GIT_EXECUTABLE}" describe --always --dirty --abbrev=12
    WORKING_DIRECTORY "${CMAKE_SOURCE_DIR}" OUTPUT_VARIABLE TAMGA_REVISION
    OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
endif()
set(TAMGA_BUILD_ID "${PROJECT_VERSION}-${TAMGA_REVISION}")
if(TAMGA_BUILD)
  set(TAMGA_BUILD_ID "${TAMGA_BUILD}")
endif()
