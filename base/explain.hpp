// What went wrong and what to do next, said to the person. Used by the window and by the command line.
#pragma once

#include "base/error.hpp"
#include "base/text.hpp"

namespace tamga {

/// One or two sentences: what happened, and the next step. Total over Errc; the view lives as long as the program.
[[nodiscard]] std::string_view explain(Language language, Errc code) noexcept;

} // namespace tamga
