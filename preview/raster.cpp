#include "preview/picture.hpp"

#include <QBuffer>
#include <QImage>
#include <QImageReader>
#include <QPainter>
#include <QThreadPool>

#include <algorithm>
#include <cstring>

namespace tamga::preview {

namespace {

/// Of an image as it is kept in memory while it is read: some 60 million pixels.
constexpr int allocation_limit_mb = 256;

Pixels packed(QImage const& image, std::uint32_t pages) {
    // What is transparent lies on white, as paper is.
    QImage canvas{image.size(), QImage::Format_RGB32};
    canvas.fill(Qt::white);
    QPainter{&canvas}.drawImage(0, 0, image);
    Pixels pixels;
    pixels.width = static_cast<std::uint32_t>(canvas.width());
    pixels.height = static_cast<std::uint32_t>(canvas.height());
    pixels.pages = pages;
    auto const row = std::size_t{pixels.width} * 4;
    pixels.octets.resize(row * pixels.height);
    for (std::size_t y = 0; y < pixels.height; ++y)
        std::memcpy(pixels.octets.data() + y * row, canvas.constScanLine(static_cast<int>(y)), row);
    return pixels;
}

/// The size to read it in, before it is turned as its camera noted.
Result<QSize> reading_size(QImageReader const& reader, std::uint32_t wanted_width) {
    auto const size = reader.size();
    if (!size.isValid()) return Error{Errc::unsupported, "an image that cannot be read"};
    bool const turned = (reader.transformation() & QImageIOHandler::TransformationRotate90) != 0;
    auto const natural = turned ? size.transposed() : size;
    auto const width = std::min(wanted_width, static_cast<std::uint32_t>(std::max(natural.width(), 1)));
    auto const extent = extent_of(natural.width(), natural.height(), width);
    if (!extent) return extent.error();
    QSize const wanted{static_cast<int>(extent->width), static_cast<int>(extent->height)};
    return turned ? wanted.transposed() : wanted;
}

} // namespace

Result<Pixels> raster_image(View document, char const* format, ipc::PictureWanted const& wanted) {
    QImageReader::setAllocationLimit(allocation_limit_mb);
    auto octets = QByteArray::fromRawData(reinterpret_cast<char const*>(document.data()),
                                          static_cast<qsizetype>(document.size()));
    QBuffer buffer{&octets};
    buffer.open(QIODevice::ReadOnly);
    QImageReader reader{&buffer, format};
    reader.setDecideFormatFromContent(false);
    reader.setAutoTransform(true);
    auto const size = reading_size(reader, wanted.width);
    if (!size) return size.error();
    auto const pages = static_cast<std::uint32_t>(std::max(reader.imageCount(), 1));
    if (wanted.page >= pages) return Error{Errc::bad_request, "page"};
    QImage image;
    for (std::uint32_t page = 0; page <= wanted.page; ++page) {
        reader.setScaledSize(*size);
        image = reader.read();
    }
    if (image.isNull()) return Error{Errc::unsupported, reader.errorString().toStdString()};
    if (image.width() > int{ipc::max_picture_side} || image.height() > int{ipc::max_picture_side}) {
        return Error{Errc::too_large, "an image larger than it said"};
    }
    return packed(image, pages);
}

void load_decoders() {
    // One thread at most: more would take more memory than the sandbox has to give.
    QThreadPool::globalInstance()->setMaxThreadCount(1);
    static_cast<void>(QImageReader::supportedImageFormats());
}

} // namespace tamga::preview
