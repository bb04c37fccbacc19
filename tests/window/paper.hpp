// A letter on paper, as an office program would write it into a PDF: for looking at.
#pragma once

#include "base/bytes.hpp"
#include "base/text.hpp"

namespace tamga::testing {

/// A PDF of so many pages in that language, with its fonts in it, about nobody there is. A bar of pure blue lies at the
/// top of the first page, of pure red on the second, of pure green on the third.
Bytes paper(Language language, int pages);

/// The first page of it as a PNG.
Bytes photograph(Language language);

} // namespace tamga::testing
