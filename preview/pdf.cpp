#include "preview/picture.hpp"

#include <poppler-document.h>
#include <poppler-global.h>
#include <poppler-image.h>
#include <poppler-page-renderer.h>
#include <poppler-page.h>

#include <cstring>
#include <memory>

namespace tamga::preview {

namespace {

constexpr double points_an_inch = 72;

struct Points {
    double width = 0;
    double height = 0;
};

/// The page as it lies on the table: its box is told as it was before the page was turned.
Points size_of(poppler::page const& page) {
    auto const box = page.page_rect(poppler::crop_box);
    auto const orientation = page.orientation();
    bool const turned = orientation == poppler::page::landscape || orientation == poppler::page::seascape;
    return turned ? Points{box.height(), box.width()} : Points{box.width(), box.height()};
}

Pixels packed(poppler::image const& image, std::uint32_t pages) {
    Pixels pixels;
    pixels.width = static_cast<std::uint32_t>(image.width());
    pixels.height = static_cast<std::uint32_t>(image.height());
    pixels.pages = pages;
    auto const row = std::size_t{pixels.width} * 4;
    pixels.octets.resize(row * pixels.height);
    for (std::size_t y = 0; y < pixels.height; ++y) {
        std::memcpy(pixels.octets.data() + y * row,
                    image.const_data() + y * static_cast<std::size_t>(image.bytes_per_row()), row);
    }
    return pixels;
}

Result<Pixels> rendered(poppler::page const& page, std::uint32_t pages, std::uint32_t wanted_width) {
    auto const size = size_of(page);
    auto const extent = extent_of(size.width, size.height, wanted_width);
    if (!extent) return extent.error();
    auto const resolution = points_an_inch * extent->width / size.width;
    poppler::page_renderer renderer;
    renderer.set_image_format(poppler::image::format_argb32);
    renderer.set_render_hint(poppler::page_renderer::antialiasing);
    renderer.set_render_hint(poppler::page_renderer::text_antialiasing);
    // The slice is named, so that the bitmap has that size whatever else the page says of itself.
    auto const image = renderer.render_page(&page, resolution, resolution, 0, 0, static_cast<int>(extent->width),
                                            static_cast<int>(extent->height));
    if (!image.is_valid() || image.format() != poppler::image::format_argb32) {
        return Error{Errc::unsupported, "the page cannot be drawn"};
    }
    return packed(image, pages);
}

} // namespace

Result<Pixels> pdf_page(View document, ipc::PictureWanted const& wanted) {
    // What the library would print are words of the document.
    poppler::set_debug_error_function([](std::string const&, void*) {}, nullptr);
    auto const* octets = reinterpret_cast<char const*>(document.data());
    std::unique_ptr<poppler::document> const pdf{
        poppler::document::load_from_raw_data(octets, static_cast<int>(document.size()))};
    if (!pdf || pdf->is_locked()) return Error{Errc::unsupported, "a PDF that cannot be read"};
    auto const pages = pdf->pages();
    if (pages <= 0 || wanted.page >= static_cast<std::uint32_t>(pages)) return Error{Errc::bad_request, "page"};
    std::unique_ptr<poppler::page> const page{pdf->create_page(static_cast<int>(wanted.page))};
    if (!page) return Error{Errc::unsupported, "a page that cannot be read"};
    return rendered(*page, static_cast<std::uint32_t>(pages), wanted.width);
}

} // namespace tamga::preview
