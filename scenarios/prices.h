/*
 * Price books as files: what things cost in a run, where it is not what they cost by default.
 *
 *     cmksim_prices: 1
 *     name: contract-2026
 *     date: 2026-01-01
 *     currency: USD
 *     prices:
 *       vault_tier_grs: 0.0448 USD/GB-month
 *       vault_tier_grs@uksouth: 0.0560 USD/GB-month
 *
 * A price is for all regions, or after an @ for one. What is left out keeps its default.
 */
#ifndef CMK_SCENARIOS_PRICES_H
#define CMK_SCENARIOS_PRICES_H

#include <stdbool.h>

#include <glib.h>

#include "models/model.h"
#include "scenarios/diagnostic.h"

/* Reads the text of the collector into `ret_book`, which is left alone if there is any mistake; all
 * of them are in `diagnostics`. */
bool cmk_price_book_read(CmkDiagnostics *diagnostics, CmkPriceBook *ret_book);

/* Appends the book as a file that cmk_price_book_read() makes the same book of. Prices as they are
 * by default bear a comment that says where they come from. */
void cmk_price_book_format(const CmkPriceBook *book, GString *out);

#endif
