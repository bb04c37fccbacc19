#include "protocol/ncalayer/ncalayer.hpp"
