/* The estate of the model's own tests, which these tables are about too. */
#include "tests/unit/models/estate.c" /* NOLINT(bugprone-suspicious-include) */
