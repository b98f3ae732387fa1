/* The estate of the model's own tests, which these tables are about too, and its broken models. */
#include "tests/unit/models/estate.c" /* NOLINT(bugprone-suspicious-include) */
#include "tests/unit/models/mutant.c" /* NOLINT(bugprone-suspicious-include) */
