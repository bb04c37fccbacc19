#include "tests/window/paper.hpp"

#include <QBuffer>
#include <QGuiApplication>
#include <QImage>
#include <QPainter>
#include <QPdfWriter>

namespace tamga::testing {

namespace {

void need_fonts() {
    static int count = 1;
    static char name[] = "window";
    static char* arguments[] = {name, nullptr};
    // Never destroyed: Qt takes parts of it down before.
    static auto const* const application = new QGuiApplication{count, arguments};
    static_cast<void>(application);
}

constexpr char const* letters[] = {
    "REQUEST\n\nPlease issue a licence for the pharmacy at 1 Example Street, Sample City.\n\nThe enclosed plan of the "
    "premises is part of this request.\n\nSample LLP, 1 January 2026",
    "ӨТІНІШ\n\nҮлгі қаласы, Мысал көшесі, 1 мекенжайындағы дәріханаға лицензия беруіңізді сұраймын.\n\nҮй-жайдың қоса "
    "берілген жоспары осы өтініштің бөлігі болып табылады.\n\n«Үлгі» ЖШС, 2026 жылғы 1 қаңтар",
    "ЗАЯВЛЕНИЕ\n\nПрошу выдать лицензию для аптеки по адресу: г. Образец, ул. Примерная, 1.\n\nПриложенный план "
    "помещения является частью этого заявления.\n\nТОО «Образец», 1 января 2026 года"};

/// On a sheet of 1000 by 1414.
void draw(QPainter& painter, Language language, int page) {
    constexpr Qt::GlobalColor bars[] = {Qt::blue, Qt::red, Qt::green};
    painter.fillRect(80, 60, 840, 24, bars[page % 3]);
    QFont font{QStringLiteral("DejaVu Sans")};
    font.setPixelSize(34);
    painter.setFont(font);
    painter.setPen(Qt::black);
    auto const words = QString::fromUtf8(letters[static_cast<std::size_t>(language)]);
    painter.drawText(QRect{80, 140, 840, 1100}, Qt::TextWordWrap, page == 0 ? words : QString::number(page + 1));
}

} // namespace

Bytes paper(Language language, int pages) {
    need_fonts();
    QByteArray octets;
    QBuffer buffer{&octets};
    buffer.open(QIODevice::WriteOnly);
    QPdfWriter writer{&buffer};
    writer.setPageSize(QPageSize{QPageSize::A4});
    writer.setPageMargins({});
    QPainter painter{&writer};
    painter.scale(writer.width() / 1000.0, writer.height() / 1414.0);
    for (int page = 0; page < pages; ++page) {
        if (page != 0) writer.newPage();
        draw(painter, language, page);
    }
    painter.end();
    return {octets.begin(), octets.end()};
}

Bytes photograph(Language language) {
    need_fonts();
    QImage image{1000, 1414, QImage::Format_RGB32};
    image.fill(Qt::white);
    QPainter painter{&image};
    draw(painter, language, 0);
    painter.end();
    QByteArray octets;
    QBuffer buffer{&octets};
    buffer.open(QIODevice::WriteOnly);
    image.save(&buffer, "png");
    return {octets.begin(), octets.end()};
}

} // namespace tamga::testing
