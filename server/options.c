/* See options.h. */
#include "server/options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/version.h"
#include "server/gateway.h"

#define EXIT_USAGE           2
#define DEFAULT_LISTEN       "[::]:8070"
#define DEFAULT_MAX_SIZE     (64u << 20)
#define DAY_S                86400u
/* A thousand modules behind one address ask, load, and try again. */
#define DEFAULT_MODULE_LIMIT 60u
#define DEFAULT_NAT_LIMIT    6000u

enum {
    OPT_DATA = 256,
    OPT_LISTEN,
    OPT_CERT,
    OPT_KEY,
    OPT_CERT_CHECK,
    OPT_HTTP,
    OPT_PRINT_CA,
    OPT_NAME,
    OPT_MAX_SIZE,
    OPT_NEW_TOKEN,
    OPT_CONNECTIONS,
    OPT_PER_ADDRESS,
    OPT_MODULES,
    OPT_MODULE_LIMIT,
    OPT_NAT_LIMIT,
    OPT_ZIGBEE_RADIO,
    OPT_ZIGBEE_PARALLEL,
    OPT_ZIGBEE_CHANNEL,
    OPT_ZIGBEE_QUIET,
    OPT_ZIGBEE_MANUAL,
    OPT_HELP,
    OPT_VERSION
};

static const struct option table[] = {
    {"data", required_argument, NULL, OPT_DATA},
    {"listen", required_argument, NULL, OPT_LISTEN},
    {"cert", required_argument, NULL, OPT_CERT},
    {"key", required_argument, NULL, OPT_KEY},
    {"cert-check", required_argument, NULL, OPT_CERT_CHECK},
    {"http", no_argument, NULL, OPT_HTTP},
    {"print-ca", no_argument, NULL, OPT_PRINT_CA},
    {"name", required_argument, NULL, OPT_NAME},
    {"max-size", required_argument, NULL, OPT_MAX_SIZE},
    {"new-token", no_argument, NULL, OPT_NEW_TOKEN},
    {"connections", required_argument, NULL, OPT_CONNECTIONS},
    {"connections-per-address", required_argument, NULL, OPT_PER_ADDRESS},
    {"modules", required_argument, NULL, OPT_MODULES},
    {"module-limit", required_argument, NULL, OPT_MODULE_LIMIT},
    {"module-address-limit", required_argument, NULL, OPT_NAT_LIMIT},
    {"zigbee-radio", required_argument, NULL, OPT_ZIGBEE_RADIO},
    {"zigbee-parallel", required_argument, NULL, OPT_ZIGBEE_PARALLEL},
    {"zigbee-channel", required_argument, NULL, OPT_ZIGBEE_CHANNEL},
    {"zigbee-quiet", required_argument, NULL, OPT_ZIGBEE_QUIET},
    {"zigbee-manual", no_argument, NULL, OPT_ZIGBEE_MANUAL},
    {"help", no_argument, NULL, OPT_HELP},
    {"version", no_argument, NULL, OPT_VERSION},
    {0},
};

static const char help[] =
    "Usage: airliftd --data DIR [OPTION]...\n\n"
    "Serves firmware to devices over HTTPS. On the first start it makes its own CA, a server\n"
    "certificate and a token for publishing under DIR.\n\n"
    "  --data DIR               where everything is kept; made if missing\n"
    "  --listen ADDRESS:PORT    where to listen (" DEFAULT_LISTEN ": all IPv6 and IPv4 addresses)\n"
    "  --name NAME              a further host name or address for the certificate (many)\n"
    "  --cert FILE --key FILE   use this certificate (PEM, chain) and key instead of own ones\n"
    "  --cert-check SECONDS     how often the certificate is looked at, to renew or reload it\n"
    "                           (86400: daily); SIGHUP does so at once\n"
    "  --http                   plain HTTP without TLS: only for tests and trusted networks\n"
    "  --print-ca               print the CA that clients have to trust, and end\n"
    "  --new-token              make a new token for publishing; the old one ends\n"
    "  --max-size BYTES         largest file that is taken (64M); K and M are understood\n"
    "  --connections N          most connections at a time (4096)\n"
    "  --connections-per-address N  most connections of one address (2048)\n"
    "  --modules ADDRESS:PORT   serve ESP-AT and ESP8266 modules over plain HTTP, too: only the\n"
    "                           addresses under /v1/\n"
    "  --module-limit N         requests a minute of one module key (60)\n"
    "  --module-address-limit N requests of modules a minute from one address (6000)\n"
    "  --zigbee-radio R         be a Zigbee gateway, too: medium:SOCKET, spinel:DEVICE or\n"
    "                           spinel:tcp://HOST:PORT\n"
    "  --zigbee-channel N       form its network on this channel, 11 to 26\n"
    "  --zigbee-parallel N      upgrades at a time (4)\n"
    "  --zigbee-quiet A-B       no upgrades between these times, like 22:00-06:00\n"
    "  --zigbee-manual          upgrade only what the API orders\n"
    "  --help, --version\n\n"
    "Example:\n  airliftd --data /var/lib/airlift --name updates.example.com\n";

static int wrong_use(const char *text, const char *what)
{
    fprintf(stderr, "airliftd: %s%s\nSee 'airliftd --help'.\n", what ? what : "", text);
    return EXIT_USAGE;
}

/* "64M" -> bytes. false: no number, zero, or more than max. */
static bool parse_size(const char *text, uint64_t max, uint64_t *out)
{
    char *end;
    if (*text < '0' || *text > '9') return false;
    unsigned long long value = strtoull(text, &end, 10);
    unsigned shift = *end == 'K' ? 10 : *end == 'M' ? 20 : 0;
    if (shift) end++;
    if (*end || value == 0 || value > max >> shift) return false;
    *out = value << shift;
    return true;
}

static int add_name(struct options *o, const char *name)
{
    size_t count = 0;
    while (o->names[count]) count++;
    if (count == OPTIONS_MAX_NAMES) return wrong_use(": too many --name", name);
    o->names[count] = name;
    return -1;
}

static int take_number(const char *option, const char *text, uint64_t max, uint64_t *out)
{
    if (parse_size(text, max, out)) return -1;
    fprintf(stderr, "airliftd: %s '%s' is no number from 1 to %llu\n", option, text,
            (unsigned long long)max);
    return EXIT_USAGE;
}

static int take(struct options *o, int option, const char *value)
{
    uint64_t n = 0;
    int status = -1;
    switch (option) {
    case OPT_DATA:
        o->data = value;
        break;
    case OPT_LISTEN:
        o->listen = value;
        break;
    case OPT_CERT:
        o->cert = value;
        break;
    case OPT_KEY:
        o->key = value;
        break;
    case OPT_HTTP:
        o->http = true;
        break;
    case OPT_PRINT_CA:
        o->print_ca = true;
        break;
    case OPT_NEW_TOKEN:
        o->new_token = true;
        break;
    case OPT_NAME:
        return add_name(o, value);
    case OPT_MAX_SIZE:
        return take_number("--max-size", value, UINT64_C(1) << 40, &o->max_size);
    case OPT_CONNECTIONS:
        status = take_number("--connections", value, 1000000, &n);
        o->connections = (unsigned)n;
        break;
    case OPT_PER_ADDRESS:
        status = take_number("--connections-per-address", value, 1000000, &n);
        o->connections_per_address = (unsigned)n;
        break;
    case OPT_CERT_CHECK:
        status = take_number("--cert-check", value, 365 * DAY_S, &n);
        o->cert_check_s = (unsigned)n;
        break;
    case OPT_MODULES:
        o->modules = value;
        break;
    case OPT_MODULE_LIMIT:
        status = take_number("--module-limit", value, 1000000, &n);
        o->module_limit = (uint32_t)n;
        break;
    case OPT_NAT_LIMIT:
        status = take_number("--module-address-limit", value, 1000000, &n);
        o->nat_limit = (uint32_t)n;
        break;
    case OPT_ZIGBEE_RADIO:
        o->zigbee_radio = value;
        break;
    case OPT_ZIGBEE_MANUAL:
        o->zigbee_manual = true;
        break;
    case OPT_ZIGBEE_PARALLEL:
        status = take_number("--zigbee-parallel", value, 1000, &n);
        o->zigbee_parallel = (unsigned)n;
        break;
    case OPT_ZIGBEE_CHANNEL:
        status = take_number("--zigbee-channel", value, 26, &n);
        o->zigbee_channel = (unsigned)n;
        if (status < 0 && n < 11) return wrong_use(": a channel is 11 to 26", value);
        break;
    case OPT_ZIGBEE_QUIET:
        if (!gateway_quiet_parse(value, &o->quiet_from, &o->quiet_to))
            return wrong_use(": two times are needed, like 22:00-06:00", value);
        break;
    case OPT_HELP:
        fputs(help, stdout);
        return 0;
    case OPT_VERSION:
        puts("airliftd " AIRLIFT_VERSION);
        return 0;
    default:
        return wrong_use("wrong use", NULL);
    }
    return status;
}

int options_parse(int argc, char **argv, struct options *out)
{
    *out = (struct options){
        .listen = DEFAULT_LISTEN,
        .max_size = DEFAULT_MAX_SIZE,
        .cert_check_s = DAY_S,
        .module_limit = DEFAULT_MODULE_LIMIT,
        .nat_limit = DEFAULT_NAT_LIMIT,
    };
    for (int option; (option = getopt_long(argc, argv, "", table, NULL)) != -1;) {
        int status = take(out, option, optarg);
        if (status >= 0) return status;
    }
    if (optind < argc) return wrong_use(": what is this?", argv[optind]);
    if (!out->data)
        return wrong_use("--data DIR is missing: where to keep firmware and keys", NULL);
    if (!out->cert != !out->key) return wrong_use("--cert and --key belong together", NULL);
    if (out->http && out->cert) return wrong_use("--http goes without certificate", NULL);
    if (out->print_ca && (out->http || out->cert))
        return wrong_use("--print-ca is about airliftd's own CA; without --http and --cert", NULL);
    return -1;
}
