#include "sim/cli/cli.h"

const char *cmk_cli_version(void)
{
    return CMK_VERSION;
}

const char *cmk_cli_build_id(void)
{
    return CMK_BUILD_ID;
}
