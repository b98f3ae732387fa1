#include "scenarios/tree_text.h"

#include <string.h>

bool cmk_tree_accepts(gunichar c)
{
    if (c < 0x20)
        return c == '\t' || c == '\n' || c == '\r';
    if (c < 0xA0)
        return c < 0x7F;
    return c != 0x2028 && c != 0x2029 && c != 0xFEFF && c != 0xFFFE && c != 0xFFFF;
}

static void report_bad_bytes(CmkDiagnostics *diagnostics, const char *text, size_t size,
                             size_t offset)
{
    const CmkPosition at = cmk_diagnostics_position(diagnostics, offset);
    const unsigned byte = (unsigned char)text[offset];
    const bool is_utf16 =
        size >= 2 && (memcmp(text, "\xFF\xFE", 2) == 0 || memcmp(text, "\xFE\xFF", 2) == 0);
    cmk_diagnostics_error(diagnostics, at, "the byte 0x%02X is not part of a UTF-8 text", byte);
    if (is_utf16)
        cmk_diagnostics_hint(diagnostics, "the file looks like UTF-16; save it as UTF-8");
    else
        cmk_diagnostics_hint(diagnostics, "save the file as UTF-8");
}

static void report_bad_character(CmkDiagnostics *diagnostics, size_t offset, gunichar c)
{
    const CmkPosition at = cmk_diagnostics_position(diagnostics, offset);
    if (c == 0)
        cmk_diagnostics_error(diagnostics, at, "there is a NUL byte; this is not a text file");
    else if (c == '\r')
        cmk_diagnostics_error(diagnostics, at, "a carriage return that does not end a line");
    else
        cmk_diagnostics_error(diagnostics, at, "the character U+%04X is not accepted as it is", c);
    if (c == '\r')
        cmk_diagnostics_hint(diagnostics, "end lines with LF or CR LF");
    else if (c != 0)
        cmk_diagnostics_hint(diagnostics, "write \"\\u%04X\" in double quotes if it is meant", c);
}

bool cmk_tree_check_text(CmkDiagnostics *diagnostics)
{
    size_t size = 0;
    const char *text = cmk_diagnostics_text(diagnostics, &size);
    size_t used;
    for (size_t i = 0; i < size; i += used) {
        gunichar c = (unsigned char)text[i];
        used = 1;
        if (c >= 0x80) {
            c = g_utf8_get_char_validated(text + i, (gssize)(size - i));
            if (c == (gunichar)-1 || c == (gunichar)-2) {
                report_bad_bytes(diagnostics, text, size, i);
                return false;
            }
            used = (size_t)g_unichar_to_utf8(c, NULL);
        }
        const bool is_lone_return = c == '\r' && (i + 1 == size || text[i + 1] != '\n');
        if (!cmk_tree_accepts(c) || is_lone_return) {
            report_bad_character(diagnostics, i, c);
            return false;
        }
    }
    return true;
}
