/* The module cloud's tables, a step of the schema in store_sql.c. Times are seconds since 1970;
 * keys and secrets are there as the SHA-256 of their text only. The audit log only grows. */
#ifndef SERVER_CLOUD_SCHEMA_H
#define SERVER_CLOUD_SCHEMA_H

#define CLOUD_SCHEMA                                                                        \
    "CREATE TABLE cloud_product("                                                           \
    " id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE,"                     \
    " serial TEXT NOT NULL UNIQUE, secret_sha256 TEXT NOT NULL, description TEXT NOT NULL," \
    " created INTEGER NOT NULL) STRICT;"                                                    \
    "CREATE TABLE cloud_rom("                                                               \
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"                                                \
    " product INTEGER NOT NULL REFERENCES cloud_product(id), version TEXT NOT NULL,"        \
    " life_cycle TEXT NOT NULL, corename TEXT NOT NULL, current INTEGER NOT NULL,"          \
    " deployed INTEGER NOT NULL, UNIQUE(product, version)) STRICT;"                         \
    "CREATE UNIQUE INDEX cloud_rom_current ON cloud_rom(product) WHERE current = 1;"        \
    "CREATE TABLE cloud_rom_file("                                                          \
    " rom INTEGER NOT NULL REFERENCES cloud_rom(id) ON DELETE CASCADE, name TEXT NOT NULL," \
    " sha256 TEXT NOT NULL REFERENCES artifact(sha256), artifact TEXT NOT NULL,"            \
    " PRIMARY KEY(rom, name)) STRICT;"                                                      \
    "CREATE INDEX cloud_rom_file_sha256 ON cloud_rom_file(sha256);"                         \
    "CREATE TABLE cloud_device("                                                            \
    " id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE,"                     \
    " serial TEXT NOT NULL UNIQUE, product INTEGER NOT NULL REFERENCES cloud_product(id),"  \
    " public INTEGER NOT NULL, created INTEGER NOT NULL, activated INTEGER,"                \
    " last_active INTEGER, override INTEGER REFERENCES cloud_rom(id)) STRICT;"              \
    "CREATE INDEX cloud_device_product ON cloud_device(product);"                           \
    "CREATE INDEX cloud_device_override ON cloud_device(override);"                         \
    "CREATE TABLE cloud_key("                                                               \
    " id INTEGER PRIMARY KEY AUTOINCREMENT, sha256 TEXT NOT NULL UNIQUE,"                   \
    " role TEXT NOT NULL CHECK(role IN ('master', 'owner')),"                               \
    " device INTEGER REFERENCES cloud_device(id), product INTEGER REFERENCES"               \
    " cloud_product(id), label TEXT NOT NULL, created INTEGER NOT NULL, revoked INTEGER,"   \
    " CHECK((role = 'master') = (device IS NOT NULL)),"                                     \
    " CHECK((role = 'owner') = (product IS NOT NULL))) STRICT;"                             \
    "CREATE INDEX cloud_key_device ON cloud_key(device);"                                   \
    "CREATE TABLE cloud_event("                                                             \
    " id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, device INTEGER NOT NULL,"  \
    " device_name TEXT NOT NULL, product TEXT NOT NULL, action TEXT NOT NULL,"              \
    " version TEXT NOT NULL, file TEXT NOT NULL, bytes INTEGER NOT NULL,"                   \
    " address TEXT NOT NULL, status TEXT NOT NULL, detail TEXT NOT NULL) STRICT;"           \
    "CREATE INDEX cloud_event_device ON cloud_event(device, id);"                           \
    "CREATE TABLE cloud_audit("                                                             \
    " id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, who TEXT NOT NULL,"        \
    " what TEXT NOT NULL, object TEXT NOT NULL, detail TEXT NOT NULL) STRICT;"              \
    "CREATE TRIGGER cloud_audit_change BEFORE UPDATE ON cloud_audit"                        \
    " BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END;"                          \
    "CREATE TRIGGER cloud_audit_delete BEFORE DELETE ON cloud_audit"                        \
    " BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END;"

#endif
