#include "signing/cms.hpp"
