// Owning what a C library hands out: std::unique_ptr<X, Release<X_free>>.
#pragma once

namespace tamga {

template <auto release>
struct Release {
    template <class T>
    void operator()(T* object) const noexcept {
        release(object);
    }
};

} // namespace tamga
