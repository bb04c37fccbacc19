// What makes a prompt that was started ahead of its request quick when it comes.
#pragma once

namespace tamga::prompt {

/// Does once, with a certificate that nobody has, what is done with each request's: reads, judges and words it. What is
/// loaded or looked up at the first time is then there. Blocking, about a millisecond; changes nothing.
void rehearse();

} // namespace tamga::prompt
