#include "cli/sign.hpp"

#include "base/base64.hpp"
#include "cli/daemon_talk.hpp"
#include "cli/printable.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>

namespace tamga::cli {

namespace {

constexpr std::size_t piece = std::size_t{512} * 1024;

/// What one file is signed as.
struct Job {
    std::filesystem::path file;
    std::filesystem::path output;
};

std::string_view ending_of(std::string const& format) {
    if (format == "xml") return ".signed.xml";
    return format == "raw" ? ".sig" : ".cms";
}

class Signing {
public:
    Signing(SignRequest const& request, std::ostream& out, std::ostream& complaints)
        : m_request{request}, m_out{out}, m_complaints{complaints} {}

    int run() {
        if (!plan()) return exit_failed;
        auto client = connect(m_request.socket, m_request.language, m_complaints);
        if (!client) return exit_not_running;
        client->on_notification([this](std::string_view said, Tree const& params) { progress(said, params); });
        auto params = parameters();
        Tree::List documents;
        for (auto const& job : m_jobs) {
            auto const upload = send_file(*client, job.file);
            if (!upload) return m_code;
            documents.emplace_back(Tree{}.add("upload", *upload));
        }
        params.add("documents", std::move(documents));
        auto const made = call(*client, m_request.language, "sign", params, m_complaints, m_code);
        return made ? write_all(*made) : m_code;
    }

private:
    bool fail(char const* words, std::filesystem::path const& path) {
        m_complaints << text(m_request.language, words, {path.string()}) << '\n';
        m_code = exit_failed;
        return false;
    }

    /// Where everything will go is settled before anybody is asked.
    bool plan() {
        bool const into_folder = std::filesystem::is_directory(m_request.output);
        if (m_request.files.size() > 1 && !m_request.output.empty() && !into_folder)
            return fail(message_id("Several files need a folder to be written into: %1 is none."), m_request.output);
        for (auto const& file : m_request.files) {
            if (!std::filesystem::is_regular_file(file)) return fail(message_id("This file cannot be read: %1"), file);
            auto output = m_request.output;
            if (output.empty() || into_folder) {
                auto name = file.filename();
                name += ending_of(m_request.format);
                output = into_folder ? output / name : file.parent_path() / name;
            }
            if (!m_request.overwrite && std::filesystem::exists(output))
                return fail(message_id("This file is there already: %1. Use --overwrite to replace it."), output);
            m_jobs.push_back({file, output});
        }
        return true;
    }

    [[nodiscard]] Tree parameters() const {
        Tree params;
        params.add("purpose", m_request.service.empty() ? "document" : "service_request");
        params.add_unless_empty("service", m_request.service).add("format", m_request.format);
        if (m_request.format == "cms") params.add("attached", !m_request.detached);
        if (m_request.timestamp) params.add("timestamp", true);
        Tree signer;
        signer.add_unless_empty("iin", m_request.iin).add_unless_empty("bin", m_request.bin);
        signer.add_unless_empty("serial_number", m_request.serial_number);
        return params.add("signer", std::move(signer));
    }

    /// @return the name of the upload; nothing where it failed, which was said.
    std::optional<std::string> send_file(LocalClient& client, std::filesystem::path const& path) {
        std::ifstream file{path, std::ios::binary};
        std::error_code failure;
        auto const size = std::filesystem::file_size(path, failure);
        if (!file || failure) return fail(message_id("This file cannot be read: %1"), path), std::nullopt;
        Tree announced;
        announced.add("size", static_cast<std::int64_t>(size)).add("title", title_of(path));
        auto const begun = call(client, m_request.language, "upload.begin", announced, m_complaints, m_code);
        if (!begun) return std::nullopt;
        Bytes buffer(piece);
        while (file) {
            file.read(reinterpret_cast<char*>(buffer.data()), static_cast<std::streamsize>(buffer.size()));
            auto const sent = client.send(View{buffer}.first(static_cast<std::size_t>(file.gcount())));
            if (!sent) return m_code = complain(m_request.language, sent.error(), m_complaints), std::nullopt;
        }
        std::string upload{begun->text("upload")};
        auto const ended =
            call(client, m_request.language, "upload.end", Tree{}.add("upload", upload), m_complaints, m_code);
        return ended ? std::optional{upload} : std::nullopt;
    }

    /// Its end is what a long name is known by.
    static std::string title_of(std::filesystem::path const& path) {
        constexpr std::size_t longest = 1000;
        auto const name = path.filename().string();
        return name.substr(0, longest);
    }

    void progress(std::string_view said, Tree const& params) {
        if (said != "sign.progress" || !::isatty(STDERR_FILENO)) return;
        if (params.text("stage") == "asking" && has_display())
            m_complaints << text(m_request.language, "Waiting for your decision in Tamga's window ...") << '\n';
        else if (params.number("total") > 1)
            m_complaints << '\r' << params.number("done") << '/' << params.number("total") << std::flush;
    }

    int write_all(Tree const& made) {
        auto const& signatures = made.list("signatures");
        if (signatures.size() != m_jobs.size())
            return complain(m_request.language, Error{Errc::message_malformed, "signatures"}, m_complaints);
        Tree::List written;
        for (std::size_t i = 0; i < m_jobs.size(); ++i) {
            auto const* const text = std::get_if<std::string>(&signatures[i].value);
            auto octets = text == nullptr             ? Result<Bytes>{Errc::message_malformed}
                          : m_request.format == "xml" ? Result<Bytes>{to_bytes(as_view(*text))}
                                                      : from_base64(*text);
            auto const kept = octets ? write(m_jobs[i].output, *octets) : Result<void>{octets.error()};
            if (!kept) return complain(m_request.language, kept.error(), m_complaints);
            Tree entry;
            entry.add("file", m_jobs[i].file.string()).add("signature", m_jobs[i].output.string());
            written.push_back(std::move(entry));
            if (m_request.form == ReportForm::words)
                m_out << tamga::text(m_request.language, "Written: %1", {m_jobs[i].output.string()}) << '\n';
        }
        if (m_request.form == ReportForm::json) {
            Tree report;
            report.add("format", m_request.format).add("certificate", made.text("certificate"));
            m_out << printable_json(report.add("signed", std::move(written))) << '\n';
        }
        return 0;
    }

    /// A file that appeared meanwhile is not overwritten either.
    Result<void> write(std::filesystem::path const& path, View octets) const {
        int const existing = m_request.overwrite ? O_TRUNC : O_EXCL;
        int const file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | existing, 0666);
        if (file < 0) return system_error(path.string(), errno);
        while (!octets.empty()) {
            auto const done = ::write(file, octets.data(), octets.size());
            if (done < 0 && errno == EINTR) continue;
            if (done < 0) break;
            octets = octets.subspan(static_cast<std::size_t>(done));
        }
        int const why = errno;
        bool const closed = ::close(file) == 0;
        if (!octets.empty() || !closed) return system_error(path.string(), octets.empty() ? errno : why);
        return ok();
    }

    SignRequest const& m_request;
    std::ostream& m_out;
    std::ostream& m_complaints;
    std::vector<Job> m_jobs;
    int m_code = exit_failed;
};

} // namespace

int run_sign(SignRequest const& request, std::ostream& out, std::ostream& complaints) {
    return Signing{request, out, complaints}.run();
}

} // namespace tamga::cli
