// Numbers that mean different things are different types: a slot is never an object handle.
#pragma once

#include <compare>

namespace tamga {

template <class Tag, class Number>
class StrongId {
public:
    using value_type = Number;

    constexpr StrongId() noexcept = default;
    constexpr explicit StrongId(Number value) noexcept : m_value{value} {}

    [[nodiscard]] constexpr Number value() const noexcept { return m_value; }
    friend constexpr auto operator<=>(StrongId, StrongId) noexcept = default;

private:
    Number m_value{};
};

} // namespace tamga
