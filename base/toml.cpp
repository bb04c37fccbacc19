// The one place toml++ is compiled in: twenty seconds of compiler for each that would repeat it.
#define TOML_IMPLEMENTATION
#include "base/toml.hpp"
