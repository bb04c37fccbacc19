#include "signing/xml.hpp"
