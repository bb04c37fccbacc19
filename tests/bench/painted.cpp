// Waits for windows on DISPLAY, and prints for each the CLOCK_MONOTONIC nanoseconds at which it was mapped and at which
// it first held a picture: more than one colour within its middle third. A window without a background shows what lay
// under it, which on an empty display is one colour. It looks every two milliseconds, and only while a window waits for
// its picture. No window manager must be running: its frame would be a picture already.
#include <xcb/xcb.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <memory>
#include <thread>

namespace {

struct Free {
    void operator()(void* reply) const noexcept { std::free(reply); }
};

long long now() {
    return std::chrono::nanoseconds{std::chrono::steady_clock::now().time_since_epoch()}.count();
}

bool has_picture(xcb_connection_t* connection, xcb_window_t window) {
    std::unique_ptr<xcb_get_geometry_reply_t, Free> const shape{
        xcb_get_geometry_reply(connection, xcb_get_geometry(connection, window), nullptr)};
    if (!shape || shape->height < 3) return false;
    auto const third = static_cast<std::uint16_t>(shape->height / 3);
    auto const asked = xcb_get_image(connection, XCB_IMAGE_FORMAT_Z_PIXMAP, window, 0, static_cast<std::int16_t>(third),
                                     shape->width, third, ~0U);
    std::unique_ptr<xcb_get_image_reply_t, Free> const image{xcb_get_image_reply(connection, asked, nullptr)};
    if (!image) return false;
    auto const* const pixels = xcb_get_image_data(image.get());
    auto const size = xcb_get_image_data_length(image.get());
    constexpr int pixel = 4; // of a 24-bit screen
    return size > pixel && std::memcmp(pixels, pixels + pixel, static_cast<std::size_t>(size - pixel)) != 0;
}

bool exists(xcb_connection_t* connection, xcb_window_t window) {
    std::unique_ptr<xcb_get_window_attributes_reply_t, Free> const attributes{
        xcb_get_window_attributes_reply(connection, xcb_get_window_attributes(connection, window), nullptr)};
    return attributes && attributes->map_state != XCB_MAP_STATE_UNMAPPED;
}

} // namespace

int main() {
    auto* const connection = xcb_connect(nullptr, nullptr);
    if (xcb_connection_has_error(connection) != 0) return EXIT_FAILURE;
    auto const root = xcb_setup_roots_iterator(xcb_get_setup(connection)).data->root;
    std::uint32_t const events = XCB_EVENT_MASK_SUBSTRUCTURE_NOTIFY;
    xcb_change_window_attributes(connection, root, XCB_CW_EVENT_MASK, &events);
    xcb_flush(connection);
    std::cout << "ready" << std::endl;
    while (std::unique_ptr<xcb_generic_event_t, Free> const event{xcb_wait_for_event(connection)}) {
        if ((event->response_type & 0x7f) != XCB_MAP_NOTIFY) continue;
        auto const mapped = now();
        auto const window = reinterpret_cast<xcb_map_notify_event_t const*>(event.get())->window;
        while (!has_picture(connection, window) && exists(connection, window))
            std::this_thread::sleep_for(std::chrono::milliseconds{2});
        std::cout << mapped << ' ' << now() << std::endl;
    }
    return EXIT_SUCCESS;
}
