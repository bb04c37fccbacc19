#!/bin/sh
# Every message in the sources has a finished translation in every language, with the same placeholders.
# usage: catalogue.sh SOURCE_DIRECTORY WORK_DIRECTORY
set -eu
cd "$1"
mkdir -p "$2"
template="$2/tamga.pot"

# "qt-format" is gettext's name for messages with %1, %2 ...: msgfmt then compares the placeholders of both sides.
find base cli daemon pkcs11 policy prompt protocol signing -name '*.[ch]pp' | LC_ALL=C sort |
    xgettext --files-from=- --language=C++ --qt --from-code=UTF-8 --no-location --output="$template" \
        --keyword= --keyword=text:2 --keyword=message_id:1 --flag=text:2:qt-format --flag=message_id:1:qt-format

failed=0
for language in kk ru; do
    merged="$2/$language.po"
    msgmerge --quiet --no-fuzzy-matching --output-file="$merged" "po/$language.po" "$template"
    msgfmt --check --output-file=/dev/null "$merged" || failed=1
    for problem in --untranslated --only-fuzzy --only-obsolete; do
        keep_current=--no-obsolete
        [ "$problem" = --only-obsolete ] && keep_current=
        # The first entry is the catalogue's header.
        messages=$(msgattrib --no-wrap $keep_current "$problem" "$merged" | sed '1,/^$/d' | grep -E '^(#~ )?(msgid |")' || true)
        [ -z "$messages" ] && continue
        printf 'po/%s.po, %s:\n%s\n' "$language" "${problem##*-}" "$messages"
        failed=1
    done
done
exit $failed
