/* The command table of `airlift radio`. */
#include "cli/radio.h"

const struct cli_command radio_commands[] = {
    {"radio medium", "SOCKET", "run a virtual IEEE 802.15.4 medium",
     "Programs with --radio medium:SOCKET are its nodes. Frames take the time that they take\n"
     "on the air; nodes sense the channel, collide, acknowledge and repeat as radios do. SOCKET\n"
     "is a name for a Unix socket, or udp:PORT of this machine. It runs until it is interrupted\n"
     "(or --once) and then says what was on the air.\n\n"
     "--layout FILE says where nodes stand and which links they have, a line each: 'place NODE\n"
     "X Y' in metres, 'link NODE NODE PRR [DBM]' for both directions, 'link NODE > NODE PRR\n"
     "[DBM]' for one. NODE is the name that a node attaches with, or its EUI-64. Without it\n"
     "everybody hears everybody.\n\n"
     "With --fast time goes on as soon as every node waits for it; a node that computes stops it.",
     "airlift radio medium /tmp/medium --loss 0.05 --seed 7 --pcap air.pcap", radio_medium_options,
     radio_medium_run},
    {"radio rcp", "", "a virtual radio co-processor on the medium",
     "Speaks spinel as OpenThread's RCP firmware does, so that any spinel host (zigbee2mqtt's\n"
     "zoh adapter, airlift itself) has a radio without hardware. One host at a time; a new one\n"
     "finds it as after power on. It runs until it is interrupted. --json prints one document\n"
     "when it is ready, with port, or link and device, and eui64.",
     "airlift radio rcp --medium /tmp/air --listen tcp:9999", radio_rcp_options, radio_rcp_run},
    {0},
};
