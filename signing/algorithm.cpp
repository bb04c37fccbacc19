#include "signing/algorithm.hpp"
