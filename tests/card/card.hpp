// A virtual card that OpenSC's driver "rutoken_ecp" can format, fill and sign with: an ISO/IEC 7816-4 file system with
// PINs and RSA keys. The facts come from that driver's source and from what stock pkcs15-init sends; nothing of GOST,
// no secure messaging. The ATR is the reader's business (readers.hpp).
#pragma once

#include "tests/card/file_system.hpp"

#include <chrono>
#include <map>

namespace tamga::card {

/// What a test makes the card do.
struct Whims {
    std::chrono::milliseconds signing_time{0};
    unsigned leave_in_signature = 0; ///< pulled out in the middle of the n-th signature from now; 0: never
    std::uint16_t status = 0;        ///< answered to the next `statuses` commands, which are not obeyed
    unsigned statuses = 0;
    unsigned instruction = 0; ///< only commands of this instruction are meant; 0: every one
};

struct Counts {
    unsigned long commands = 0;
    unsigned long signatures = 0;
    unsigned long pins = 0; ///< presented, right or wrong
};

class Card {
public:
    explicit Card(std::uint32_t serial) : m_serial{serial} {}

    /// Power on, or reset: nobody is logged in and the root is selected. What is stored stays.
    void reset();

    struct Answer {
        Bytes octets;                      ///< data and status word
        std::chrono::milliseconds time{0}; ///< that the card takes for it
        bool leaves = false;               ///< the card is pulled out instead of answering
    };
    /// One command APDU.
    [[nodiscard]] Answer transmit(View apdu);

    Whims whims;
    Counts counts;

private:
    /// A PIN or what else is presented by VERIFY.
    struct Reference {
        Bytes value;
        Access access{};
        unsigned tries = 0;
        unsigned most_tries = 0;
    };

    [[nodiscard]] bool is_meant(Command const& command) const;
    [[nodiscard]] Bytes execute(Command const& command);
    [[nodiscard]] Bytes execute_own(Command const& command);
    [[nodiscard]] bool allowed(Access const& access, Operation operation) const;

    [[nodiscard]] Bytes select(Command const& command);
    [[nodiscard]] Bytes selected(File* file, Command const& command);
    [[nodiscard]] Bytes enumerate(Command const& command);
    [[nodiscard]] Bytes read(Command const& command) const;
    [[nodiscard]] Bytes update(Command const& command);
    [[nodiscard]] Bytes create(Command const& command);
    [[nodiscard]] Bytes create_reference(File const& file);
    [[nodiscard]] Bytes remove(Command const& command);

    [[nodiscard]] Bytes verify(Command const& command);
    [[nodiscard]] Bytes change(Command const& command);
    [[nodiscard]] Bytes change_pin(unsigned char number, Bytes value);
    [[nodiscard]] Bytes fill_key_file(Bytes value);
    [[nodiscard]] Bytes unblock(Command const& command);

    [[nodiscard]] Bytes choose_key(Command const& command);
    [[nodiscard]] Bytes generate(Command const& command);
    [[nodiscard]] Bytes compute(Command const& command);
    [[nodiscard]] Bytes answer_data(Command const& command) const;

    std::uint32_t m_serial;
    FileSystem m_files;
    std::map<unsigned char, Reference> m_references;
    bool m_initialising = true; ///< between erasing and the end of personalisation conditions do not hold
    unsigned char m_logged_in = nobody;
    std::optional<unsigned char> m_chosen_key;
    Bytes m_chain;
    bool m_computed = false; ///< the command now executed was a signature
};

} // namespace tamga::card
