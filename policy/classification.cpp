#include "policy/classification.hpp"

namespace tamga::policy {

namespace {

constexpr std::uint32_t short_term_minutes = 30;
constexpr std::uint32_t least_for_one_time_password = 2;
constexpr std::uint32_t least_for_eds = 4;

/// Counts and keeps the reasons.
class Count {
public:
    void criterion(Clause clause, std::uint32_t points, char const* message) { add(clause, points, message, points); }
    void term(std::uint32_t minutes) {
        // Paragraph 5 has "exceeds 30 minutes", Appendix 2 "less than 30".
        if (minutes > short_term_minutes)
            add(Clause::criterion_3, 1, message_id("The term is %1 minutes, more than 30: 1"), minutes);
        else
            add(Clause::criterion_3, 0, message_id("The term is %1 minutes, not more than 30: 0"), minutes);
        if (minutes == short_term_minutes) {
            note(
                Clause::criterion_3,
                message_id("Exactly 30 minutes: paragraph 5 counts a term that exceeds them, Appendix 2 sets apart one "
                           "of less than 30. Paragraph 5 is followed"));
        }
    }
    void note(Clause clause, char const* message) { add(clause, 0, message, 0); }

    [[nodiscard]] std::uint32_t total() const noexcept { return m_total; }
    [[nodiscard]] std::vector<Reason> take_reasons() { return std::move(m_reasons); }

    Method method_by_total() {
        if (m_total >= least_for_eds) {
            add(Clause::totals, 0, message_id("The total is %1, from 4 to 6: login and password, and an EDS"), m_total);
            return Method::eds;
        }
        if (m_total >= least_for_one_time_password) {
            add(Clause::totals, 0,
                message_id("The total is %1, from 2 to 3: login and password, and a one-time password"), m_total);
            return Method::one_time_password;
        }
        add(Clause::totals, 0, message_id("The total is %1, not more than 1: login and password"), m_total);
        return Method::login_and_password;
    }

private:
    void add(Clause clause, std::uint32_t points, char const* message, std::uint32_t number) {
        m_total += points;
        m_reasons.push_back({clause, message, number});
    }

    std::uint32_t m_total = 0;
    std::vector<Reason> m_reasons;
};

void count(Count& count, Criteria const& criteria) {
    if (criteria.risk)
        count.criterion(Clause::criterion_1, 2, message_id("Disclosed personal data could cause damage: %1"));
    else
        count.criterion(Clause::criterion_1, 1, message_id("Disclosed personal data could cause no damage: %1"));
    if (criteria.changes_database)
        count.criterion(Clause::criterion_2, 2, message_id("The service changes the provider's database: %1"));
    else
        count.criterion(Clause::criterion_2, 0, message_id("The service does not change the provider's database: %1"));
    count.term(criteria.minutes);
    if (criteria.paid)
        count.criterion(Clause::criterion_4, 1, message_id("The service is paid: %1"));
    else
        count.criterion(Clause::criterion_4, 0, message_id("The service is free of charge: %1"));
}

bool is_message(Channel channel) {
    switch (channel) {
    case Channel::portal:
    case Channel::mobile_application: return false;
    case Channel::instant_message:
    case Channel::sms: return true;
    }
    return false;
}

Method with_flags(Count& count, Method method, Flags flags) {
    if (flags.permit) {
        count.note(Clause::appendix_1_paragraph_2, message_id("A permit always needs an EDS, whatever the total is"));
    }
    if (flags.composite) {
        count.note(Clause::appendix_1_paragraph_2,
                   message_id("A composite service always needs an EDS, whatever the total is; one is enough for all "
                              "its parts"));
    }
    return flags.permit || flags.composite ? Method::eds : method;
}

char const* citation(Clause clause) {
    switch (clause) {
    case Clause::criterion_1: return message_id("Rules, paragraph 5 and Appendix 2, criterion 1");
    case Clause::criterion_2: return message_id("Rules, paragraph 5 and Appendix 2, criterion 2");
    case Clause::criterion_3: return message_id("Rules, paragraph 5 and Appendix 2, criterion 3");
    case Clause::criterion_4: return message_id("Rules, paragraph 5 and Appendix 2, criterion 4");
    case Clause::totals: return message_id("Rules, paragraph 5 and Appendix 2");
    case Clause::appendix_1: return message_id("Rules, Appendix 1");
    case Clause::appendix_1_paragraph_2: return message_id("Rules, Appendix 1, paragraph 2");
    case Clause::channels: return message_id("Rules, on the channels of a service");
    }
    return "";
}

} // namespace

Classification classify(Criteria const& criteria, Flags flags, Channel channel) {
    Count counted;
    count(counted, criteria);
    auto method = with_flags(counted, counted.method_by_total(), flags);
    if (method == Method::one_time_password && is_message(channel)) {
        counted.note(Clause::channels, message_id("A one-time password is not applied to a service that is received by "
                                                  "message; the Rules name nothing in its place"));
        method = Method::none_named;
    }
    Classification result;
    result.score = static_cast<std::uint8_t>(counted.total());
    result.method = method;
    if (method == Method::one_time_password) {
        counted.note(Clause::appendix_1, message_id("An EDS is accepted in the place of the one-time password"));
        result.alternatives.push_back(Method::eds);
    }
    if (method == Method::eds)
        counted.note(Clause::appendix_1, message_id("A one-time password is not accepted in the place of an EDS"));
    result.reasons = counted.take_reasons();
    return result;
}

std::string words(Language language, Reason const& reason) {
    return text(language, reason.message, {std::to_string(reason.number)})
        .append(" [")
        .append(text(language, citation(reason.clause)))
        .append("]");
}

std::string words(Language language, Method method) {
    switch (method) {
    case Method::login_and_password: return std::string{text(language, "login and password")};
    case Method::one_time_password: return std::string{text(language, "login and password, and a one-time password")};
    case Method::eds: return std::string{text(language, "login and password, and an EDS")};
    case Method::none_named: return std::string{text(language, "no method is named")};
    }
    return {};
}

std::string edition_words(Language language) {
    return text(language,
                "Order No. 10 of the Minister for Investment and Development of 19 January 2016, registered as No. "
                "13191, as amended in 2017 and 2019 (edition %1)",
                {rules_edition});
}

std::string_view name_of(Channel channel) noexcept {
    switch (channel) {
    case Channel::portal: return "portal";
    case Channel::mobile_application: return "mobile_application";
    case Channel::instant_message: return "instant_message";
    case Channel::sms: return "sms";
    }
    return "";
}

std::string_view name_of(Method method) noexcept {
    switch (method) {
    case Method::login_and_password: return "login_and_password";
    case Method::one_time_password: return "one_time_password";
    case Method::eds: return "eds";
    case Method::none_named: return "none_named";
    }
    return "";
}

} // namespace tamga::policy
