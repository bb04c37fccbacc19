// How many sockets each site has open, so that no site takes all of them.
#pragma once

#include "daemon/sites.hpp"

#include <map>
#include <optional>
#include <string>
#include <utility>

namespace tamga::daemon {

/// Loop thread.
class Attendance {
public:
    static constexpr std::size_t of_an_allowed_site = 512;
    static constexpr std::size_t of_another_site = 16;
    static constexpr std::size_t of_all_others = 128; ///< sites that nobody has allowed, together

    /// One socket's place, given back by its destructor.
    class Place {
    public:
        Place(Place&& other) noexcept
            : m_attendance{std::exchange(other.m_attendance, nullptr)},
              m_origin{std::move(other.m_origin)},
              m_allowed{other.m_allowed} {}
        Place& operator=(Place&&) = delete;
        ~Place() {
            if (m_attendance != nullptr) m_attendance->leave(m_origin, m_allowed);
        }

    private:
        friend class Attendance;
        Place(Attendance& attendance, std::string origin, bool allowed)
            : m_attendance{&attendance}, m_origin{std::move(origin)}, m_allowed{allowed} {}

        Attendance* m_attendance;
        std::string m_origin;
        bool m_allowed;
    };

    /// Nothing where the site, or all that are not allowed together, have as many as they may.
    std::optional<Place> enter(std::string const& origin, Standing standing) {
        bool const allowed = standing == Standing::allowed;
        auto const found = m_sockets.find(origin);
        auto const open = found == m_sockets.end() ? 0 : found->second;
        if (open >= (allowed ? of_an_allowed_site : of_another_site)) return std::nullopt;
        if (!allowed && m_others >= of_all_others) return std::nullopt;
        ++m_sockets[origin];
        if (!allowed) ++m_others;
        return Place{*this, origin, allowed};
    }

private:
    void leave(std::string const& origin, bool allowed) {
        auto const found = m_sockets.find(origin);
        if (--found->second == 0) m_sockets.erase(found);
        if (!allowed) --m_others;
    }

    std::map<std::string, std::size_t> m_sockets;
    std::size_t m_others = 0;
};

} // namespace tamga::daemon
