/* The command table of `airlift zigbee`. */
#include "cli/zigbee.h"

static const struct cli_option info_options[] = {
    {"--index", NULL, "print the file's entry for a zigbee-OTA index.json instead", false},
    {"--url", "URL", "with --index: where the file will be; default: its name", false},
    {0},
};

static const struct cli_option unpack_options[] = {
    {"--out", "IMG", "where the image goes", false},
    {"--tag", "N", "another element: the first with this tag", false},
    {"--lenient", NULL, "also of a file with odd elements, hash or hardware range", false},
    {0},
};

static const struct cli_option encode_options[] = {
    {"--layer", "zcl-ota", "zcl-ota: a ZCL frame of the OTA cluster", false},
    {0},
};

#define PACK_EXAMPLE                                                                        \
    "airlift zigbee pack app.bin --manufacturer 0x131b --image-type 0x1011 --file-version " \
    "0x01010110 --out app.zigbee"

const struct cli_command zigbee_commands[] = {
    {
        .name = "zigbee pack",
        .operands = "[FILE]",
        .summary = "make a Zigbee OTA file from an image",
        .details =
            "The options of both of Espressif's image_builder_tool.py work: -c FILE -m ID -i ID -v "
            "N -f FILE of SDK 1.x, and --tag TAG [LENGTH] FILE of SDK 2.0, which names the output "
            "itself. The bytes are theirs; where they disagree: --upgrade-dest is stored least "
            "significant byte first as the standard has it, and hardware versions are stored "
            "even if the minimum is 0.\n\n"
            "A signature needs a private key on sect163k1 (suite 1) or sect283k1 (suite 2) that "
            "belongs to an implicit certificate: one that you were given, or 'airlift zigbee "
            "certificate' makes one of your own authority.",
        .example = PACK_EXAMPLE,
        .options = zigbee_pack_options,
        .run = zigbee_pack_run,
    },
    {
        .name = "zigbee info",
        .operands = "FILE",
        .summary = "describe a Zigbee OTA file",
        .details =
            "Header, elements, integrity code. What lies around the file - an IKEA, Legrand or "
            "Third Reality wrapping, or anything else - is skipped. Whether the file is right "
            "says 'airlift zigbee verify'.",
        .example = "airlift zigbee info app.zigbee",
        .options = info_options,
        .run = zigbee_info_run,
    },
    {
        .name = "zigbee unpack",
        .operands = "FILE",
        .summary = "take the image out of a Zigbee OTA file",
        .example = "airlift zigbee unpack app.zigbee --out app.bin",
        .options = unpack_options,
        .run = zigbee_unpack_run,
    },
    {
        .name = "zigbee verify",
        .operands = "FILE",
        .summary = "check a Zigbee OTA file",
        .details =
            "Exit status 1 and the class of the first fault when something is wrong: 1 no_magic, "
            "2 truncated_header, 3 bad_header_version, 4 bad_header_length, 5 bad_total_size, "
            "6 truncated_file, 7 element_overrun, 8 partial_element, 9 no_image, "
            "10 bad_integrity, 11 bad_hw_range, 12 wildcard_id, 13 duplicate_image; for a given "
            "device 14 wrong_device, 15 too_large; for a given key bad_signature.",
        .example = "airlift zigbee verify app.zigbee",
        .options = zigbee_verify_options,
        .run = zigbee_verify_run,
    },
    {
        .name = "zigbee certificate",
        .operands = "",
        .summary = "make a signing key and its implicit certificate by your own authority",
        .details = "An ECQV certificate as Smart Energy devices have it, and the private key that "
                   "belongs to it. The authority's key comes from 'openssl ecparam -genkey -name "
                   "sect283k1'; devices have to be given its public key.",
        .example = "airlift zigbee certificate --ca-key ca.pem --subject 74:4d:bd:ff:fe:60:aa:02 "
                   "--issuer 74:4d:bd:ff:fe:00:00:01 --key-out signer.pem --out signer.cert",
        .options = zigbee_certificate_options,
        .run = zigbee_certificate_run,
    },
    {
        .name = "zigbee decode",
        .operands = "HEX|FILE",
        .summary = "show the fields of a frame, or of all layers of captured frames",
        .details =
            "Layer zcl-ota: the operand is one frame. Layer mac: it is a file, a pcap of link type "
            "195, 230 or 283, or with ZEP datagrams in Ethernet or IP; or lines of hexadecimal "
            "digits, alone or as 'number direction name octets', with '#' comments. Network "
            "keys are learned from the Transport-Key commands in the capture, wherever they "
            "stand.\n\n"
            "With --json a list of objects: number, mac, nwk, aps, zdp or zcl, and error with "
            "layer, name and message. Exit status 1 when a frame was damaged, malformed, or could "
            "not be decrypted.",
        .example = "airlift zigbee decode --layer mac --nwk-key a1b2c3d4e5f60718293a4b5c6d7e8f90 "
                   "join.pcap",
        .options = zigbee_decode_options,
        .run = zigbee_decode_run,
    },
    {
        .name = "zigbee encode",
        .operands = "JSON",
        .summary = "make a frame from its fields",
        .details =
            "header: tsn and command_id, and frame_control or frame_type, direction and "
            "disable_default_response. fields: as 'airlift zigbee decode --json' shows them.",
        .example = "airlift zigbee encode --layer zcl-ota '{\"header\": {\"tsn\": 1, "
                   "\"command_id\": 0}, \"fields\": {\"payloadType\": 0, \"queryJitter\": 100}}'",
        .options = encode_options,
        .run = zigbee_encode_ota,
    },
    {
        .name = "zigbee simulate",
        .operands = "",
        .summary = "how long the roll-out of an image to a network takes, in virtual time",
        .details =
            "A coordinator and the devices form a network on the model of the air that 'airlift "
            "radio medium' has; then the coordinator tells of the image and all fetch it. Stack "
            "and OTA engines are the real ones, only the time is not. docs/simulation.md says "
            "what is modelled.\n\n"
            "Without --area and --chain all hear all. Exit status 1 when not every device has the "
            "image, byte for byte, within the limit.",
        .example = "airlift zigbee simulate --devices 30 --image app.zigbee --loss 0.01 --routers "
                   "10 --area 40 --svg rollout.svg",
        .options = zigbee_simulate_options,
        .run = zigbee_simulate_run,
    },
    {
        .name = "zigbee serve",
        .operands = "",
        .summary = "be a Zigbee coordinator that upgrades its devices over the air",
        .details =
            "Forms a network, or goes on with the one in --state, asks devices who they are, and "
            "offers them the files of --images that are for them: by manufacturer, image type, "
            "hardware version and destination, and what an index.json beside them says. Routers "
            "come before what hangs on them, so many at a time as --parallel says.\n\n"
            "Commands come as JSON objects, one a line, on standard input and on the socket of "
            "--control. With --json events are JSON lines on standard output. docs/zigbee.md has "
            "both.\n\n"
            "A --state survives kill -9 and power cuts; transfers go on where they were. It holds "
            "keys: keep it, and backups, to yourself. Ends on SIGINT and SIGTERM.",
        .example = "airlift zigbee serve --radio spinel:/dev/ttyACM0 --images images --state "
                   "network.state --permit 180",
        .options = zigbee_serve_options,
        .run = zigbee_serve_run,
    },
    {
        .name = "zigbee control",
        .operands = "COMMAND [NAME=VALUE...]",
        .summary = "give a running 'zigbee serve' or 'zigbee client' a command",
        .details =
            "Commands of serve: status, devices, images, permit seconds=N, install-code device=EUI "
            "code=CODE, notify [device=EUI], upgrade [device=EUI [file=NAME]] [force=true], abort "
            "[device=EUI], interview device=EUI, read-version device=EUI, remove device=EUI, "
            "change-key, pause, resume, parallel value=N, backup. Of client: status, query, leave. "
            "The answer is JSON; exit status 1 when the other refuses.",
        .example = "airlift zigbee control --control gateway.socket permit seconds=120",
        .options = zigbee_control_options,
        .run = zigbee_control_run,
    },
    {
        .name = "zigbee client",
        .operands = "",
        .summary = "be a Zigbee device that lets itself be upgraded, to test OTA servers",
        .details =
            "Joins any Zigbee 3.0 network that is open, answers interviews, asks for an image (or "
            "waits until it is told that there is one), fetches and checks it, and writes the "
            "whole OTA file. With --state a kill -9 costs nothing: it goes on at the byte where "
            "it was. Exit status 1 and the reason when there is no file in the end.",
        .example = "airlift zigbee client --radio medium:air --manufacturer 0x131b --image-type "
                   "0x1011 --version 1 --out got.zigbee",
        .options = zigbee_client_options,
        .run = zigbee_client_run,
    },
    {0},
};
