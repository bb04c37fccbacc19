// Work on keys as the window and tamga-web ask for it, with the test in the place of both.
#pragma once

#include "signing/pkcs10.hpp"
#include "tests/softhsm/to_be_signed.hpp"
#include "tests/support/throwaway_token.hpp"
#include "tests/support/token_driver.hpp"

#include <gtest/gtest.h>

#include <optional>

namespace tamga::test {

/// What came of one operation, in the order of its coming; `ended` where the lease did.
struct Worked {
    std::vector<ipc::KeyStep> steps;
    std::vector<Bytes> certificates;
    std::optional<ipc::KeyOperationDone> done;
    std::optional<ipc::LeaseEnded> ended;

    [[nodiscard]] bool went_well() const { return done && done->status.ok; }
    /// Why not.
    [[nodiscard]] Errc code() const {
        if (done) return done->status.code;
        return ended ? ended->status.code : Errc::internal;
    }
};

inline Bytes pair_id(unsigned char number) {
    Bytes id = to_bytes(as_view(ipc::made_here));
    id.resize(ipc::pair_id_size, number);
    return id;
}

inline ipc::GeneratePair new_pair(ipc::PairKind kind, unsigned char number = 1) {
    return {kind, ipc::PairUse::both, pair_id(number), "Tamga test"};
}

/// Login for work on keys, and the mandate. @return the prompt's channel; `taken` is what became of the mandate.
inline ipc::Channel begin_key_work(TokenDriver& driver, ipc::RequestId request, ipc::SlotId slot,
                                   std::vector<ipc::KeyOperation> operations, Result<void>& taken,
                                   std::string pin = user_pin) {
    auto prompt = driver.prompt(request);
    ipc::Unlock message;
    message.slot = slot;
    message.for_key_work = true;
    auto typed = Pin::take({reinterpret_cast<unsigned char*>(pin.data()), pin.size()});
    message.pin = std::move(*typed);
    if (!prompt.send(message)) throw std::runtime_error{"prompt"};
    auto const answer = unlocked(prompt);
    taken = answer.reply.status.result();
    if (!taken) return prompt;
    if (!prompt.send(ipc::KeyMandate{request, 60, std::move(operations)})) throw std::runtime_error{"prompt"};
    taken = expect<ipc::MandateReply>(prompt).status.result();
    return prompt;
}

/// Asks for an operation and hears everything until it is done, and after a failure the end of the lease.
inline Worked perform(TokenDriver& driver, ipc::RequestId request, std::uint32_t index, Bytes octets = {}) {
    Worked worked;
    if (!driver.web.send(ipc::PerformKeyOperation{request, index, std::move(octets)})) {
        throw std::runtime_error{"tamga-token is gone"};
    }
    while (!worked.went_well() && !worked.ended) {
        auto packet = driver.web.receive(patience);
        if (!packet) throw std::runtime_error{"no answer: " + std::string{wire_name(packet.error().code)}};
        if (auto const progress = packet->as<ipc::KeyProgress>()) worked.steps.push_back(progress->step);
        if (auto certificate = packet->as<ipc::KeyCertificate>())
            worked.certificates.push_back(std::move(certificate->der));
        if (auto done = packet->as<ipc::KeyOperationDone>()) worked.done = std::move(*done);
        if (auto ended = packet->as<ipc::LeaseEnded>(); ended && ended->request == request)
            worked.ended = std::move(*ended);
    }
    return worked;
}

inline void finish(TokenDriver& driver, ipc::RequestId request) {
    ASSERT_TRUE(driver.web.send(ipc::FinishLease{request}));
    ASSERT_TRUE(driver.lease_ended().status.ok);
}

/// One operation in a lease of its own.
inline Worked work_once(TokenDriver& driver, ipc::RequestId request, ipc::SlotId slot, ipc::KeyOperation operation,
                        std::string pin = user_pin) {
    Result<void> taken = Errc::internal;
    auto const prompt = begin_key_work(driver, request, slot, {std::move(operation)}, taken, std::move(pin));
    if (!taken) return {{}, {}, {}, ipc::LeaseEnded{request, ipc::Status::from(taken)}};
    auto worked = perform(driver, request, 0);
    if (worked.went_well()) finish(driver, request);
    return worked;
}

} // namespace tamga::test
