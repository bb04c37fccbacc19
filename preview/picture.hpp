// From a document to a picture of one of its pages. What is called here was written to be fast, not to be safe from
// whoever wrote the document: nothing of it may run outside the sandbox.
#pragma once

#include "base/bytes.hpp"
#include "base/messages.hpp"
#include "base/result.hpp"

namespace tamga::preview {

/// Rows without gaps, four octets a pixel: blue, green, red, one that means nothing.
struct Pixels {
    std::uint32_t width = 0;  ///< 1 ... ipc::max_picture_side
    std::uint32_t height = 0; ///< the same
    std::uint32_t pages = 0;  ///< of the whole document
    Bytes octets;
};

/// How large a picture is made, in pixels.
struct Extent {
    std::uint32_t width = 0;
    std::uint32_t height = 0;
};

/// As wide as wanted, in the proportions of `width` by `height` (whatever unit), and no side beyond max_picture_side.
/// Error: unsupported, where there is nothing of any size to show.
Result<Extent> extent_of(double width, double height, std::uint32_t wanted_width);

/// A page of a PDF, or an image (PNG, JPEG, BMP, and a GIF whose pages are its frames); what it is, its first octets
/// say. Blocking, without a limit of its own. Errors: unsupported (another kind, or damaged), bad_request (no such
/// page, or one beyond max_picture_pages; no width), too_large.
Result<Pixels> picture_of(View document, ipc::PictureWanted const& wanted);

/// One page of a PDF. Errors as above.
Result<Pixels> pdf_page(View document, ipc::PictureWanted const& wanted);
/// An image in Qt's name for its format. Errors as above.
Result<Pixels> raster_image(View document, char const* format, ipc::PictureWanted const& wanted);

/// Loads what is loaded late otherwise: in the sandbox no code can be loaded any more.
void load_decoders();

} // namespace tamga::preview
