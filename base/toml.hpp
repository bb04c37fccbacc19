// toml++ as this program uses it: compiled once (toml.cpp) and into the program, so that there is no shared library
// more to depend on; errors as values; and no assertions. Those of version 3.3 fail for texts that are merely wrong
// ("[[["), of which its parser, left alone, says what is wrong with them.
#pragma once

#define TOML_HEADER_ONLY 0
#define TOML_EXCEPTIONS 0
#define TOML_ASSERT(expr) static_cast<void>(0)
#include <toml++/toml.h>
