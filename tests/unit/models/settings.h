/*
 * What tests of encryption settings share: an estate without trouble, updates of its settings, and
 * how they fail.
 */
#ifndef CMK_TESTS_UNIT_MODELS_SETTINGS_H
#define CMK_TESTS_UNIT_MODELS_SETTINGS_H

#include "tests/unit/models/estate.h"

Estate *settings_estate(const EstateOptions *options);

/* An update of the settings to this key and identity. */
CmkArgs settings_args(const Estate *estate, uint32_t key, uint32_t identity);

/* Applies it, and gives its task a minute. */
void settings_update(Estate *estate, CmkArgs args);

/* The guard that refused last, and the code of the job that failed last. */
void settings_expect_failure(const Estate *estate, const char *guard, const char *code,
                             const char *what);

#endif
