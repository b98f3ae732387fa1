/* The tables from which files are read (scenarios/language.h): complete, and each word found again.
 */
#include "scenarios/language.h"

#include <string.h>

#include <criterion/criterion.h>

static void check_fields(const CmkFields *fields, uint32_t depth)
{
    cr_assert_lt(depth, 8);
    for (size_t i = 0; i < fields->count; i++) {
        const CmkField *field = &fields->rows[i];
        cr_assert_not_null(field->name);
        cr_assert_not_null(field->doc, "%s", field->name);
        cr_assert(field->doc[strlen(field->doc) - 1] != '.', "%s", field->name);
        if (field->type == CMK_FIELD_LATER) {
            continue;
        }
        cr_assert_leq(field->offset + (field->is_list ? sizeof(GArray *) : cmk_field_size(field)),
                      fields->size_bytes, "%s", field->name);
        cr_assert_geq(field->offset, sizeof(const CmkNode *), "%s", field->name);
        cr_assert_eq(field->type == CMK_FIELD_WORD, field->vocabulary != NULL, "%s", field->name);
        cr_assert_eq(field->type == CMK_FIELD_MAP, field->fields != NULL, "%s", field->name);
        cr_assert_eq(field->type == CMK_FIELD_REFERENCE, field->accepts != 0, "%s", field->name);
        if (field->fields != NULL) {
            check_fields(field->fields, depth + 1);
        }
        for (size_t j = 0; j < i; j++) {
            cr_assert_str_neq(fields->rows[j].name, field->name);
            cr_assert(fields->rows[j].type == CMK_FIELD_LATER ||
                          fields->rows[j].offset != field->offset,
                      "%s and %s share a place", fields->rows[j].name, field->name);
        }
    }
}

Test(language, tables_are_complete)
{
    check_fields(cmk_language_fields(), 0);
}

static void check_words(const CmkVocabulary *vocabulary)
{
    cr_assert_not_null(cmk_vocabulary_word(vocabulary, 0), "%s", vocabulary->what);
    for (uint32_t i = 0; cmk_vocabulary_word(vocabulary, i) != NULL; i++) {
        uint32_t value = 0;
        const char *word = cmk_vocabulary_word(vocabulary, i);
        cr_assert(cmk_vocabulary_find(vocabulary, word, &value), "%s is not %s", word,
                  vocabulary->what);
    }
    uint32_t value = 99;
    cr_assert_not(cmk_vocabulary_find(vocabulary, "no such word", &value));
    cr_assert_eq(value, 99);
}

Test(language, each_word_is_found_again)
{
    check_words(&cmk_vocabulary_regions);
    check_words(&cmk_vocabulary_roles);
    check_words(&cmk_vocabulary_datasources);
    check_words(&cmk_vocabulary_rules);
    check_words(&cmk_vocabulary_profiles);
    check_words(&cmk_vocabulary_knobs);
    check_words(&cmk_vocabulary_operations);
    check_words(&cmk_vocabulary_faults);
    check_words(&cmk_vocabulary_statuses);
    check_words(&cmk_vocabulary_permissions);
}
