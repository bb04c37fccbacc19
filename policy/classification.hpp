// How the law classifies a public service: by what a person proves who they are when asking for it. Pure functions of
// the Rules that Order No. 10 of 19 January 2016 approves (docs/services.md has the table and the clauses).
#pragma once

#include "base/text.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tamga::policy {

/// Which text of the Rules this is made from, as catalogues name it: registered as No. 13191, amended in 2017 and 2019.
inline constexpr std::string_view rules_edition = "V1600013191-2019";

/// The four that are scored (paragraph 5, Appendix 2).
struct Criteria {
    bool risk = false;             ///< of damage where personal data is disclosed
    bool changes_database = false; ///< the provider's; a certificate or an extract changes none
    std::uint32_t minutes = 0;     ///< from the request to the result
    bool paid = false;
};

/// What needs an EDS whatever the score is.
struct Flags {
    bool permit = false;
    bool composite = false; ///< several related services on one request
};

/// By which the result is received.
enum class Channel : std::uint8_t { portal, mobile_application, instant_message, sms };

/// How a person proves who they are. The second and the third beside login and password.
enum class Method : std::uint8_t {
    login_and_password,
    one_time_password,
    eds,
    none_named, ///< a one-time password is not applied on this channel, and the Rules name nothing in its place
};

/// Where a reason stands.
enum class Clause : std::uint8_t {
    criterion_1, ///< paragraph 5 and Appendix 2, with the number of the criterion
    criterion_2,
    criterion_3,
    criterion_4,
    totals, ///< paragraph 5 and Appendix 2
    appendix_1,
    appendix_1_paragraph_2,
    channels,
};

/// One step of a classification. `message` names the words, in which %1 is `number`.
struct Reason {
    Clause clause{};
    char const* message = nullptr;
    std::uint32_t number = 0;
};

struct Classification {
    std::uint8_t score = 0; ///< 1 to 6: the first criterion gives at least 1
    Method method{};
    std::vector<Method> alternatives; ///< accepted in the place of `method`
    std::vector<Reason> reasons;      ///< in the order in which one would count
    std::string_view edition = rules_edition;
};

/// Total.
[[nodiscard]] Classification classify(Criteria const& criteria, Flags flags, Channel channel);

/// "The term is 45 minutes, more than 30: 1 [Rules, paragraph 5 and Appendix 2, criterion 3]".
[[nodiscard]] std::string words(Language language, Reason const& reason);
/// "login and password, and an EDS".
[[nodiscard]] std::string words(Language language, Method method);
/// The Order, its number in the state register, and the amendments it was read with.
[[nodiscard]] std::string edition_words(Language language);

/// As catalogues, the command line and JSON name them: "portal", "eds" ...
[[nodiscard]] std::string_view name_of(Channel channel) noexcept;
[[nodiscard]] std::string_view name_of(Method method) noexcept;

inline constexpr Channel channels[] = {Channel::portal, Channel::mobile_application, Channel::instant_message,
                                       Channel::sms};

} // namespace tamga::policy
