// The real window with one token behind it, and a keyboard. Each test may leave screenshots in the build directory.
#pragma once

#include "tests/window/display.hpp"

#include <unistd.h>

namespace tamga::testing {

class WindowTest : public ::testing::Test {
protected:
    WindowTest() { m_token.info.family_name = {"KAZTOKEN", "KAZTOKEN", "KAZTOKEN"}; }

    Owner const m_employee{
        .name = "ТЕСТОВ ТЕСТ", .organisation = "ТОО \"ТЕСТОВАЯ ОРГАНИЗАЦИЯ\"", .bin = "123456789021"};
    Bytes const m_key = make_certificate({});
    std::string m_home = "/nonexistent";
    Events m_events;
    FakeToken m_token{m_events, "1234", {m_key}};
    std::vector<FakeToken*> m_tokens{&m_token}; ///< one for each module
    ipc::PromptRequest m_request = sign_request();
    std::vector<Bytes> m_documents{document("ӨТІНІШ\n\nМаған мекенжай анықтамасын беруіңізді сұраймын.\n\nЗАЯВЛЕНИЕ\n\n"
                                            "Прошу выдать адресную справку.\n\nREQUEST No. 1\n\nPlease issue a "
                                            "certificate of address.\n")};
    std::vector<Bytes> m_readable{m_key};
    Display m_display;
    std::unique_ptr<RealPrompt> m_prompt;
    std::optional<Previews> m_previews; ///< what becomes of those that the window wants
    std::string m_window;

    static Bytes document(std::string_view text) { return to_bytes(as_view(text)); }

    /// Opens the window, gives it the keyboard and waits until its buttons work.
    void open() {
        m_token.readable = m_readable;
        m_prompt = std::make_unique<RealPrompt>(m_display.name(), m_tokens, m_home);
        if (m_previews) m_prompt->serve_previews(*m_previews);
        send_request(m_prompt->web, m_request, m_documents);
        m_window = m_display.run("timeout 30 xdotool search --sync --onlyvisible --name '^Tamga$'");
        ASSERT_FALSE(m_window.empty());
        m_display.run("xdotool windowfocus --sync " + m_window);
        ::usleep(900'000);
    }
    void press(std::string const& keys) const { m_display.run("xdotool key --delay 30 " + keys); }
    void type(std::string const& text) const { m_display.run("xdotool type --delay 30 " + text); }
    /// Waits for what the keyboard set off to be painted.
    void picture(std::string const& name) const {
        ::usleep(400'000);
        std::filesystem::create_directories(TAMGA_PICTURES);
        auto const file = std::string{TAMGA_PICTURES "/"} + name + ".png";
        m_display.run("import -window " + m_window + ' ' + file);
        EXPECT_TRUE(std::filesystem::exists(file));
    }
    /// Whether the window has pixels of just that colour (six hexadecimal digits) now.
    [[nodiscard]] bool has_colour(std::string const& colour) const {
        auto const command =
            "import -window " + m_window + " png:- | convert png:- -format %c histogram:info:- | grep -c '#" + colour;
        return m_display.run(command + "'") != "0";
    }
    /// The same, waiting for it.
    [[nodiscard]] bool gets_colour(std::string const& colour) const {
        for (int tries = 0; tries < 60; ++tries) {
            if (has_colour(colour)) return true;
            ::usleep(100'000);
        }
        return false;
    }
    template <class M>
    Result<M> hear(std::chrono::seconds patience = std::chrono::seconds{20}) {
        auto packet = m_prompt->web.receive(patience);
        return packet ? packet->as<M>() : packet.error();
    }
    std::size_t unlocks() const {
        auto const all = m_events.all();
        return static_cast<std::size_t>(
            std::count_if(all.begin(), all.end(), [](auto const& event) { return event.starts_with("unlock"); }));
    }
    void TearDown() override {
        if (m_prompt) m_prompt->web.close();
        m_prompt.reset();
        for (auto* token : m_tokens)
            token->stop();
    }
};

} // namespace tamga::testing
