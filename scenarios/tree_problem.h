/*
 * What libyaml says of a text that is not YAML, in our words and with advice.
 *
 * Must not know: nodes.
 */
#ifndef CMK_SCENARIOS_TREE_PROBLEM_H
#define CMK_SCENARIOS_TREE_PROBLEM_H

#include <yaml.h>

#include "scenarios/diagnostic.h"

/* Where libyaml means, as people count. */
CmkPosition cmk_tree_position(yaml_mark_t mark);

/* Adds the error on which the parser stopped. */
void cmk_tree_report_problem(const yaml_parser_t *parser, CmkDiagnostics *diagnostics);

#endif
