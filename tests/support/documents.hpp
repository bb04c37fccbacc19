// Documents made for tests of what is shown: each no more than it needs to be.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tamga::test {

/// A PDF of these objects, numbered from 1, the first of them its catalogue (ISO 32000-1, 7.5).
inline std::string pdf_of(std::vector<std::string> const& objects) {
    std::string pdf = "%PDF-1.4\n";
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < objects.size(); ++i) {
        places.push_back(pdf.size());
        pdf += std::to_string(i + 1) + " 0 obj\n" + objects[i] + "\nendobj\n";
    }
    auto const start = pdf.size();
    pdf += "xref\n0 " + std::to_string(objects.size() + 1) + "\n0000000000 65535 f \n";
    for (auto const place : places) {
        auto const number = std::to_string(place);
        pdf += std::string(10 - number.size(), '0') + number + " 00000 n \n";
    }
    return pdf + "trailer\n<< /Size " + std::to_string(objects.size() + 1) + " /Root 1 0 R >>\nstartxref\n" +
           std::to_string(start) + "\n%%EOF\n";
}

inline std::string stream_of(std::string_view content, std::string const& more = "") {
    return "<< /Length " + std::to_string(content.size()) + ' ' + more + " >>\nstream\n" + std::string{content} +
           "\nendstream";
}

struct Page {
    std::string content{"1 0 0 rg 0 0 100 100 re f"}; ///< operators: a red square in the lower left corner
    std::string box{"0 0 595 842"};                   ///< points: A4
    std::string more{};                               ///< further entries of the page
};

/// A PDF with these pages; `count`: how many it says it has, where that is a lie. /F is a font that no PDF embeds.
inline std::string make_pdf(std::vector<Page> const& pages, std::string count = "") {
    if (count.empty()) count = std::to_string(pages.size());
    std::string kids;
    std::vector<std::string> objects{"<< /Type /Catalog /Pages 2 0 R >>", "",
                                     "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"};
    for (auto const& page : pages) {
        auto const number = objects.size() + 1;
        kids += std::to_string(number) + " 0 R ";
        objects.push_back(
            "<< /Type /Page /Parent 2 0 R /MediaBox [" + page.box + "] /Contents " + std::to_string(number + 1) +
            " 0 R " + page.more +
            (page.more.find("/Resources") == std::string::npos ? " /Resources << /Font << /F 3 0 R >> >>" : "") +
            " >>");
        objects.push_back(stream_of(page.content));
    }
    objects[1] = "<< /Type /Pages /Kids [" + kids + "] /Count " + count + " >>";
    return pdf_of(objects);
}

/// A GIF of 2 by 2 pixels whose frames are black, white, black ... (GIF89a; each pixel one LZW code, with codes of
/// three bits: clear, four pixels, end).
inline std::string make_gif(int frames) {
    std::string gif{"GIF89a\x02\x00\x02\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff", 19};
    for (int i = 0; i < frames; ++i) {
        gif += std::string{"\x21\xf9\x04\x00\x0a\x00\x00\x00\x2c\x00\x00\x00\x00\x02\x00\x02\x00\x00\x02", 19};
        // A pixel alone, then a clear: the codes never grow beyond three bits. Least significant bit first.
        unsigned bits = 0;
        unsigned size = 0;
        std::string data;
        auto const put = [&](unsigned code) {
            bits |= code << size;
            for (size += 3; size >= 8; size -= 8, bits >>= 8)
                data += static_cast<char>(bits & 0xFF);
        };
        for (int pixel = 0; pixel < 4; ++pixel) {
            put(4); // clear
            put(static_cast<unsigned>(i % 2));
        }
        put(5); // end
        if (size != 0) data += static_cast<char>(bits & 0xFF);
        gif += static_cast<char>(data.size());
        gif += data;
        gif += '\0';
    }
    return gif + ';';
}

} // namespace tamga::test
