#include "daemon/uploads.hpp"

#include "signing/algorithm.hpp"

#include <algorithm>

namespace tamga::daemon {

using signing::DigestAlgorithm;

std::vector<DigestAlgorithm> usable_digests() {
    std::vector<DigestAlgorithm> found;
    for (auto const& algorithm : signing::algorithms()) {
        bool const known = std::ranges::find(found, algorithm.digest) != found.end();
        if (!known && signing::RunningDigest::begin(algorithm.digest)) found.push_back(algorithm.digest);
    }
    return found;
}

// ---- hashing ----

Result<std::unique_ptr<Hashing>> Hashing::begin(asio::any_io_executor executor, Compute& compute,
                                                std::vector<DigestAlgorithm> const& algorithms) {
    std::unique_ptr<Hashing> hashing{new Hashing{std::move(executor), compute}};
    for (auto const algorithm : algorithms) {
        auto digest = signing::RunningDigest::begin(algorithm);
        if (!digest) return digest.error();
        hashing->m_shared->digests.push_back(std::move(*digest));
    }
    hashing->m_shared->spare.put(Bytes(Uploads::piece));
    return hashing;
}

Task<Bytes> Hashing::add(Bytes buffer, std::size_t size) {
    auto next = co_await m_shared->spare.next();
    auto hash = [shared = m_shared, octets = std::move(buffer), size]() mutable {
        for (auto& digest : shared->digests)
            digest.add(View{octets}.first(size));
        return std::move(octets);
    };
    auto give_back = [shared = m_shared](Bytes octets) { shared->spare.put(std::move(octets)); };
    m_compute.start(m_executor, std::move(hash), std::move(give_back));
    co_return std::move(*next);
}

Task<Result<std::vector<ipc::NamedDigest>>> Hashing::finish() {
    auto const last = co_await m_shared->spare.next(); // it comes back when it was hashed
    static_cast<void>(last);
    std::vector<ipc::NamedDigest> named;
    for (auto& digest : m_shared->digests) {
        auto value = digest.finish();
        if (!value) co_return value.error();
        named.push_back({signing::name_of(digest.algorithm()).oid, std::move(*value)});
    }
    co_return named;
}

// ---- uploads ----

Result<std::string> Uploads::begin(protocol::v1::BeginUpload wanted) {
    if (m_open) return Error{Errc::busy, "an upload of this connection is open"};
    if (m_finished.size() >= most) return Error{Errc::too_large, "uploads that nothing was made of"};
    Open open;
    open.size = wanted.size;
    open.upload.label = std::move(wanted.label);
    open.upload.label.size = wanted.size;
    if (wanted.size > kept) {
        std::vector<DigestAlgorithm> algorithms;
        for (auto const& oid : wanted.digests) {
            if (auto const found = signing::digest_by_oid(oid)) algorithms.push_back(*found);
        }
        auto hashing = Hashing::begin(m_executor, m_compute, algorithms.empty() ? usable_digests() : algorithms);
        if (!hashing) return hashing.error();
        open.hashing = std::move(*hashing);
    } else {
        open.upload.content.reserve(static_cast<std::size_t>(wanted.size));
    }
    open.name = "upload-" + std::to_string(++m_last);
    m_open = std::move(open);
    return m_open->name;
}

Task<Bytes> Uploads::add(Bytes buffer, std::size_t size) {
    auto const before = m_open->arrived;
    m_open->arrived += size;
    if (m_open->arrived > m_open->size || before > m_open->size) co_return buffer;
    if (m_open->hashing) {
        auto next = co_await m_open->hashing->add(std::move(buffer), size);
        co_return next;
    }
    auto& content = m_open->upload.content;
    content.insert(content.end(), buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(size));
    co_return buffer;
}

Task<Result<protocol::v1::Uploaded>> Uploads::end(std::string name) {
    if (!m_open || m_open->name != name) co_return Error{Errc::file_not_found, "no upload of that name is open"};
    auto open = std::move(*m_open);
    m_open.reset();
    if (open.arrived != open.size) {
        co_return Error{Errc::bad_request, "size: " + std::to_string(open.size) + " octets were announced, and " +
                                               std::to_string(open.arrived) + " came"};
    }
    if (open.hashing) {
        auto digests = co_await open.hashing->finish();
        if (!digests) co_return digests.error();
        open.upload.label.digests = std::move(*digests);
    }
    protocol::v1::Uploaded uploaded{open.name, open.size, open.upload.label.digests};
    m_finished.emplace(std::move(open.name), std::move(open.upload));
    co_return uploaded;
}

Result<Upload> Uploads::take(std::string const& name) {
    auto const found = m_finished.find(name);
    if (found == m_finished.end()) return Error{Errc::file_not_found, "no upload of that name is finished"};
    auto upload = std::move(found->second);
    m_finished.erase(found);
    return upload;
}

Result<void> Uploads::drop(std::string const& name) {
    if (m_open && m_open->name == name) {
        m_open.reset();
        return ok();
    }
    if (m_finished.erase(name) != 0) return ok();
    return Error{Errc::file_not_found, "no upload of that name"};
}

} // namespace tamga::daemon
