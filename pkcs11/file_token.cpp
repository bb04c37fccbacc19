#include "pkcs11/file_token.hpp"

#include "base/handshake.hpp"
#include "base/log.hpp"
#include "base/sealed_items.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace tamga::pkcs11 {

using std::chrono::steady_clock;
using std::chrono::system_clock;

namespace {

constexpr std::chrono::seconds longest_silence{120}; ///< as with a token
constexpr ipc::SlotId only_slot{0};

ipc::TokenInfo describe_file() {
    ipc::TokenInfo info;
    info.storage = ipc::key_file_storage;
    info.family = "file";
    info.login_required = info.pin_initialized = true;
    info.shortest_pin = keyfile::shortest_password;
    info.longest_pin = keyfile::longest_password;
    return info;
}

/// From the start of the file, whatever was read of it before; one octet more than may be.
Result<Bytes> octets_of(UniqueFd const& file) {
    Bytes octets(keyfile::max_file_size + 1);
    std::size_t size = 0;
    while (size < octets.size()) {
        auto const got = ::pread(file.get(), octets.data() + size, octets.size() - size, static_cast<::off_t>(size));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return Error{Errc::key_file_malformed, "it cannot be read"};
        if (got == 0) break;
        size += static_cast<std::size_t>(got);
    }
    octets.resize(size);
    return octets;
}

} // namespace

// ---- the lease ----

FileLease::FileLease(std::vector<keyfile::SigningKey> keys)
    : m_keys{std::move(keys)}, m_last_use{steady_clock::now()} {}

std::vector<Bytes> FileLease::certificates() const {
    std::vector<Bytes> certificates;
    for (auto const& key : m_keys)
        certificates.push_back(key.certificate().der());
    return certificates;
}

Result<void> FileLease::add_to_mandate(ipc::Mandate const& message) {
    m_last_use = steady_clock::now();
    if (m_mandate) return m_mandate->add(message);
    auto const key = std::ranges::find_if(m_keys, [&](keyfile::SigningKey const& each) {
        return each.certificate().fingerprint() == message.certificate;
    });
    if (key == m_keys.end()) return Errc::key_not_found;
    auto mandate = Mandate::begin(message, key->certificate(), m_last_use);
    if (!mandate) return mandate.error();
    m_mandate = std::move(*mandate);
    m_key = &*key;
    return ok();
}

Result<std::vector<Bytes>> FileLease::sign(std::vector<View> const& items) {
    if (!has_mandate()) return Error{Errc::mandate_violated, "no mandate"};
    auto const unix_now = system_clock::to_time_t(system_clock::now());
    std::vector<Bytes> values;
    for (auto const item : items) {
        auto digest = m_mandate->redeem(item, steady_clock::now(), unix_now);
        if (!digest) return digest.error();
        values.push_back(std::move(*digest));
    }
    for (auto& value : values) {
        auto signature = m_key->sign(value);
        if (!signature) return signature.error();
        value = std::move(*signature);
        ++m_made;
    }
    m_last_use = steady_clock::now();
    return values;
}

SteadyTime FileLease::end() const {
    auto const silent = m_last_use + longest_silence;
    return m_mandate ? std::min(silent, m_mandate->expiry()) : silent;
}

Error FileLease::why_ended() const {
    if (m_mandate && end() == m_mandate->expiry()) return {Errc::mandate_violated, "mandate expired"};
    return {Errc::timeout, "nothing to sign for too long"};
}

// ---- the process ----

FileToken::FileToken(ipc::Channel control)
    : m_control{std::move(control), ipc::Role::launcher}, m_web{{}, ipc::Role::web}, m_prompt{{}, ipc::Role::prompt} {}

Result<void> FileToken::run() {
    if (auto said = ipc::say_hello(m_control.channel, ipc::Role::token); !said) return said.error();
    auto served = ok();
    while (served)
        served = turn();
    end_lease(Error{Errc::user_cancelled, "the request ended"});
    return served.error().code == Errc::channel_closed ? ok() : served;
}

/// A person's cancel (end of file) is heard before the next items are signed.
Result<void> FileToken::turn() {
    std::array<::pollfd, 3> ends{
        {{m_prompt.channel.fd(), POLLIN, 0}, {m_web.channel.fd(), POLLIN, 0}, {m_control.channel.fd(), POLLIN, 0}}};
    auto const timeout_ms = m_lease ? milliseconds_until(m_lease->end()) : -1;
    if (::poll(ends.data(), ends.size(), timeout_ms) < 0 && errno != EINTR) return system_error("poll", errno);
    if ((ends[0].revents & POLLHUP) != 0) return Error{Errc::channel_closed, "the prompt is gone"};
    if (ends[0].revents != 0) {
        if (auto served = serve_prompt(); !served) return served;
    }
    if (ends[1].revents != 0) serve_web();
    if (ends[2].revents != 0) {
        if (auto served = serve_control(); !served) return served;
    }
    if (m_lease && steady_clock::now() >= m_lease->end()) end_lease(m_lease->why_ended());
    return ok();
}

Result<void> FileToken::serve_control() {
    auto packet = m_control.next();
    if (!packet) return packet.error();
    if (!*packet) return ok();
    bool const is_web = (*packet)->is<ipc::WebChannel>();
    auto peer = greet(**packet, is_web ? ipc::Role::web : ipc::Role::prompt);
    if (!peer) return peer.error();
    if (is_web) {
        m_web = std::move(*peer);
        return ok();
    }
    auto const prompt = (*packet)->as<ipc::PromptChannel>();
    if (!prompt) return prompt.error();
    m_request = prompt->request;
    m_prompt = std::move(*peer);
    return ok();
}

Result<void> FileToken::serve_prompt() {
    auto packet = m_prompt.next();
    if (!packet) return packet.error();
    if (!*packet) return ok();
    if (auto const file = (*packet)->as<ipc::OpenKeyFile>()) {
        open_file(**packet, *file);
    } else if (auto wanted = (*packet)->as<ipc::Unlock>()) {
        unlock(*wanted);
    } else if (auto const mandate = (*packet)->as<ipc::Mandate>()) {
        add_to_mandate(*mandate);
    } else if (auto const change = (*packet)->as<ipc::ChangePin>()) {
        change_password(*change);
    } else {
        return Error{Errc::message_malformed, "it said what no prompt says"};
    }
    return ok();
}

/// Without tamga-web nothing can be signed any more: the request is over, and its prompt goes.
void FileToken::serve_web() {
    auto packet = m_web.next();
    if (packet && !*packet) return;
    if (packet) {
        if (auto const items = (*packet)->as<ipc::SignItems>()) {
            return sign(items->request, items->first, {items->items.begin(), items->items.end()});
        }
        if (auto const large = (*packet)->as<ipc::SignLarge>()) return sign_large(**packet, *large);
        if (auto const finished = (*packet)->as<ipc::FinishLease>()) {
            end_lease(ok());
            return tell_ended(finished->request, ok());
        }
        log::error("channel", {{"from", "tamga-web"}, {"type", unsigned{(*packet)->type()}}});
    }
    m_web.channel.close();
    end_lease(Error{Errc::channel_closed, "tamga-web is gone"});
}

// ---- the file ----

void FileToken::open_file(ipc::Packet& packet, ipc::OpenKeyFile const& message) {
    end_lease(Error{Errc::user_cancelled, "another file was chosen"});
    m_file.reset();
    Result<void> opened = Error{Errc::message_malformed, "no file"};
    if (packet.descriptors.size() == 1) {
        auto const octets = octets_of(packet.descriptors.front());
        auto file = octets ? keyfile::KeyFile::parse(*octets) : octets.error();
        opened = file ? ok() : Result<void>{file.error()};
        if (file) m_file = std::move(*file);
    }
    if (opened) tell(m_prompt.channel, ipc::TokenFound{message.query, only_slot, describe_file(), 0});
    tell(m_prompt.channel, ipc::ListingDone{message.query, ipc::Status::from(opened)});
    if (!opened) log::info("file", {{"error", wire_name(opened.error().code)}, {"detail", opened.error().detail}});
}

void FileToken::unlock(ipc::Unlock const& message) {
    end_lease(Error{Errc::user_cancelled, "the password was typed again"});
    auto keys = m_file ? m_file->open(message.pin) : Error{Errc::mandate_violated, "a password without a file"};
    auto const unlocked = keys ? ok() : Result<void>{keys.error()};
    if (!unlocked) {
        log::info("unlock", {{"request", m_request.value()},
                             {"outcome", wire_name(unlocked.error().code)},
                             {"detail", unlocked.error().detail}});
    }
    tell(m_prompt.channel, ipc::UnlockReply{ipc::Status::from(unlocked), describe_file(), false});
    if (!keys) return;
    m_lease.emplace(std::move(*keys));
    for (auto const& certificate : m_lease->certificates())
        tell(m_prompt.channel, ipc::CertificateFound{0, only_slot, certificate});
    tell(m_prompt.channel, ipc::ListingDone{0, ipc::Status::from(ok())});
}

/// Writes nothing: the new file's octets go to the prompt, which knows where the old one lies.
void FileToken::change_password(ipc::ChangePin const& message) {
    auto const octets = m_file ? m_file->with_password(message.old_pin, message.new_pin)
                               : Error{Errc::mandate_violated, "a password without a file"};
    auto const sealed = octets ? seal_items({View{*octets}}) : octets.error();
    auto const status = sealed ? ok() : Result<void>{sealed.error()};
    log::info("password", {{"request", m_request.value()},
                           {"outcome", status ? "ok" : wire_name(status.error().code)},
                           {"detail", status ? "" : status.error().detail}});
    ipc::PinChanged const changed{ipc::Status::from(status), describe_file()};
    auto const sent = sealed ? m_prompt.channel.send(changed, {sealed->get()}) : m_prompt.channel.send(changed);
    if (!sent) log::info("password", {{"error", sent.error().detail}});
}

// ---- mandate and signatures ----

void FileToken::add_to_mandate(ipc::Mandate const& message) {
    Result<void> taken = Error{Errc::mandate_violated, "a mandate without a lease"};
    if (m_lease && message.request == m_request) taken = m_lease->add_to_mandate(message);
    if (taken && !message.last) return;
    if (!taken) end_lease(taken);
    tell(m_prompt.channel, ipc::MandateReply{ipc::Status::from(taken)});
}

void FileToken::sign(ipc::RequestId request, std::uint32_t first, std::vector<View> const& items) {
    Result<std::vector<Bytes>> made = Error{Errc::mandate_violated, "no mandate for this request"};
    if (m_lease && request == m_request) made = m_lease->sign(items);
    if (made) return tell(m_web.channel, ipc::Signatures{request, first, std::move(*made)});
    end_lease(made.error());
    tell_ended(request, made.error());
}

void FileToken::sign_large(ipc::Packet& packet, ipc::SignLarge const& large) {
    auto const sealed = packet.descriptors.size() == 1 ? SealedItems::open(packet.descriptors.front(), 1)
                                                       : Error{Errc::message_malformed, "no memfd"};
    // An empty list of items would be signed without a word.
    if (sealed && sealed->items().size() == 1) return sign(large.request, large.index, sealed->items());
    Error const error{Errc::message_malformed, "memfd"};
    end_lease(error);
    tell_ended(large.request, error);
}

void FileToken::end_lease(Result<void> const& why) {
    if (!m_lease) return;
    log::info("lease", {{"request", m_request.value()},
                        {"outcome", why ? "ok" : wire_name(why.error().code)},
                        {"detail", why ? "" : why.error().detail},
                        {"signatures", m_lease->signatures_made()}});
    m_lease.reset();
}

void FileToken::tell_ended(ipc::RequestId request, Result<void> const& why) {
    tell(m_web.channel, ipc::LeaseEnded{request, ipc::Status::from(why)});
}

} // namespace tamga::pkcs11
