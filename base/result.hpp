// Expected failures are values. `Result` has std::expected's names, so that C++23 can make it an alias.
#pragma once

#include "base/error.hpp"

#include <utility>
#include <variant>

namespace tamga {

/// A T, or the Error that kept it from being made. One made by default is an error ("result never set"): a coroutine
/// library may default-construct it when a job throws, and silence must not look like success.
template <class T>
class [[nodiscard]] Result {
public:
    using value_type = T;

    Result() : m_state{std::in_place_index<0>, Errc::internal, "result never set"} {}
    Result(Error error) : m_state{std::in_place_index<0>, std::move(error)} {}
    Result(Errc code) : m_state{std::in_place_index<0>, code} {}
    template <class U = T>
    requires(std::is_convertible_v<U&&, T> && !std::is_same_v<std::remove_cvref_t<U>, Error> &&
             !std::is_same_v<std::remove_cvref_t<U>, Errc> && !std::is_same_v<std::remove_cvref_t<U>, Result>)
        Result(U&& value)
        : m_state{std::in_place_index<1>, std::forward<U>(value)} {}

    [[nodiscard]] bool has_value() const noexcept { return m_state.index() == 1; }
    explicit operator bool() const noexcept { return has_value(); }

    [[nodiscard]] T& value() & { return std::get<1>(m_state); }
    [[nodiscard]] T const& value() const& { return std::get<1>(m_state); }
    [[nodiscard]] T&& value() && { return std::get<1>(std::move(m_state)); }
    [[nodiscard]] T& operator*() & { return value(); }
    [[nodiscard]] T const& operator*() const& { return value(); }
    [[nodiscard]] T&& operator*() && { return std::move(*this).value(); }
    [[nodiscard]] T* operator->() { return &value(); }
    [[nodiscard]] T const* operator->() const { return &value(); }

    [[nodiscard]] Error& error() & { return std::get<0>(m_state); }
    [[nodiscard]] Error const& error() const& { return std::get<0>(m_state); }
    [[nodiscard]] Error&& error() && { return std::get<0>(std::move(m_state)); }

private:
    std::variant<Error, T> m_state;
};

/// Success without a value, or an Error. `return {};` would be an error, so success is spelled `return ok();`.
template <>
class [[nodiscard]] Result<void> {
public:
    using value_type = void;

    Result() = default;
    Result(Error error) : m_error{std::move(error)} {}
    Result(Errc code) : m_error{code} {}

    [[nodiscard]] bool has_value() const noexcept { return m_ok; }
    explicit operator bool() const noexcept { return m_ok; }
    [[nodiscard]] Error const& error() const { return m_error; }

private:
    friend Result<void> ok();
    bool m_ok = false;
    Error m_error{Errc::internal, "result never set"};
};

[[nodiscard]] inline Result<void> ok() {
    Result<void> result;
    result.m_ok = true;
    return result;
}

} // namespace tamga
