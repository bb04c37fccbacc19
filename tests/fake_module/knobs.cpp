#include "tests/fake_module/knobs.hpp"

#include <sys/stat.h>

#include <cstdlib>
#include <fstream>
#include <mutex>
#include <sstream>

namespace tamga::fake {

namespace {

std::optional<std::size_t> maybe_slot(std::istringstream& line) {
    std::size_t slot = 0;
    if (line >> slot) return slot;
    line.clear(std::ios::eofbit);
    return std::nullopt;
}

std::string maybe_word(std::istringstream& line) {
    std::string word;
    line >> word;
    line.clear(std::ios::eofbit);
    return word;
}

Turned read_turned(std::istringstream& line, bool has_value, std::ios_base& (*base)(std::ios_base&) = std::dec) {
    Turned turned;
    line >> turned.function;
    if (has_value) line >> base >> turned.value >> std::dec;
    if (line) turned.slot = maybe_slot(line);
    return turned;
}

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
        if (line) token.has_pin_pad = maybe_word(line) == "pinpad";
    } else if (word == "certificate" || word == "key") {
        auto& object = knobs.objects.emplace_back();
        object.is_key = word == "key";
        line >> object.slot >> object.id >> object.file;
        if (line) name = maybe_word(line);
        object.is_private = object.is_key || name == "private";
        object.always_authenticate = name == "always";
    } else if (word == "slots") {
        line >> knobs.slots;
    } else if (word == "alone") {
        knobs.alone = true;
    } else if (word == "card_client") {
        knobs.card_client = true;
    } else if (word == "leak") {
        knobs.leaks_megabytes.push_back(read_turned(line, true));
    } else if (word == "absent") {
        std::size_t slot = 0;
        line >> slot;
        knobs.absent.insert(slot);
    } else if (word == "delay") {
        knobs.delays_ms.push_back(read_turned(line, true));
    } else if (word == "fail") {
        knobs.failures.push_back(read_turned(line, true, std::hex));
    } else if (word == "vanish") {
        knobs.vanishing.push_back(read_turned(line, false));
    } else if (word == "hang") {
        knobs.hanging.push_back(read_turned(line, false));
    } else if (word == "crash") {
        line >> name;
        knobs.crashes[name] = maybe_word(line);
    } else if (word == "print") {
        line >> name;
        knobs.prints.insert(name);
    } else if (word == "rubbish") {
        line >> name;
        knobs.rubbish.insert(name);
    } else if (word == "attempt") {
        std::string what;
        line >> name >> what;
        knobs.attempts.emplace(name, what);
    } else if (word == "memory") {
        std::size_t slot = 0;
        line >> slot >> knobs.memory[slot];
    } else if (word == "most_objects") {
        line >> knobs.most_objects.emplace();
    } else if (word == "step") {
        auto& step = knobs.step.emplace();
        line >> step.number >> name;
        step.vanishes = name == "vanish";
        if (!step.vanishes) line >> std::hex >> step.answer >> std::dec;
    } else if (word == "flags") {
        std::size_t slot = 0;
        line >> slot >> std::hex >> knobs.flags[slot] >> std::dec;
    } else if (word == "maker" || word == "model" || word == "serial" || word == "reader") {
        std::size_t slot = 0;
        line >> slot >> std::ws;
        std::getline(line, knobs.strings[word][slot]);
    } else {
        return false;
    }
    return !line.fail();
}

} // namespace

std::optional<unsigned long> find(std::vector<Turned> const& turned, std::string const& function,
                                  std::optional<std::size_t> slot) {
    for (auto const& each : turned) {
        if (each.function == function && (!each.slot || each.slot == slot)) return each.value;
    }
    return std::nullopt;
}

namespace {

std::optional<Knobs> parse(char const* path) {
    std::ifstream file{path};
    if (!file) return std::nullopt;
    Knobs knobs;
    for (std::string text; std::getline(file, text);) {
        std::istringstream line{text};
        if (!read_line(line, knobs)) return std::nullopt;
    }
    return knobs;
}

} // namespace

std::shared_ptr<Knobs const> read_knobs() {
    static std::mutex mutex;
    static struct ::stat known;
    static std::shared_ptr<Knobs const> knobs;
    char const* const path = std::getenv("TAMGA_FAKE_PKCS11");
    struct ::stat now {};
    if (path == nullptr || ::stat(path, &now) != 0) return nullptr;
    std::scoped_lock const lock{mutex};
    bool const same = now.st_ino == known.st_ino && now.st_size == known.st_size &&
                      now.st_mtim.tv_sec == known.st_mtim.tv_sec && now.st_mtim.tv_nsec == known.st_mtim.tv_nsec;
    if (same && knobs) return knobs;
    auto parsed = parse(path);
    known = now;
    knobs = parsed ? std::make_shared<Knobs const>(std::move(*parsed)) : nullptr;
    return knobs;
}

} // namespace tamga::fake
