/* The price book: what things cost, by default and as it is given (section 13). */
#include <string.h>

#include "models/model.h"

#define WEST_EUROPE "recorded in West Europe"
#define EAST_US "recorded in East US"
#define CALCULATOR "a price calculator's site that names the retail prices"
/* What the rules themselves give as unverified: a book of the user's own replaces it. */
#define NO_SOURCE "placeholder"

/* Nano-dollars. */
#define LINE(price_, id_, nanos_, unit_, rule_, status_, date_, source_, text_)                    \
    {                                                                                              \
        .price = CMK_PRICE_##price_, .id = (id_), .nanos = INT64_C(nanos_), .unit = (unit_),       \
        .rule = (rule_), .status = (status_), .date = (date_), .source = (source_),                \
        .text = (text_)                                                                            \
    }
#define LINE_OF(region_, price_, id_, nanos_, unit_, rule_, status_, date_, source_, text_)        \
    {                                                                                              \
        .price = CMK_PRICE_##price_, .id = (id_), .nanos = INT64_C(nanos_), .unit = (unit_),       \
        .rule = (rule_), .status = (status_), .date = (date_), .source = (source_),                \
        .text = (text_), .region = (region_)                                                       \
    }

static const CmkPrice built_in[] = {
    LINE(VAULT_LRS, "vault_tier_lrs", 22400000, "GB-month", "COST-1", "verified", "2024-07-01",
         WEST_EUROPE, "vault tier, locally redundant"),
    LINE(VAULT_ZRS, "vault_tier_zrs", 28000000, "GB-month", "COST-2", "verified", "2024-07-01",
         WEST_EUROPE, "vault tier, zone-redundant"),
    LINE(VAULT_GRS, "vault_tier_grs", 44800000, "GB-month", "COST-3", "verified", "2024-07-01",
         WEST_EUROPE, "vault tier, geo-redundant"),
    LINE(VAULT_RAGRS, "vault_tier_ragrs", 56900000, "GB-month", "COST-4", "verified", "2024-07-01",
         WEST_EUROPE, "vault tier, geo-redundant with cross-region restore"),
    LINE(ARCHIVE_LRS, "archive_tier_lrs", 2500000, "GB-month", "COST-6", "unverified", "",
         NO_SOURCE, "archive tier, locally or zone-redundant"),
    LINE(ARCHIVE_GRS, "archive_tier_grs", 5000000, "GB-month", "COST-6", "unverified", "",
         NO_SOURCE, "archive tier, geo-redundant"),
    LINE(SNAPSHOT, "snapshot", 50000000, "GB-month", "COST-10", "verified", "2024-07-01",
         WEST_EUROPE, "snapshots of the operational tier"),
    LINE(INSTANCE, "instance", 10000000000, "instance-month", "COST-9", "unverified", "", NO_SOURCE,
         "protected instance in the vault tier"),
    LINE(KEY_OPERATIONS_2048, "key_operations_2048", 30000000, "10000-operations", "COST-11",
         "verified", "2024-07-01", EAST_US, "key operations on RSA 2048 keys"),
    LINE(KEY_OPERATIONS_OTHER, "key_operations_other", 150000000, "10000-operations", "COST-12",
         "verified", "2024-07-01", EAST_US, "key operations on other keys"),
    LINE(HSM_KEY_2048, "hsm_key_2048", 1000000000, "version-month", "COST-13", "verified",
         "2024-07-01", EAST_US, "HSM-protected RSA 2048 key, each version in use"),
    LINE(HSM_KEY_1, "hsm_key_first_250", 5000000000, "version-month", "COST-14", "verified",
         "2024-07-01", EAST_US, "other HSM-protected keys, the first 250 versions in use"),
    LINE(HSM_KEY_2, "hsm_key_next_1250", 2500000000, "version-month", "COST-14", "verified",
         "2024-07-01", EAST_US, "other HSM-protected keys, the next 1250"),
    LINE(HSM_KEY_3, "hsm_key_next_2500", 900000000, "version-month", "COST-14", "verified",
         "2024-07-01", EAST_US, "other HSM-protected keys, the next 2500"),
    LINE(HSM_KEY_4, "hsm_key_over_4000", 400000000, "version-month", "COST-14", "verified",
         "2024-07-01", EAST_US, "other HSM-protected keys, those over 4000"),
    LINE(KEY_ROTATION, "key_rotation", 1000000000, "rotation", "COST-15", "verified", "2024-07-01",
         EAST_US, "rotation by a key's own policy"),
    LINE(MANAGED_HSM, "managed_hsm", 4850000000, "hour", "COST-16", "verified", "2024-07-01",
         EAST_US, "Managed HSM Standard_B1, each region that it is in"),
    LINE_OF("uksouth", VAULT_LRS, "vault_tier_lrs", 28000000, "GB-month", "COST-5", "verified",
            "2026-04", CALCULATOR, "vault tier, locally redundant"),
    LINE_OF("uksouth", VAULT_ZRS, "vault_tier_zrs", 35000000, "GB-month", "COST-5", "verified",
            "2026-04", CALCULATOR, "vault tier, zone-redundant"),
    LINE_OF("uksouth", VAULT_GRS, "vault_tier_grs", 56000000, "GB-month", "COST-5", "verified",
            "2026-04", CALCULATOR, "vault tier, geo-redundant"),
    LINE_OF("uksouth", VAULT_RAGRS, "vault_tier_ragrs", 71100000, "GB-month", "COST-5", "verified",
            "2026-04", CALCULATOR, "vault tier, geo-redundant with cross-region restore"),
};

const CmkPrice *cmk_price_book(uint32_t *ret_count)
{
    *ret_count = (uint32_t)CMK_ARRAY_LEN(built_in);
    return built_in;
}

CmkPriceId cmk_price_find(const char *id, size_t length)
{
    for (uint32_t i = 0; i < CMK_PRICE__COUNT; i++) {
        if (strlen(built_in[i].id) == length && memcmp(built_in[i].id, id, length) == 0) {
            return built_in[i].price;
        }
    }
    return CMK_PRICE__COUNT;
}

static CmkRegionId region_of(const CmkPrice *line)
{
    return line->region == NULL ? (CmkRegionId){0} : cmk_region_find(line->region);
}

const CmkPrice *cmk_price_built_in(CmkPriceId price, CmkRegionId region)
{
    for (uint32_t i = 0; i < CMK_ARRAY_LEN(built_in); i++) {
        if (built_in[i].price == price && region_of(&built_in[i]).i == region.i) {
            return &built_in[i];
        }
    }
    return NULL;
}

void cmk_price_book_init(CmkPriceBook *book)
{
    memset(book, 0, sizeof(*book));
    memcpy(book->name, "default", sizeof("default"));
    for (uint32_t i = 0; i < CMK_ARRAY_LEN(built_in); i++) {
        CMK_ASSERT(i >= CMK_PRICE__COUNT || built_in[i].price == i);
        const bool has_room =
            cmk_price_book_set(book, built_in[i].price, region_of(&built_in[i]), built_in[i].nanos);
        CMK_ASSERT(has_room);
    }
}

static CmkPriceLine *line_of(CmkPriceBook *book, CmkPriceId price, CmkRegionId region)
{
    for (uint32_t i = 0; i < book->count; i++) {
        if (book->lines[i].price == price && book->lines[i].region == region.i) {
            return &book->lines[i];
        }
    }
    return NULL;
}

bool cmk_price_book_set(CmkPriceBook *book, CmkPriceId price, CmkRegionId region, int64_t nanos)
{
    CMK_ASSERT(price < CMK_PRICE__COUNT && nanos >= 0 && nanos <= CMK_PRICE_NANOS_MAX);
    CmkPriceLine *line = line_of(book, price, region);
    if (line == NULL && book->count == CMK_PRICE_LINES_MAX) {
        return false;
    }
    if (line == NULL) {
        line = &book->lines[book->count++];
    }
    *line = (CmkPriceLine){.price = price, .region = region.i, .nanos = nanos};
    return true;
}

void cmk_price_book_forget_regions(CmkPriceBook *book, CmkPriceId price)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < book->count; i++) {
        if (book->lines[i].price != price || book->lines[i].region == 0) {
            book->lines[kept++] = book->lines[i];
        }
    }
    memset(&book->lines[kept], 0, (book->count - kept) * sizeof(book->lines[0]));
    book->count = kept;
}

int64_t cmk_price_of(const CmkPriceBook *book, CmkPriceId price, CmkRegionId region)
{
    for (uint32_t i = CMK_PRICE__COUNT; i < book->count; i++) {
        if (book->lines[i].price == price && book->lines[i].region == region.i) {
            return book->lines[i].nanos;
        }
    }
    CMK_ASSERT(book->lines[price].price == price && book->lines[price].region == 0);
    return book->lines[price].nanos;
}
