/*
 * Secrets in key vaults: the credentials with which Backup gets into databases (BK-2).
 */
#ifndef CMK_MODELS_SECRET_H
#define CMK_MODELS_SECRET_H

#include "models/entities.h"
#include "sim/engine.h"

#define CMK_SECRET_URI_SIZE 256

/* "https://VAULT.vault.azure.net/secrets/NAME" */
void cmk_secret_uri_format(const CmkWorld *world, CmkSecretId id, char ret[CMK_SECRET_URI_SIZE]);

/* Fills in who reads the secret of an instance and where: the system-assigned identity of its
 * Backup vault (SEC-1). */
void cmk_secret_fill_request(const CmkWorld *world, CmkInstanceId instance, CmkArgs *args);

/* Destroys what is in a key vault. O(secrets). For effects that write secrets. */
void cmk_secrets_destroy(CmkSim *sim, CmkKeyVaultId key_vault);

#endif
