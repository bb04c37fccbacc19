#include "signing/certificate.hpp"
