#include "signing/to_be_signed.hpp"
