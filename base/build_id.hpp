// Which build this is: two processes of different builds do not talk to each other.
#pragma once

namespace tamga {

extern char const* const version;  ///< "0.1.0"
extern char const* const build_id; ///< the version and the commit it was built from

} // namespace tamga
