/* Entries for the facts of the cloud: roles, regions, datasources, prices, faults. */
#include <inttypes.h>

#include "analysis/catalogue.h"
#include "faults/catalogue.h"

static const char *yes_or_no(bool value)
{
    return value ? "yes" : "no";
}

GPtrArray *cmk_catalogue_roles(void)
{
    uint32_t count = 0;
    const CmkRoleFacts *roles = cmk_role_facts(&count);
    GPtrArray *entries = cmk_entries_new();
    for (uint32_t i = 1; i < count; i++) {
        g_autofree char *permissions = cmk_catalogue_permissions(roles[i].permissions);
        CmkEntry *entry = cmk_entry_new("role", roles[i].name);
        cmk_entry_add_text(entry, CMK_PROPERTY_COLUMN, "guid", roles[i].guid);
        cmk_entry_add_words(entry, CMK_PROPERTY_PAGE, "allows", permissions);
        cmk_entry_add_text(entry, CMK_PROPERTY_DETAIL, "data_role",
                           yes_or_no(roles[i].kind == CMK_ROLE_OF_DATA));
        cmk_entry_add_words(entry, CMK_PROPERTY_COLUMN, "rules", roles[i].rule);
        g_ptr_array_add(entries, entry);
    }
    return entries;
}

GPtrArray *cmk_catalogue_regions(void)
{
    uint32_t count = 0;
    const CmkRegionFacts *regions = cmk_region_facts(&count);
    GPtrArray *entries = cmk_entries_new();
    for (uint32_t i = 1; i < count; i++) {
        const CmkRegionFacts *region = &regions[i];
        CmkEntry *entry = cmk_entry_new("region", region->name);
        cmk_entry_add_text(entry, CMK_PROPERTY_COLUMN, "display_name", region->display_name);
        cmk_entry_add_text(entry, CMK_PROPERTY_COLUMN, "pair",
                           region->pair != NULL ? region->pair : "none");
        cmk_entry_add_text(entry, CMK_PROPERTY_COLUMN, "zones", yes_or_no(region->has_zones));
        cmk_entry_add_text(entry, CMK_PROPERTY_COLUMN, "key_vaults_fail_over",
                           yes_or_no(region->has_key_vault_failover));
        cmk_entry_add_text(entry, CMK_PROPERTY_PAGE, "restricted",
                           yes_or_no(region->is_restricted));
        cmk_entry_add_words(entry, CMK_PROPERTY_DETAIL, "rules", "REL-2 REL-17");
        g_ptr_array_add(entries, entry);
    }
    return entries;
}

static char *schedules_of(const CmkDatasourceFacts *facts)
{
    return g_strconcat(facts->is_continuous ? "continuous " : "",
                       (facts->schedules & CMK_SCHEDULE_HOURLY) != 0 ? "hourly " : "",
                       (facts->schedules & CMK_SCHEDULE_DAILY) != 0 ? "daily " : "",
                       (facts->schedules & CMK_SCHEDULE_WEEKLY) != 0 ? "weekly" : "", NULL);
}

/* "P7D", "P3M" */
static char *retention_of(const CmkDatasourceFacts *facts)
{
    const CmkPeriod period = facts->usual_retention;
    return period.months != 0 ? g_strdup_printf("P%" PRId32 "M", period.months)
                              : g_strdup_printf("P%" PRId64 "D", period.us / CMK_DAY_US);
}

GPtrArray *cmk_catalogue_datasources(void)
{
    uint32_t count = 0;
    const CmkDatasourceFacts *datasources = cmk_datasource_facts(&count);
    GPtrArray *entries = cmk_entries_new();
    for (uint32_t i = 1; i < count; i++) {
        const CmkDatasourceFacts *facts = &datasources[i];
        g_autofree char *stores = g_strconcat(facts->has_operational ? "operational " : "",
                                              facts->has_vault ? "vault " : "",
                                              facts->has_archive ? "archive" : "", NULL);
        CmkEntry *entry = cmk_entry_new("datasource", facts->name);
        cmk_entry_add_words(entry, CMK_PROPERTY_COLUMN, "stores", stores);
        g_autofree char *schedules = schedules_of(facts);
        cmk_entry_add_words(entry, CMK_PROPERTY_COLUMN, "schedules", schedules);
        g_autofree char *retention = retention_of(facts);
        cmk_entry_add_text(entry, CMK_PROPERTY_COLUMN, "usual_retention", retention);
        cmk_entry_add_text(entry, CMK_PROPERTY_COLUMN, "each_backup",
                           facts->is_full_each_time ? "whole" : "what has changed");
        cmk_entry_add_text(entry, CMK_PROPERTY_COLUMN, "depends_on_key",
                           yes_or_no(facts->has_vault || facts->has_archive));
        cmk_entry_add_text(entry, CMK_PROPERTY_PAGE, "resource_type", facts->resource_type);
        cmk_entry_add_words(entry, CMK_PROPERTY_PAGE, "rules", facts->rule);
        g_ptr_array_add(entries, entry);
    }
    return entries;
}

GPtrArray *cmk_catalogue_prices(void)
{
    uint32_t count = 0;
    const CmkPrice *prices = cmk_price_book(&count);
    GPtrArray *entries = cmk_entries_new();
    for (uint32_t i = 0; i < count; i++) {
        const CmkPrice *price = &prices[i];
        /* Nano-dollars to dollars with four decimals: no price of the book has more. */
        g_autofree char *usd = g_strdup_printf("%" PRId64 ".%04" PRId64, price->nanos / 1000000000,
                                               price->nanos % 1000000000 / 100000);
        CmkEntry *entry = cmk_entry_new("price", price->id);
        cmk_entry_add_text(entry, CMK_PROPERTY_COLUMN, "usd", usd);
        cmk_entry_add_text(entry, CMK_PROPERTY_COLUMN, "per", price->unit);
        cmk_entry_add_text(entry, CMK_PROPERTY_COLUMN, "region",
                           price->region != NULL ? price->region : "all");
        cmk_entry_add_text(entry, CMK_PROPERTY_COLUMN, "status", price->status);
        cmk_entry_add_text(entry, CMK_PROPERTY_PAGE, "text", price->text);
        cmk_entry_add_text(entry, CMK_PROPERTY_PAGE, "source", price->source);
        cmk_entry_add_text(entry, CMK_PROPERTY_PAGE, "date", price->date);
        cmk_entry_add_number(entry, CMK_PROPERTY_DETAIL, "nanos", price->nanos);
        cmk_entry_add_words(entry, CMK_PROPERTY_COLUMN, "rules", price->rule);
        g_ptr_array_add(entries, entry);
    }
    return entries;
}

GPtrArray *cmk_catalogue_faults(void)
{
    const CmkModel *model = cmk_azure_model();
    uint32_t count = 0;
    const CmkFault *faults = cmk_faults(&count);
    GPtrArray *entries = cmk_entries_new();
    for (uint32_t i = 0; i < count; i++) {
        const CmkFault *fault = &faults[i];
        g_autoptr(GString) heals = g_string_new(NULL);
        for (uint32_t j = 0; j < CMK_FAULT_HEALS_MAX && fault->heals[j] != CMK_OP_NONE; j++) {
            g_string_append_printf(heals, "%s ", model->operations[fault->heals[j]]->name);
        }
        CmkEntry *entry = cmk_entry_new("fault", fault->name);
        cmk_entry_add_text(entry, CMK_PROPERTY_COLUMN, "text", fault->text);
        cmk_entry_add_text(entry, CMK_PROPERTY_PAGE, "operation",
                           model->operations[fault->op]->name);
        cmk_entry_add_text(entry, CMK_PROPERTY_PAGE, "ends_by",
                           fault->end == CMK_OP_NONE ? fault->endless
                                                     : model->operations[fault->end]->name);
        cmk_entry_add_words(entry, CMK_PROPERTY_PAGE, "heals", heals->str);
        cmk_entry_add_words(entry, CMK_PROPERTY_PAGE, "rules", fault->rules);
        g_ptr_array_add(entries, entry);
    }
    return entries;
}
