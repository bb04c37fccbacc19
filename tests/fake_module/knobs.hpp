// What the file named by TAMGA_FAKE_PKCS11 says. One directive a line, words parted by blanks:
//
//   log FILE                               append the name of every C_ function called to FILE: the spy; behind C_Login
//                                          "right SLOT" or "wrong SLOT", where the PIN was looked at; behind
//                                          C_Initialize "with FLAGS", in hexadecimal
//   token LABEL BACKWARDS_PIN TRIES [pinpad]  one slot each, numbered from 0 in the order of the lines
//   certificate SLOT ID FILE [private]     PEM; "private": shown after a login only
//   key SLOT ID FILE [always]              PEM; RSA, EC P-256 or GOST; "always": CKA_ALWAYS_AUTHENTICATE
//   slots N                                so many slots are listed, with a token or without
//   card_client                            C_Initialize brings libpcsclite, as modules with readers do
//   alone                                  two threads in the module at once end the process
//   absent SLOT                            the token is pulled out
//   maker SLOT TEXT                        its manufacturer, to the end of the line; model, serial and reader likewise
//   flags SLOT NUMBER                      further flags of CK_TOKEN_INFO, in hexadecimal
//   memory SLOT OCTETS                     what it says is free, of each kind; without the line it does not say
//   most_objects N                         with so many objects, those of all slots together, a token is full; where a
//                                          pair has room for one half, that one stays
//
// What a call does instead of working; with SLOT only where it concerns that slot:
//
//   delay FUNCTION MILLISECONDS [SLOT]     it sleeps first
//   fail FUNCTION CK_RV [SLOT]             it answers this, in hexadecimal
//   vanish FUNCTION [SLOT]                 the token is pulled out in the middle of it, until the line is gone
//   step N fail CK_RV                      the N-th call after this line was read, whichever it is, answers this
//   step N vanish                          its token is pulled out in the middle of it, until the line is gone; the spy
//                                          writes "step" where such a call was made
//   hang FUNCTION [SLOT]                   it never returns
//   leak FUNCTION MEGABYTES                it takes so much memory, and never gives it back
//   crash FUNCTION [segv|abort|exit]       it ends the process; without a word with exit code 139
//   print FUNCTION                         it writes to standard output and to standard error first
//   rubbish FUNCTION                       it says CKR_OK, and numbers that cannot be
//   attempt FUNCTION WHAT                  it tries what a module has no business with (attempts.hpp) and appends
//                                          "WHAT ERRNO" to the log
//
// The file is looked at at every call, so a test turns a knob by writing it; tokens and objects are made once, by
// C_Initialize; what is made later is kept in memory. The administrator's PIN is so_pin, which locks after three
// errors. While somebody is logged in the module keeps the PIN, as real ones do, and wipes it at the logout. In
// the file the PIN stands backwards, so that a search of the memory finds it only where somebody brought it.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace tamga::fake {

/// The administrator's PIN of every token, backwards.
inline constexpr char const* so_pin_backwards = "12345678";

struct TokenLine {
    std::string label;
    std::string pin_backwards;
    unsigned tries = 0;
    bool has_pin_pad = false;
};

struct ObjectLine {
    bool is_key = false;
    std::size_t slot = 0;
    std::string id;
    std::string file;
    bool is_private = false;
    bool always_authenticate = false;
};

/// A number for one function; without a slot it is meant for all.
struct Turned {
    std::string function;
    unsigned long value = 0;
    std::optional<std::size_t> slot;
};

/// What happens at a call that is known by its number alone.
struct Step {
    unsigned number = 0;
    bool vanishes = false;
    unsigned long answer = 0;
};

struct Knobs {
    std::string log;
    std::vector<TokenLine> tokens;
    std::vector<ObjectLine> objects;
    std::size_t slots = 0;
    bool alone = false;
    bool card_client = false;
    std::vector<Turned> delays_ms;
    std::vector<Turned> failures;
    std::vector<Turned> vanishing;
    std::vector<Turned> hanging;
    std::vector<Turned> leaks_megabytes;
    std::map<std::string, std::string> crashes; ///< by function: how
    std::set<std::string> prints;
    std::set<std::string> rubbish;
    std::multimap<std::string, std::string> attempts;
    std::set<std::size_t> absent;
    std::map<std::string, std::map<std::size_t, std::string>> strings; ///< of maker, model, serial and reader, by slot
    std::map<std::size_t, unsigned long> flags;                        ///< of tokens, by slot
    std::map<std::size_t, unsigned long> memory;                       ///< octets free, by slot
    std::optional<std::size_t> most_objects;
    std::optional<Step> step;
};

/// The value for a call of `function`, in `slot` where it concerns one.
[[nodiscard]] std::optional<unsigned long> find(std::vector<Turned> const& turned, std::string const& function,
                                                std::optional<std::size_t> slot);

/// What the file says now; nothing where it cannot be read or has a line not listed above.
[[nodiscard]] std::shared_ptr<Knobs const> read_knobs();

} // namespace tamga::fake
