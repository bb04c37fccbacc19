// How a message becomes octets and back. A message names its members once, in `fields`, for both directions.
//
// Integers are little-endian and of their type's width; text, octets and lists carry a 32-bit count; what may be
// missing begins with a bool, an alternative with its place; nothing is padded. The largest message is 64 KiB, because
// SOCK_SEQPACKET fails at about 212 kB and a batch wants progress anyway.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "base/strong_id.hpp"

#include <array>
#include <cstring>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

namespace tamga::ipc {

inline constexpr std::size_t max_message = 65536;

template <class T>
concept Integer = std::is_integral_v<T> && !std::is_same_v<T, bool>;

/// An enum whose values are 0 ... enumerator_count(E{}) - 1; anything else in a message makes it malformed.
template <class T>
concept Enumeration = std::is_enum_v<T> && requires(T value) {
    enumerator_count(value);
};

/// Writes into a fixed buffer that is wiped afterwards, since a PIN may be among the fields: no reallocation leaves a
/// copy.
class Writer {
public:
    Writer() noexcept = default;
    Writer(Writer const&) = delete;
    Writer& operator=(Writer const&) = delete;
    ~Writer() { wipe({m_buffer.data(), m_size}); }

    template <class... Fields>
    void operator()(Fields const&... fields) {
        (put(fields), ...);
    }

    /// False when the message was larger than 64 KiB: then `bytes` is incomplete and must not be sent.
    [[nodiscard]] bool fits() const noexcept { return m_fits; }
    [[nodiscard]] View bytes() const noexcept { return {m_buffer.data(), m_size}; }

private:
    void raw(void const* data, std::size_t size) noexcept {
        if (size > m_buffer.size() - m_size) {
            m_fits = false;
            return;
        }
        if (size != 0) std::memcpy(m_buffer.data() + m_size, data, size);
        m_size += size;
    }
    void count(std::size_t n) noexcept { put(static_cast<std::uint32_t>(n)); }

    template <Integer T>
    void put(T value) noexcept {
        for (std::size_t i = 0; i < sizeof(T); ++i) {
            auto const octet = static_cast<unsigned char>(static_cast<std::make_unsigned_t<T>>(value) >> (8 * i));
            raw(&octet, 1);
        }
    }
    void put(bool value) noexcept { put(static_cast<std::uint8_t>(value ? 1 : 0)); }
    template <Enumeration T>
    void put(T value) noexcept {
        put(static_cast<std::underlying_type_t<T>>(value));
    }
    template <class Tag, class Number>
    void put(StrongId<Tag, Number> id) noexcept {
        put(id.value());
    }
    template <std::size_t N>
    void put(std::array<unsigned char, N> const& octets) noexcept {
        raw(octets.data(), N);
    }
    void put(std::string const& text) noexcept {
        count(text.size());
        raw(text.data(), text.size());
    }
    void put(Bytes const& bytes) noexcept {
        count(bytes.size());
        raw(bytes.data(), bytes.size());
    }
    void put(Pin const& pin) noexcept {
        count(pin.reveal().size());
        raw(pin.reveal().data(), pin.reveal().size());
    }
    template <class T>
    requires(!std::is_same_v<T, unsigned char>) void put(std::vector<T> const& list) {
        count(list.size());
        for (auto const& item : list)
            put(item);
    }
    template <class T>
    void put(std::optional<T> const& value) noexcept {
        put(value.has_value());
        if (value) put(*value);
    }
    template <class... Alternatives>
    void put(std::variant<Alternatives...> const& value) {
        put(static_cast<std::uint8_t>(value.index()));
        std::visit([this](auto const& alternative) { this->put(alternative); }, value);
    }
    template <class T>
    requires requires(Writer& writer, T const& value) { T::fields(writer, value); }
    void put(T const& value) { T::fields(*this, value); }

    std::array<unsigned char, max_message> m_buffer;
    std::size_t m_size = 0;
    bool m_fits = true;
};

/// Reads what Writer wrote. After the first thing that does not fit every further read yields nothing; `finished` says
/// whether the octets were exactly one message. Never reads outside, never allocates more than the octets can hold.
class Reader {
public:
    /// `bytes` is mutable because a PIN in it is wiped as it is taken out.
    explicit Reader(std::span<unsigned char> bytes) noexcept : m_rest{bytes} {}

    template <class... Fields>
    void operator()(Fields&... fields) {
        (get(fields), ...);
    }

    [[nodiscard]] bool finished() const noexcept { return !m_failed && m_rest.empty(); }

private:
    std::span<unsigned char> take(std::size_t size) noexcept {
        if (m_failed || size > m_rest.size()) {
            m_failed = true;
            return {};
        }
        auto const taken = m_rest.first(size);
        m_rest = m_rest.subspan(size);
        return taken;
    }
    std::size_t count() noexcept {
        std::uint32_t n = 0;
        get(n);
        return n;
    }

    template <Integer T>
    void get(T& value) noexcept {
        using Unsigned = std::make_unsigned_t<T>;
        Unsigned number = 0;
        auto const octets = take(sizeof(T));
        for (std::size_t i = 0; i < octets.size(); ++i) {
            number = static_cast<Unsigned>(number | static_cast<Unsigned>(Unsigned{octets[i]} << (8 * i)));
        }
        value = static_cast<T>(number);
    }
    void get(bool& value) noexcept {
        std::uint8_t octet = 0;
        get(octet);
        if (octet > 1) m_failed = true;
        value = octet == 1;
    }
    template <Enumeration T>
    void get(T& value) noexcept {
        std::underlying_type_t<T> number{};
        get(number);
        if (static_cast<std::size_t>(number) >= enumerator_count(value))
            m_failed = true;
        else
            value = static_cast<T>(number);
    }
    template <class Tag, class Number>
    void get(StrongId<Tag, Number>& id) noexcept {
        Number number{};
        get(number);
        id = StrongId<Tag, Number>{number};
    }
    template <std::size_t N>
    void get(std::array<unsigned char, N>& octets) noexcept {
        auto const taken = take(N);
        if (taken.size() == N) std::memcpy(octets.data(), taken.data(), N);
    }
    void get(std::string& text) {
        auto const octets = take(count());
        text.assign(octets.begin(), octets.end());
    }
    void get(Bytes& bytes) {
        auto const octets = take(count());
        bytes.assign(octets.begin(), octets.end());
    }
    void get(Pin& pin) {
        auto const octets = take(count());
        if (octets.empty()) {
            pin = Pin{};
            return;
        }
        auto taken = Pin::take(octets);
        if (taken)
            pin = std::move(*taken);
        else
            m_failed = true;
    }
    template <class T>
    requires(!std::is_same_v<T, unsigned char>) void get(std::vector<T>& list) {
        auto const n = count();
        list.clear();
        if (n > m_rest.size()) m_failed = true; // every item has at least one octet
        for (std::size_t i = 0; i < n && !m_failed; ++i)
            get(list.emplace_back());
    }
    template <class T>
    void get(std::optional<T>& value) {
        bool is_there = false;
        get(is_there);
        value.reset();
        if (is_there) get(value.emplace());
    }
    template <class... Alternatives>
    void get(std::variant<Alternatives...>& value) {
        std::uint8_t place = 0;
        get(place);
        if (place >= sizeof...(Alternatives))
            m_failed = true;
        else
            get_alternative(value, place, std::index_sequence_for<Alternatives...>{});
    }
    template <class Variant, std::size_t... Places>
    void get_alternative(Variant& value, std::size_t place, std::index_sequence<Places...>) {
        (void)((Places == place && (get(value.template emplace<Places>()), true)) || ...);
    }
    template <class T>
    requires requires(Reader& reader, T& value) { T::fields(reader, value); }
    void get(T& value) { T::fields(*this, value); }

    std::span<unsigned char> m_rest;
    bool m_failed = false;
};

} // namespace tamga::ipc
