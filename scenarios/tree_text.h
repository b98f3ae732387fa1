/*
 * Which characters a scenario file may hold, before any parser of YAML sees them.
 *
 * Must not know: YAML, nodes.
 */
#ifndef CMK_SCENARIOS_TREE_TEXT_H
#define CMK_SCENARIOS_TREE_TEXT_H

#include <stdbool.h>

#include <glib.h>

#include "scenarios/diagnostic.h"

/* Whether a character may stand in a file as it is. Lone CR and the Unicode line ends are refused
 * so that everybody counts lines alike. */
bool cmk_tree_accepts(gunichar c);

/* Looks at every character before libyaml does, whose own message about bytes has no place. False
 * with an error if one may not be there. */
bool cmk_tree_check_text(CmkDiagnostics *diagnostics);

#endif
