// The virtual card itself, where a test would be misled if it were wrong.
#include "tests/card/card.hpp"

#include <gtest/gtest.h>

namespace tamga::card {
namespace {

Bytes const right_pin{0x00, 0x20, 0x00, 0x02, 0x04, '1', '2', '3', '4'};
Bytes const wrong_pin{0x00, 0x20, 0x00, 0x02, 0x04, '4', '3', '2', '1'};
Bytes const ask_tries{0x00, 0x20, 0x00, 0x02};
Bytes const log_out{0x80, 0x40, 0x00, 0x00};

unsigned status(Card& card, Bytes const& apdu) {
    return big_endian(View{card.transmit(apdu).octets}.last(2));
}

/// With a user PIN 1234 and three tries.
Card card_with_pin() {
    Card card{1};
    Bytes const create{0x00, 0xe0, 0x00, 0x00, 0x10, 0x6f, 0x0e, 0x82, 0x02, 0x10, 0x00,
                       0x83, 0x02, 0x00, 0x02, 0x85, 0x04, 0x01, 0x00, 0x00, 0x03};
    Bytes const set{0x00, 0x24, 0x01, 0x02, 0x0a, 0x80, 0x02, 0x00, 0x04, 0xa5, 0x04, '1', '2', '3', '4'};
    Bytes const finish{0x80, 0x84, 0x4e, 0x19};
    EXPECT_EQ(status(card, create), 0x9000U);
    EXPECT_EQ(status(card, set), 0x9000U);
    EXPECT_EQ(status(card, finish), 0x9000U);
    return card;
}

TEST(VirtualCard, CountsEachWrongPinOnceAndForgetsThemAtTheRightOne) {
    auto card = card_with_pin();

    EXPECT_EQ(status(card, wrong_pin), 0x6300U);
    EXPECT_EQ(status(card, ask_tries), 0x63c2U);
    EXPECT_EQ(status(card, right_pin), 0x9000U);
    EXPECT_EQ(status(card, log_out), 0x9000U);

    EXPECT_EQ(status(card, ask_tries), 0x63c3U);
    EXPECT_EQ(card.counts.pins, 2U);
}

TEST(VirtualCard, LocksAfterTheLastTryAlsoForTheRightPin) {
    auto card = card_with_pin();

    EXPECT_EQ(status(card, wrong_pin), 0x6300U);
    EXPECT_EQ(status(card, wrong_pin), 0x6300U);
    EXPECT_EQ(status(card, wrong_pin), 0x6983U);

    EXPECT_EQ(status(card, right_pin), 0x6983U);
}

TEST(VirtualCard, LogsOutWhenItIsReset) {
    auto card = card_with_pin();
    EXPECT_EQ(status(card, right_pin), 0x9000U);
    EXPECT_EQ(status(card, ask_tries), 0x9000U);

    card.reset();

    EXPECT_EQ(status(card, ask_tries), 0x63c3U);
}

TEST(VirtualCard, RefusesLengthsThatDoNotFit) {
    Card card{1};

    EXPECT_EQ(status(card, {0x00, 0xa4, 0x00}), 0x6700U);
    EXPECT_EQ(status(card, {0x00, 0xa4, 0x00, 0x00, 0x05, 0x3f}), 0x6700U);
    EXPECT_EQ(status(card, {0x00, 0xe0, 0x00, 0x00, 0x03, 0x6f, 0x7f, 0x82}), 0x6a80U);
}

} // namespace
} // namespace tamga::card
