#include "daemon/recorder.hpp"

#include "base/base64.hpp"
#include "base/log.hpp"
#include "base/utf8.hpp"
#include "policy/state_file.hpp"

#include <ctime>

namespace tamga::daemon {

namespace {

constexpr std::chrono::seconds between_counts{1};
constexpr std::size_t longest_subject = 1000;

std::int64_t now() {
    return std::time(nullptr);
}

std::string_view word_of(protocol::Use use) {
    switch (use) {
    case protocol::Use::unnamed: return "unnamed";
    case protocol::Use::sign_in: return "sign_in";
    case protocol::Use::service_request: return "service_request";
    case protocol::Use::key_account: return "key_account";
    case protocol::Use::document: return "document";
    }
    return "unnamed";
}

std::string_view word_of(protocol::Format format) {
    switch (format) {
    case protocol::Format::cms: return "cms";
    case protocol::Format::xml: return "xml";
    case protocol::Format::raw: return "raw";
    case protocol::Format::authenticate: return "authenticate";
    }
    return "raw";
}

/// As the window had it: what the protocol cannot say was taken from the key that is wanted, or from the site.
protocol::Use use_shown(protocol::Sign const& request, ipc::PromptRequest const& question) {
    if (question.purpose == ipc::Purpose::sign_in) return protocol::Use::sign_in;
    return question.service.inferred ? protocol::Use::service_request : request.claim.use;
}

std::string cut(std::string text, std::size_t most) {
    if (text.size() <= most) return text;
    while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xc0U) == 0x80U)
        --most;
    text.resize(most);
    return text;
}

void complain(Result<std::int64_t> const& written) {
    if (written) return;
    log::warning("journal", {{"error", wire_name(written.error().code)}, {"detail", written.error().detail}});
}

} // namespace

Recorder::Use::Use(Recorder& recorder, std::string site) : m_recorder{&recorder} {
    m_entry.at = now();
    m_entry.site = cut(std::move(site), journal::longest_text);
}

Recorder::Use::Use(Use&& other) noexcept
    : m_recorder{std::exchange(other.m_recorder, nullptr)},
      m_entry{std::move(other.m_entry)},
      m_certificate{std::move(other.m_certificate)},
      m_algorithm{std::move(other.m_algorithm)},
      m_begun{other.m_begun} {}

Recorder::Use::~Use() {
    settle(Error{Errc::withdrawn});
}

void Recorder::Use::begin(protocol::Sign const& request, ipc::PromptRequest const& question, std::size_t documents) {
    m_begun = true;
    m_entry.service = cut(request.claim.service, journal::longest_text);
    m_entry.use = word_of(use_shown(request, question));
    m_entry.form = word_of(request.format);
    m_entry.documents = static_cast<std::int64_t>(documents);
    m_entry.listed.resize(std::min(documents, journal::most_documents));
    for (std::size_t i = 0; i < std::min(m_entry.listed.size(), request.labels.size()); ++i)
        m_entry.listed[i].title = cut(request.labels[i].title, journal::longest_text);
}

void Recorder::Use::chosen(signing::Certificate const& certificate) {
    m_certificate = certificate;
    m_entry.certificate = to_hex(certificate.fingerprint());
    m_entry.subject = cut(certificate.subject_dn(), longest_subject);
    m_algorithm = signing::name_of(certificate.algorithm().digest).oid;
}

void Recorder::Use::signed_one(View digest) {
    auto const place = static_cast<std::size_t>(m_entry.signatures++);
    if (place >= m_entry.listed.size()) return;
    m_entry.listed[place].algorithm = m_algorithm;
    m_entry.listed[place].digest = to_hex(digest);
}

void Recorder::Use::settle(Result<void> const& outcome) {
    auto* const recorder = std::exchange(m_recorder, nullptr);
    if (recorder == nullptr || !m_begun) return;
    m_entry.until = m_entry.at;
    m_entry.outcome = outcome ? "signed" : wire_name(outcome.error().code);
    if (m_certificate) recorder->note(*m_certificate);
    recorder->add(std::move(m_entry), nullptr);
}

Recorder::Recorder(asio::any_io_executor executor, std::filesystem::path path, journal::Limits limits)
    : m_executor{executor}, m_shelf{std::make_shared<Shelf>(Shelf{std::move(path), limits})}, m_soon{executor} {}

/// A file that is damaged is put aside when it is opened again, so it costs one entry no more than a second try.
Result<std::int64_t> Recorder::Shelf::write(std::function<Result<std::int64_t>(journal::Book&)> const& work) {
    Result<std::int64_t> done{Errc::file_untrusted};
    for (int tries = 0; tries < 2 && !done && done.error().code == Errc::file_untrusted; ++tries) {
        if (!book) {
            if (auto made = policy::make_private_folder(path.parent_path()); !made) return made.error();
            auto opened = journal::Book::open(path, limits);
            if (!opened) return opened.error();
            book = std::move(*opened);
        }
        done = work(*book);
        if (!done) book.reset();
    }
    return done;
}

void Recorder::add(journal::Entry entry, std::shared_ptr<std::int64_t> id) {
    if (m_shelf->path.empty()) return;
    auto write = [shelf = m_shelf, entry = std::move(entry), id = std::move(id)] {
        auto added = shelf->write([&entry](journal::Book& book) { return book.add(entry); });
        if (added && id) *id = *added;
        return added;
    };
    m_writer.start(m_executor, std::move(write), complain);
}

void Recorder::note(signing::Certificate const& certificate) {
    if (m_shelf->path.empty()) return;
    journal::KnownCertificate known{to_hex(certificate.fingerprint()), to_base64(certificate.der()), now()};
    auto write = [shelf = m_shelf, known = std::move(known)] {
        return shelf->write([&known](journal::Book& book) -> Result<std::int64_t> {
            if (auto noted = book.note(known); !noted) return noted.error();
            return known.seen;
        });
    };
    m_writer.start(m_executor, std::move(write), complain);
}

// ---- remembered logins ----

void Recorder::remembered(std::string const& name, std::string const& site, signing::Certificate const& certificate) {
    auto const [place, is_first] = m_runs.try_emplace(name);
    auto& run = place->second;
    ++run.signatures;
    run.until = now();
    if (!is_first) {
        run.written = false;
        return count_soon();
    }
    run.id = std::make_shared<std::int64_t>(0);
    journal::Entry entry;
    entry.at = entry.until = run.until;
    entry.site = cut(site, journal::longest_text);
    entry.use = word_of(protocol::Use::sign_in);
    entry.form = word_of(protocol::Format::authenticate);
    entry.certificate = to_hex(certificate.fingerprint());
    entry.subject = cut(certificate.subject_dn(), longest_subject);
    entry.outcome = "signed";
    entry.documents = entry.signatures = 1;
    entry.remembered = true;
    add(std::move(entry), run.id);
}

void Recorder::forget(std::string const& name) {
    auto const found = m_runs.find(name);
    if (found == m_runs.end()) return;
    count_on(found->second);
    m_runs.erase(found);
}

void Recorder::count_soon() {
    if (std::exchange(m_waiting, true)) return;
    m_soon.expires_after(between_counts);
    m_soon.async_wait([this](boost::system::error_code) {
        m_waiting = false;
        count_all_on();
    });
}

void Recorder::count_all_on() {
    for (auto& [name, run] : m_runs)
        count_on(run);
}

void Recorder::count_on(Run& run) {
    if (std::exchange(run.written, true) || m_shelf->path.empty()) return;
    auto count = [shelf = m_shelf, id = run.id, until = run.until, signatures = run.signatures] {
        return shelf->write([&](journal::Book& book) -> Result<std::int64_t> {
            if (auto counted = book.count_on(*id, until, signatures); !counted) return counted.error();
            return *id;
        });
    };
    m_writer.start(m_executor, std::move(count), complain);
}

void Recorder::finish() {
    count_all_on();
    m_writer.finish();
}

} // namespace tamga::daemon
