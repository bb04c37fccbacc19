// Which card is in which reader, as the watcher (tamga-token --watch) said last.
#pragma once

#include "base/messages.hpp"
#include "base/result.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

namespace tamga::pkcs11 {

/// Thread-safe: the loop keeps it up to date, lanes ask for the card in their slot.
class Readers {
public:
    void update(ipc::ReaderState const& state) {
        std::lock_guard const lock{m_mutex};
        if (state.present) {
            m_cards[state.name] = state.atr;
        } else {
            m_cards.erase(state.name);
            m_pulled_out[state.name] = ++m_removals;
            m_removed.notify_all();
        }
    }
    void clear() {
        std::lock_guard const lock{m_mutex};
        m_cards.clear();
    }

    /// The ATR of every card, by the name of its reader.
    [[nodiscard]] std::map<std::string, Bytes> cards() const {
        std::lock_guard const lock{m_mutex};
        return m_cards;
    }

    /// The ATR of the card in a slot, by slotDescription of CK_SLOT_INFO, which modules over PC/SC fill with the
    /// reader's name, padded or cut to 64 octets. Nothing where no reader is called so, or two are.
    [[nodiscard]] std::optional<Bytes> atr(std::string_view slot_description) const {
        std::lock_guard const lock{m_mutex};
        std::optional<Bytes> found;
        for (auto const& [name, atr] : m_cards) {
            if (!is_called(slot_description, name)) continue;
            if (found) return std::nullopt;
            found = atr;
        }
        return found;
    }

    /// For `pulled_out_since`.
    [[nodiscard]] std::uint64_t removals() const {
        std::lock_guard const lock{m_mutex};
        return m_removals;
    }
    /// Whether the card in a slot of that description was pulled out when `removals` had said this, or later; one that
    /// was put back since, too.
    [[nodiscard]] bool pulled_out_since(std::string_view slot_description, std::uint64_t removals) const {
        std::lock_guard const lock{m_mutex};
        return is_removed(slot_description, removals);
    }
    /// The same, waiting for it: a driver fails at once where pcscd needs a moment to see that the card is gone. Blocks
    /// for `patience` at most, or until `stop`.
    [[nodiscard]] bool pulled_out_soon(std::string_view slot_description, std::uint64_t removals,
                                       std::stop_token const& stop, std::chrono::milliseconds patience) const {
        std::unique_lock lock{m_mutex};
        return m_removed.wait_for(lock, stop, patience, [&] { return is_removed(slot_description, removals); });
    }

    /// Whether a slot of that description is the reader of that name.
    [[nodiscard]] static bool is_called(std::string_view slot_description, std::string_view reader) noexcept {
        constexpr std::size_t longest = 64; // sizeof CK_SLOT_INFO::slotDescription
        return !reader.empty() && trimmed(slot_description) == trimmed(reader.substr(0, longest));
    }

private:
    [[nodiscard]] bool is_removed(std::string_view slot_description, std::uint64_t removals) const {
        return std::ranges::any_of(m_pulled_out, [&](auto const& last) {
            return last.second > removals && is_called(slot_description, last.first);
        });
    }
    static std::string_view trimmed(std::string_view text) noexcept {
        auto const end = text.find_last_not_of(std::string_view{" \0", 2});
        return end == std::string_view::npos ? std::string_view{} : text.substr(0, end + 1);
    }

    mutable std::mutex m_mutex;
    mutable std::condition_variable_any m_removed;
    std::map<std::string, Bytes> m_cards;
    std::uint64_t m_removals = 0;
    std::map<std::string, std::uint64_t> m_pulled_out; ///< which removal was the last, by the name of the reader
};

/// A card from a moment on, by the reader it is in. Of modules that have no readers nothing is known: their tokens are
/// never pulled out.
class CardInPlace {
public:
    CardInPlace() = default;
    /// `since`: what Readers::removals() said in that moment. `readers` outlives this.
    CardInPlace(Readers const& readers, std::string slot_description, std::uint64_t since)
        : m_readers{&readers}, m_reader{std::move(slot_description)}, m_since{since} {}

    [[nodiscard]] std::string const& reader() const noexcept { return m_reader; }
    [[nodiscard]] bool pulled_out() const {
        return m_readers != nullptr && m_readers->pulled_out_since(m_reader, m_since);
    }
    /// What failed, by its cause where that is the card's absence, which shows a moment later. Blocks for a second at
    /// most, and only for errors that may be one.
    [[nodiscard]] Error by_cause(Error error, std::stop_token const& stop) const {
        constexpr std::chrono::seconds patience{1};
        if (error.code != Errc::token_failure || m_readers == nullptr || m_reader.empty()) return error;
        if (m_readers->pulled_out_soon(m_reader, m_since, stop, patience)) error.code = Errc::token_absent;
        return error;
    }

private:
    Readers const* m_readers = nullptr;
    std::string m_reader; ///< empty: the module has none
    std::uint64_t m_since = 0;
};

} // namespace tamga::pkcs11
