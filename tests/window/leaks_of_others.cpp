// What libraries below Qt never give back is not ours to report.
extern "C" char const* __lsan_default_suppressions(); // NOLINT(bugprone-reserved-identifier): LeakSanitizer's name

extern "C" char const* __lsan_default_suppressions() { // NOLINT(bugprone-reserved-identifier)
    return "leak:libfontconfig\n";
}
