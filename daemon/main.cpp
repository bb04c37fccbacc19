// tamga-web: faces the web. Holds no PIN, loads no module, starts nothing.
#include "base/log.hpp"
#include "base/trusted_file.hpp"
#include "daemon/sandbox/web_sandbox.hpp"
#include "daemon/server/server.hpp"
#include "daemon/sites_watch.hpp"
#include "net/sock_diag.hpp"
#include "policy/state_file.hpp"
#include "policy/web_config.hpp"
#include "signing/gost.hpp"
#include "trust/local_ca.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <malloc.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace {

using namespace tamga;
using namespace tamga::daemon;

constexpr int control_fd = 3;
constexpr int mapped_from = 1024 * 1024;

int fail(std::string_view what, Error const& error) {
    log::error(what, {{"error", wire_name(error.code)}, {"detail", error.detail}});
    return EXIT_FAILURE;
}

Result<TlsMaterial> load_tls() {
    auto const folder = trust::tls_folder();
    if (!folder) return folder.error();
    auto const tls = trust::load_or_create(*folder, std::chrono::system_clock::now());
    if (!tls) return tls.error();
    auto chain = read_trusted_file(tls->served.chain);
    if (!chain) return chain.error();
    auto key = read_trusted_file(tls->served.key);
    if (!key) return key.error();
    return TlsMaterial{std::move(*chain), std::move(*key)};
}

/// What this process may read and write from now on: what it needs to be told and to remember.
Result<void> keep_files() {
    std::vector<std::filesystem::path> writable;
    if (auto const sites = policy::ConsentBook::default_path(); !sites.empty()) writable.push_back(sites.parent_path());
    if (auto const tls = trust::tls_folder()) writable.push_back(*tls);
    // Its parent: who empties the cache takes the folder away, and a new one is none that was allowed.
    if (auto const cache = signing::RevocationCache::default_folder(); !cache.empty()) {
        writable.push_back(cache.parent_path());
    }
    auto const authorities = signing::TrustFolders::here();
    std::vector<std::filesystem::path> readable{authorities.shipped, authorities.computer, authorities.person};
    // Of the computer and of the package all can be read anyway.
    if (auto const person = policy::ServiceFolders::here().person; !person.empty())
        readable.insert(readable.end(), {person / "publishers.d", person / "services.d"});
    auto const kept = sandbox::keep_web_files(std::move(readable), std::move(writable));
    if (!kept) return kept.error();
    if (!*kept) log::warning("sandbox", {{"detail", "this kernel has no Landlock: files are not out of reach"}});
    return ok();
}

/// A service whose issuer is not known here is believed but for its chain, unless strict: the signature of the stamp
/// and what it says were verified.
Result<void> trust_stamp(Revocations const& revocations, signing::Timestamp const& stamp) {
    auto const chain = signing::build_chain(revocations.trusted(), stamp.authority, stamp.certificates, stamp.time,
                                            signing::ChainUse::timestamp);
    if (chain.state == signing::ChainState::good) return ok();
    bool const lenient = revocations.strictness() == signing::Strictness::lenient;
    if (chain.state == signing::ChainState::issuer_missing && lenient) return ok();
    return Error{Errc::timestamp_invalid, "the service: " + chain.detail};
}

policy::OriginRules key_origins(policy::WebConfig const& config) {
    policy::OriginRules rules;
    rules.allow = config.key_origins;
    rules.deny = config.origins.deny;
    rules.strict = true;
    return rules;
}

std::filesystem::path journal_file() {
    auto const folder = policy::state_folder();
    return folder.empty() ? folder : folder / "journal.db";
}

journal::Limits journal_limits(policy::WebConfig const& config) {
    journal::Limits limits;
    limits.entries = config.journal_entries;
    limits.in_vain = std::max<std::int64_t>(limits.entries / 10, 1);
    return limits;
}

int serve() {
    auto const config = policy::load_web_config(policy::config_files());
    if (!config) return fail("configuration", config.error());
    if (auto kept = keep_files(); !kept) return fail("sandbox", kept.error());
    auto sock_diag = net::SockDiag::open();
    if (!sock_diag) return fail("sock_diag", sock_diag.error());
    ServerOptions options;
    options.frame_octets = config->frame_bytes;
    options.buffered_octets = config->buffered_bytes;
    options.tls_material = load_tls;
    options.language = system_language();
    options.peer_uid = [&sock_diag](int socket) { return sock_diag->peer_uid(socket); };
    Sites sites{config->origins,
                policy::ConsentBook::load(policy::ConsentBook::default_path(), std::chrono::days{config->grant_days})};

    ServiceGate gate{policy::ServiceBook{policy::ServiceFolders::here(),
                                         config->user_catalogues ? policy::UserCatalogues::counted
                                                                 : policy::UserCatalogues::left_out,
                                         policy::Remembering::kept},
                     config->strict_services ? policy::Unclassified::refused : policy::Unclassified::shown};

    asio::io_context loop{1};
    Compute compute;
    HttpClient http{loop.get_executor(), config->proxy};
    StampSettings stamping{config->timestamp_url, config->timestamp_policy,
                           std::chrono::seconds{config->timestamp_seconds}};
    RevocationSettings judging{config->ocsp_url, config->crl_urls,
                               config->strict_certificates ? signing::Strictness::strict : signing::Strictness::lenient,
                               config->user_authorities ? signing::UserAuthorities::counted
                                                        : signing::UserAuthorities::left_out,
                               signing::TrustFolders::here()};
    Revocations revocations{loop.get_executor(), http, compute, std::move(judging),
                            signing::RevocationCache{signing::RevocationCache::default_folder()}};
    auto trusted = [&revocations](signing::Timestamp const& stamp) { return trust_stamp(revocations, stamp); };
    Stamps stamps{loop.get_executor(), http, compute, std::move(stamping), std::move(trusted)};
    auto const journal = config->journal_entries == 0 ? std::filesystem::path{} : journal_file();
    Recorder recorder{loop.get_executor(), journal, journal_limits(*config)};
    RememberedLogins remembered{recorder};
    revocations.on_revoked(
        [&remembered](ipc::Fingerprint const& certificate) { remembered.forget_revoked(certificate); });
    std::unique_ptr<Server> server;
    std::unique_ptr<Keys> keys;
    LauncherEvents events;
    events.listener = [&](ipc::Listener listener, UniqueFd socket) { server->listen(listener, std::move(socket)); };
    events.token_up = [&](ipc::ModuleIndex module, ipc::Channel channel) {
        keys->token_up(module, std::move(channel));
    };
    events.file_token_up = [&](ipc::RequestId request, ipc::Channel channel) {
        keys->file_token_up(request, std::move(channel));
    };
    events.token_gone = [&](ipc::ModuleIndex module) { keys->token_gone(module); };
    events.stop = [&] { server->stop([&loop] { loop.stop(); }); };
    events.finish = [&] { server->finish([&loop] { loop.stop(); }); };
    LauncherLink launcher{loop.get_executor(), ipc::Channel{UniqueFd{control_fd}}, std::move(events)};
    keys = std::make_unique<Keys>(loop.get_executor());
    Prompts prompts{loop.get_executor(), launcher};
    SignFlow flow{loop.get_executor(),
                  *keys,
                  prompts,
                  sites,
                  gate,
                  compute,
                  stamps,
                  revocations,
                  recorder,
                  remembered,
                  std::chrono::seconds{config->prompt_seconds}};
    Desk desk{flow, compute};
    Plugged plugged{loop.get_executor(), *keys};
    KeySettings key_settings{key_origins(*config), config->key_stores, Applications::default_folder(),
                             std::chrono::seconds{config->prompt_seconds}};
    KeyFlow key_flow{{*keys, prompts, flow, sites, compute, revocations, recorder}, std::move(key_settings)};
    StatusLinks links;
    Reminders reminders{compute, revocations, journal};
    SessionParts const session{
        loop.get_executor(), flow, key_flow, compute, plugged, *keys, sites, revocations, links, reminders,
        options.frame_octets};
    auto made = Server::make(loop, std::move(options), desk, session);
    if (!made) return fail("server", made.error());
    server = std::move(*made);
    sites.on_change([&] {
        remembered.forget_turned_away(sites);
        server->turn_sites_away();
    });
    SitesWatch watch{loop.get_executor(), sites, policy::ConsentBook::default_path()};

    // Early, so that the sandbox may one day refuse to map a library: it costs 0.3 MB and half a millisecond. Where the
    // package is missing, requests with a GOST key say so.
    if (auto loaded = signing::gost::load(); !loaded) log::info("gost", {{"detail", loaded.error().detail}});
    if (auto entered = sandbox::enter_web_sandbox(); !entered) return fail("sandbox", entered.error());
    asio::co_spawn(loop, launcher.run(), asio::detached);
    asio::co_spawn(loop, watch.run(), asio::detached);
    loop.run();
    recorder.finish();
    // Coroutines that still wait refer to the objects above; they end with the process, not one after the other.
    std::_Exit(EXIT_SUCCESS);
}

/// By hand it would wait for ever for a launcher that is not there.
bool started_by_launcher() {
    int type = 0;
    ::socklen_t size = sizeof type;
    return ::getsockopt(control_fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET;
}

} // namespace

int main() {
    ::prctl(PR_SET_DUMPABLE, 0);
    // Documents lie in mappings of their own, which go when they do. Left alone, the allocator moves this limit up with
    // the first large document and keeps the memory of the next ones.
    ::mallopt(M_MMAP_THRESHOLD, mapped_from);
    log::open("tamga-web");
    if (!started_by_launcher()) return fail("end", Error{Errc::bad_request, "tamgad alone starts this program"});
    return serve();
}
