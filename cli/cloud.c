/* The command table of `airlift cloud`. */
#include "cli/cloud.h"

static const struct cli_option link_options[] = {SERVER_LINK_OPTIONS, {0}};

static const struct cli_option product_create_options[] = {
    {"--description", "TEXT", "what it is", false},
    SERVER_LINK_OPTIONS,
    {0},
};

static const struct cli_option device_create_options[] = {
    {"--product", "NAME", "the product it belongs to", false},
    {"--public", NULL, "privacy: public instead of private", false},
    SERVER_LINK_OPTIONS,
    {0},
};

static const struct cli_option device_batch_options[] = {
    {"--count", "N", "how many, 2 to 1000", false},
    {"--product", "NAME", "the product it belongs to", false},
    {"--public", NULL, "privacy: public instead of private", false},
    SERVER_LINK_OPTIONS,
    {0},
};

static const struct cli_option device_list_options[] = {
    {"--product", "NAME", "only those of this product", false},
    SERVER_LINK_OPTIONS,
    {0},
};

static const struct cli_option device_override_options[] = {
    {"--none", NULL, "back to the product's current version", false},
    SERVER_LINK_OPTIONS,
    {0},
};

static const struct cli_option key_create_options[] = {
    {"--device", "NAME", "a master key of this device", false},
    {"--product", "NAME", "an owner key of this product", false},
    {"--label", "TEXT", "what it is for", false},
    SERVER_LINK_OPTIONS,
    {0},
};

static const struct cli_option key_list_options[] = {
    {"--device", "NAME", "only those of this device", false},
    {"--product", "NAME", "only those of this product", false},
    SERVER_LINK_OPTIONS,
    {0},
};

static const struct cli_option deploy_options[] = {
    {"--version", "V",
     "what modules ask for; up to 64 characters without blanks, quotes and commas", false},
    {"--file", "NAME=SOURCE", "a file of the version, up to 10", true},
    {"--life-cycle", "WORD", "beta, release...; default: beta", false},
    {"--corename", "WORD", "a label: which module it is for", false},
    {"--current", NULL, "recommend it at once", false},
    SERVER_LINK_OPTIONS,
    {0},
};

static const struct cli_option events_options[] = {
    {"--device", "NAME", "only those of this device", false},
    {"--limit", "N", "at most so many, up to 1000 (100)", false},
    {"--before", "ID", "only what is older than this entry", false},
    SERVER_LINK_OPTIONS,
    {0},
};

static const struct cli_option audit_options[] = {
    {"--limit", "N", "at most so many, up to 1000 (100)", false},
    {"--before", "ID", "only what is older than this entry", false},
    SERVER_LINK_OPTIONS,
    {0},
};

const struct cli_command cloud_commands[] = {
    {"cloud product create", "NAME", "make a product",
     "Prints the product's secret and an owner key, once.\n\n" SERVER_LINK_DETAILS,
     "airlift cloud product create lamp --data /var/lib/airlift", product_create_options,
     cloud_product_create_run},
    {"cloud product list", "", "list the products", SERVER_LINK_DETAILS,
     "airlift cloud product list --data /var/lib/airlift", link_options, cloud_product_list_run},
    {"cloud product show", "PRODUCT", "show a product and its versions", SERVER_LINK_DETAILS,
     "airlift cloud product show lamp --data /var/lib/airlift", link_options,
     cloud_product_show_run},
    {"cloud product remove", "PRODUCT", "remove a product with its versions and keys",
     "Refused while devices belong to it.\n\n" SERVER_LINK_DETAILS,
     "airlift cloud product remove lamp --data /var/lib/airlift", link_options,
     cloud_product_remove_run},
    {"cloud device create", "NAME", "make a device and its key",
     "The key is the token that the module sends. It is shown once.\n\n" SERVER_LINK_DETAILS,
     "airlift cloud device create lamp01 --product lamp --data /var/lib/airlift",
     device_create_options, cloud_device_create_run},
    {"cloud device batch", "PREFIX", "make many devices: PREFIX1, PREFIX2...",
     "All of them or none.\n\n" SERVER_LINK_DETAILS,
     "airlift cloud device batch lamp --count 100 --product lamp --data /var/lib/airlift",
     device_batch_options, cloud_device_batch_run},
    {"cloud device list", "", "list the devices", SERVER_LINK_DETAILS,
     "airlift cloud device list --product lamp --data /var/lib/airlift", device_list_options,
     cloud_device_list_run},
    {"cloud device show", "DEVICE", "show a device", SERVER_LINK_DETAILS,
     "airlift cloud device show lamp01 --data /var/lib/airlift", link_options,
     cloud_device_show_run},
    {"cloud device remove", "DEVICE", "remove a device and its keys", SERVER_LINK_DETAILS,
     "airlift cloud device remove lamp01 --data /var/lib/airlift", link_options,
     cloud_device_remove_run},
    {"cloud device move", "DEVICE PRODUCT", "move a device to another product",
     "A version that the device is held on is forgotten.\n\n" SERVER_LINK_DETAILS,
     "airlift cloud device move lamp01 lamp-v2 --data /var/lib/airlift", link_options,
     cloud_device_move_run},
    {"cloud device override", "DEVICE [VERSION]", "hold a device on a version of its own",
     "The device is told of this version instead of the product's current one, until "
     "--none.\n\n" SERVER_LINK_DETAILS,
     "airlift cloud device override lamp01 v1.1 --data /var/lib/airlift", device_override_options,
     cloud_device_override_run},
    {"cloud key create", "", "make one more key for a device or a product",
     "A device's key (master) is its token; a product's key (owner) deploys versions. It is shown "
     "once.\n\n" SERVER_LINK_DETAILS,
     "airlift cloud key create --device lamp01 --data /var/lib/airlift", key_create_options,
     cloud_key_create_run},
    {"cloud key list", "", "list keys, not what they are", SERVER_LINK_DETAILS,
     "airlift cloud key list --device lamp01 --data /var/lib/airlift", key_list_options,
     cloud_key_list_run},
    {"cloud key revoke", "ID", "end a key", SERVER_LINK_DETAILS,
     "airlift cloud key revoke 3 --data /var/lib/airlift", link_options, cloud_key_revoke_run},
    {"cloud deploy", "PRODUCT", "deploy a version to a product",
     "Modules ask for ota.bin, or for PARTITION.bin; ESP8266 modules for user1.bin or user2.bin. "
     "SOURCE is a file here, which is published first, or an artifact of the server. All files are "
     "looked at before anything is sent; the version appears whole or not at "
     "all.\n\n" SERVER_LINK_DETAILS,
     "airlift cloud deploy lamp --version v1.0 --file ota.bin=build/app.bin --current --data "
     "/var/lib/airlift",
     deploy_options, cloud_deploy_run},
    {"cloud current", "PRODUCT VERSION", "recommend a version to a product's modules",
     "An older one too: that is how a version is taken back.\n\n" SERVER_LINK_DETAILS,
     "airlift cloud current lamp v1.0 --data /var/lib/airlift", link_options, cloud_current_run},
    {"cloud roms", "PRODUCT", "list the versions of a product",
     "The current one has a star.\n\n" SERVER_LINK_DETAILS,
     "airlift cloud roms lamp --data /var/lib/airlift", link_options, cloud_roms_run},
    {"cloud roms remove", "PRODUCT VERSION", "remove a version",
     "Refused for the current one, and while devices are held on it. Its files stay "
     "published.\n\n" SERVER_LINK_DETAILS,
     "airlift cloud roms remove lamp v0.9 --data /var/lib/airlift", link_options,
     cloud_roms_remove_run},
    {"cloud events", "", "list what modules got, newest first",
     "Downloads: done, interrupted, or of what is missing; first activations; what modules "
     "reported. Questions alone "
     "are not kept.\n\n" SERVER_LINK_DETAILS,
     "airlift cloud events --device lamp01 --data /var/lib/airlift", events_options,
     cloud_events_run},
    {"cloud audit", "", "list all changes, newest first",
     "Who changed what, and when. The log only grows.\n\n" SERVER_LINK_DETAILS,
     "airlift cloud audit --data /var/lib/airlift", audit_options, cloud_audit_run},
    {0},
};
