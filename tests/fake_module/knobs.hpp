// What the file named by TAMGA_FAKE_PKCS11 says. One directive a line, words parted by blanks:
//
//   log FILE                               append the name of every C_ function called to FILE: the spy
//   token LABEL BACKWARDS_PIN TRIES        one slot each, numbered from 0 in the order of the lines
//   certificate SLOT ID FILE [private]     PEM; "private": shown after a login only
//   key SLOT ID FILE                       PEM; RSA or EC P-256
//   fail FUNCTION CK_RV                    the function answers this instead of working
//   delay FUNCTION MILLISECONDS            the function sleeps first
//   crash FUNCTION                         the function ends the process
//   absent SLOT                            the token is pulled out
//   maker SLOT TEXT                        its manufacturer, to the end of the line; model and reader likewise
//
// The file is read anew at every call, so a test turns a knob by writing it; tokens and objects are made once, by
// C_Initialize. While somebody is logged in the module keeps the PIN, as real ones do, and wipes it at the logout. In
// the file the PIN stands backwards, so that a search of the memory finds it only where somebody brought it.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace tamga::fake {

struct TokenLine {
    std::string label;
    std::string pin_backwards;
    unsigned tries = 0;
};

struct ObjectLine {
    bool is_key = false;
    std::size_t slot = 0;
    std::string id;
    std::string file;
    bool is_private = false;
};

struct Knobs {
    std::string log;
    std::vector<TokenLine> tokens;
    std::vector<ObjectLine> objects;
    std::map<std::string, unsigned long> failures;
    std::map<std::string, unsigned> delays_ms;
    std::set<std::string> crashes;
    std::set<std::size_t> absent;
    std::map<std::string, std::map<std::size_t, std::string>> strings; ///< of maker, model and reader, by slot
};

/// Reads the file; nothing where it cannot be read or has a line not listed above.
[[nodiscard]] std::optional<Knobs> read_knobs();

} // namespace tamga::fake
