#include "tests/fake_module/knobs.hpp"

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace tamga::fake {

namespace {

bool read_line(std::istringstream& line, Knobs& knobs) {
    std::string word;
    std::string name;
    line >> word;
    if (word.empty()) return true;
    if (word == "log") {
        line >> knobs.log;
    } else if (word == "token") {
        auto& token = knobs.tokens.emplace_back();
        line >> token.label >> token.pin_backwards >> token.tries;
    } else if (word == "certificate" || word == "key") {
        auto& object = knobs.objects.emplace_back();
        object.is_key = word == "key";
        line >> object.slot >> object.id >> object.file;
        object.is_private = object.is_key || (line >> name && name == "private");
        return !object.file.empty();
    } else if (word == "fail") {
        line >> name >> std::hex >> knobs.failures[name];
    } else if (word == "delay") {
        line >> name >> knobs.delays_ms[name];
    } else if (word == "crash") {
        line >> name;
        knobs.crashes.insert(name);
    } else if (word == "absent") {
        std::size_t slot = 0;
        line >> slot;
        knobs.absent.insert(slot);
    } else if (word == "maker" || word == "model" || word == "reader") {
        std::size_t slot = 0;
        line >> slot >> std::ws;
        std::getline(line, knobs.strings[word][slot]);
    } else {
        return false;
    }
    return !line.fail();
}

} // namespace

std::optional<Knobs> read_knobs() {
    char const* const path = std::getenv("TAMGA_FAKE_PKCS11");
    if (path == nullptr) return std::nullopt;
    std::ifstream file{path};
    if (!file) return std::nullopt;
    Knobs knobs;
    for (std::string text; std::getline(file, text);) {
        std::istringstream line{text};
        if (!read_line(line, knobs)) return std::nullopt;
    }
    return knobs;
}

} // namespace tamga::fake
