#include "preview/picture.hpp"

#include <algorithm>
#include <cmath>

namespace tamga::preview {

Result<Extent> extent_of(double width, double height, std::uint32_t wanted_width) {
    // Not a number is none of these either.
    bool const measurable = width > 0 && height > 0 && width < 1e9 && height < 1e9;
    if (!measurable) return Error{Errc::unsupported, "a page without a size"};
    constexpr double most = ipc::max_picture_side;
    auto const scale = std::min({wanted_width / width, most / width, most / height});
    auto const side = [&](double length) {
        return static_cast<std::uint32_t>(std::clamp(std::round(length * scale), 1.0, most));
    };
    return Extent{side(width), side(height)};
}

Result<Pixels> picture_of(View document, ipc::PictureWanted const& wanted) {
    if (wanted.page >= ipc::max_picture_pages || wanted.width == 0 || wanted.width > ipc::max_picture_side) {
        return Error{Errc::bad_request, "page or width"};
    }
    struct Kind {
        std::string_view start;
        char const* format; ///< none: a PDF
    };
    constexpr Kind kinds[] = {{"%PDF-", nullptr},       {"\x89PNG\r\n\x1a\n", "png"},
                              {"\xff\xd8\xff", "jpeg"}, {"GIF87a", "gif"},
                              {"GIF89a", "gif"},        {"BM", "bmp"}};
    auto const text = as_text(document);
    auto const kind = std::ranges::find_if(kinds, [&](Kind const& each) { return text.starts_with(each.start); });
    if (kind == std::end(kinds)) return Error{Errc::unsupported, "neither PDF nor an image"};
    return kind->format == nullptr ? pdf_page(document, wanted) : raster_image(document, kind->format, wanted);
}

} // namespace tamga::preview
