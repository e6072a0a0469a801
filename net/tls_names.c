/* See tls_names.h. */
#include "net/tls_names.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <ifaddrs.h>
#include <limits.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool tls_name_is_address(const char *name)
{
    unsigned char raw[16];
    return inet_pton(AF_INET, name, raw) == 1 || inet_pton(AF_INET6, name, raw) == 1;
}

bool tls_names_have(const struct tls_names *n, const char *name)
{
    for (size_t i = 0; i < n->count; i++)
        if (strcmp(n->name[i], name) == 0) return true;
    return false;
}

/* Letters, digits, '-' and '.', no empty label; "*." may stand in front. */
static bool is_dns_name(const char *name)
{
    size_t len = strlen(name), label = 0;
    if (strncmp(name, "*.", 2) == 0) name += 2;
    if (len == 0 || len >= TLS_NAME_LEN) return false;
    for (const char *p = name; *p; p++) {
        if (*p == '.') {
            if (label == 0) return false;
            label = 0;
        } else if (!isalnum((unsigned char)*p) && *p != '-' && *p != '_') {
            return false;
        } else if (++label > 63) {
            return false;
        }
    }
    return label > 0;
}

static bool add(struct tls_names *n, const char *name)
{
    char text[TLS_NAME_LEN];
    unsigned char raw[16];
    if (inet_pton(AF_INET, name, raw) == 1) {
        inet_ntop(AF_INET, raw, text, sizeof text);
    } else if (inet_pton(AF_INET6, name, raw) == 1) {
        inet_ntop(AF_INET6, raw, text, sizeof text);
    } else if (is_dns_name(name)) {
        for (size_t i = 0; i == 0 || name[i - 1]; i++)
            text[i] = (char)tolower((unsigned char)name[i]);
    } else {
        return false;
    }
    if (n->count < TLS_NAMES_MAX && !tls_names_have(n, text))
        memcpy(n->name[n->count++], text, sizeof text);
    return true;
}

static void add_host(struct tls_names *n)
{
    char host[HOST_NAME_MAX + 1] = "", local[sizeof host + 6];
    if (gethostname(host, sizeof host - 1) != 0 || !add(n, host)) return;
    snprintf(local, sizeof local, "%s.local", host);
    if (!strchr(host, '.')) add(n, local);
}

static void add_interfaces(struct tls_names *n)
{
    struct ifaddrs *all = NULL;
    char text[INET6_ADDRSTRLEN];
    if (getifaddrs(&all) != 0) return;
    for (const struct ifaddrs *i = all; i; i = i->ifa_next) {
        if (!i->ifa_addr || !(i->ifa_flags & IFF_UP)) continue;
        if (i->ifa_addr->sa_family == AF_INET) {
            struct sockaddr_in a;
            memcpy(&a, i->ifa_addr, sizeof a);
            add(n, inet_ntop(AF_INET, &a.sin_addr, text, sizeof text));
        } else if (i->ifa_addr->sa_family == AF_INET6) {
            struct sockaddr_in6 a;
            memcpy(&a, i->ifa_addr, sizeof a);
            if (!IN6_IS_ADDR_LINKLOCAL(&a.sin6_addr))
                add(n, inet_ntop(AF_INET6, &a.sin6_addr, text, sizeof text));
        }
    }
    freeifaddrs(all);
}

int tls_names_collect(const char *const *extra, struct tls_names *out, const char **bad)
{
    out->count = 0;
    for (; extra && *extra; extra++) {
        if (!add(out, *extra)) {
            *bad = *extra;
            return -1;
        }
    }
    add_host(out);
    add(out, "localhost");
    add(out, "127.0.0.1");
    add(out, "::1");
    add_interfaces(out);
    return 0;
}
