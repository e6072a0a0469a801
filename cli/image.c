/* The image group of commands. */
#include "cli/image.h"

static const struct cli_option verify_options[] = {
    {"--chip-id", "N", "chip id of the device; default: the image's own", false},
    {"--chip-rev", "N", "chip revision, major * 100 + minor; default: the least that suits", false},
    {"--efuse-block-rev", "N", "eFuse block revision; default: the least that suits", false},
    {"--slot-offset", "X", "where the image lies in flash (0x10000)", false},
    {"--slot-size", "X", "size of its partition (0x100000)", false},
    {"--key", "PUB.pem", "a signature by one of these keys is required; up to three", true},
    {0},
};

static const struct cli_option verify_signature_options[] = {
    {"--key", "PUB.pem", "public key; v1 takes a raw file of 64 bytes as well", false},
    {"--scheme", "v1|v2", "v2: signature sector (default); v1: 68 bytes appended", false},
    {0},
};

const struct cli_command image_commands[] = {
    {
        .name = "image info",
        .operands = "FILE",
        .summary = "describe an app or boot loader image",
        .details =
            "Header, segments, description, checksum, SHA-256 and signature blocks. A damaged "
            "file is described as far as it goes; whether a device would take it says "
            "'airlift image verify'.",
        .example = "airlift image info app.bin",
        .run = image_info_run,
    },
    {
        .name = "image verify",
        .operands = "FILE",
        .summary = "check an image as the boot loader of a device would",
        .details =
            "All checks of the vendor's loader in its order; the first that fails is told with "
            "its place and error code, and the exit status is 1. An image that lies where the "
            "chip's boot loader lies is checked as a boot loader: its SHA-256 is not looked "
            "at.",
        .example = "airlift image verify app.bin --chip-id 5 --chip-rev 3 --slot-size 0x180000",
        .options = verify_options,
        .run = image_verify_run,
    },
    {
        .name = "image verify-signature",
        .operands = "FILE",
        .summary = "check Secure Boot signatures against a public key, as espsecure does",
        .details =
            "Exit status 1 when no block verifies, or when a block was made for other bytes.",
        .example = "airlift image verify-signature app-signed.bin --key pub.pem",
        .options = verify_signature_options,
        .run = image_verify_signature_run,
    },
    {
        .name = "image make",
        .operands = "",
        .summary = "make an image from a Linux program",
        .details =
            "A true application image: header, segments, app description, checksum and SHA-256. "
            "One segment carries the program, which a virtual device runs after it verified "
            "the image.\n"
            "With --bootloader the image carries the configuration by which a virtual device "
            "boots.",
        .example =
            "airlift image make --elf app.elf --chip esp32c3 --project-name app --version 1.0.0 "
            "--out app.bin",
        .options = image_make_options,
        .run = image_make_run,
    },
    {
        .name = "image sign",
        .operands = "FILE",
        .summary = "append Secure Boot signatures",
        .details =
            "Version 2: RSA-3072, ECDSA P-256 or P-384. The image is padded to 4096 bytes and a "
            "sector with up to three signature blocks follows.",
        .example = "airlift image sign app.bin --key key.pem --out app-signed.bin",
        .options = image_sign_options,
        .run = image_sign_run,
    },
    {
        .name = "image encrypt",
        .operands = "FILE",
        .summary = "encrypt an image for a device, as esp_enc_img_gen does",
        .details =
            "AES-256-GCM with a fresh key, which is wrapped by RSA or ECIES as the key's type "
            "says. It keeps the image secret; that it is yours only a signature shows.",
        .example = "airlift image encrypt app.bin --key device.pub.pem --out app_secure.bin",
        .options = image_encrypt_options,
        .run = image_encrypt_run,
    },
    {
        .name = "image decrypt",
        .operands = "FILE",
        .summary = "decrypt a pre-encrypted image",
        .example = "airlift image decrypt app_secure.bin --key device.pem --out app.bin",
        .options = image_decrypt_options,
        .run = image_decrypt_run,
    },
    {0},
};
