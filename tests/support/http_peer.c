#include "tests/support/http_peer.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void spawn(struct http_peer *p, const char *const *argv)
{
    int pipe_ends[2];
    assert_int_equal(pipe2(pipe_ends, O_CLOEXEC), 0);
    p->pid = fork();
    assert_true(p->pid >= 0);
    if (p->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(pipe_ends[1], STDOUT_FILENO);
        execvp(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    close(pipe_ends[1]);
    p->out = pipe_ends[0];
}

static bool read_char(struct http_peer *p, char *c, int timeout_ms)
{
    struct pollfd fd = {.fd = p->out, .events = POLLIN};
    return poll(&fd, 1, timeout_ms) == 1 && read(p->out, c, 1) == 1;
}

static void read_line(struct http_peer *p, char *line, size_t size, int timeout_ms)
{
    size_t n = 0;
    char c;
    while (n + 1 < size && read_char(p, &c, timeout_ms) && c != '\n') line[n++] = c;
    line[n] = 0;
}

void http_peer_line(struct http_peer *p, char *line, size_t size)
{
    read_line(p, line, size, 2000);
}

void http_peer_start(struct http_peer *p, const char *const *args)
{
    const char *argv[16] = {"/usr/bin/python3", "tests/support/http_peer.py"};
    char line[32];
    *p = (struct http_peer){0};
    for (int i = 0; args && args[i]; i++) {
        argv[i + 2] = args[i];
        if (strcmp(args[i], "--tls") == 0) p->tls = true;
    }
    spawn(p, argv);
    read_line(p, line, sizeof line, 10000);
    p->port = atoi(line);
    assert_int_not_equal(p->port, 0);
}

static int listener(int port, bool connect_to)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)port),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int bad = connect_to ? connect(fd, (struct sockaddr *)&a, len)
                         : bind(fd, (struct sockaddr *)&a, len) ||
                               getsockname(fd, (struct sockaddr *)&a, &len);
    close(fd);
    return bad ? -1 : ntohs(a.sin_port);
}

int http_peer_free_port(void)
{
    int port = listener(0, false);
    assert_true(port > 0);
    return port;
}

void http_peer_run(struct http_peer *p, const char *const *argv, int port)
{
    *p = (struct http_peer){.port = port};
    spawn(p, argv);
    for (int i = 0; i < 500 && listener(port, true) < 0; i++) usleep(10000);
    assert_int_equal(listener(port, true), port);
}

void http_peer_stop(struct http_peer *p)
{
    if (p->pid <= 0) return;
    kill(p->pid, SIGKILL);
    waitpid(p->pid, NULL, 0);
    close(p->out);
    p->pid = 0;
}

const char *http_peer_url(struct http_peer *p, const char *path)
{
    snprintf(p->url, sizeof p->url, "http%s://127.0.0.1:%d%s", p->tls ? "s" : "", p->port, path);
    return p->url;
}

static FILE *open_file(const char *dir, const char *name, const char *end, const char *mode)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s%s", dir, name, end);
    FILE *f = fopen(path, mode);
    assert_non_null(f);
    return f;
}

static void add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    assert_non_null(e);
    X509_add_ext(cert, e, -1);
    X509_EXTENSION_free(e);
}

static void load_issuer(const char *dir, const char *name, X509 **cert, EVP_PKEY **key)
{
    FILE *f = open_file(dir, name, ".pem", "r");
    *cert = PEM_read_X509(f, NULL, NULL, NULL);
    fclose(f);
    f = open_file(dir, name, ".key", "r");
    *key = PEM_read_PrivateKey(f, NULL, NULL, NULL);
    fclose(f);
    assert_true(*cert && *key);
}

void test_cert_make(const char *dir, const struct test_cert *want)
{
    static long serial = 1;
    EVP_PKEY *key = EVP_EC_gen("P-256"), *issuer_key = key;
    X509 *cert = X509_new(), *issuer = cert;
    bool given = want->from_s || want->to_s;
    assert_true(key && cert);
    if (want->issuer) load_issuer(dir, want->issuer, &issuer, &issuer_key);
    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), serial++);
    X509_gmtime_adj(X509_getm_notBefore(cert), given ? want->from_s : -3600);
    X509_gmtime_adj(X509_getm_notAfter(cert), given ? want->to_s : 86400);
    X509_set_pubkey(cert, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_UTF8,
                               (const unsigned char *)want->name, -1, -1, 0);
    X509_set_issuer_name(cert, X509_get_subject_name(issuer));
    add_extension(cert, issuer, NID_basic_constraints,
                  want->san ? "critical,CA:FALSE" : "critical,CA:TRUE");
    if (want->san) add_extension(cert, issuer, NID_subject_alt_name, want->san);
    assert_true(X509_sign(cert, issuer_key, EVP_sha256()) > 0);
    FILE *f = open_file(dir, want->name, ".pem", "w");
    PEM_write_X509(f, cert);
    fclose(f);
    f = open_file(dir, want->name, ".key", "w");
    PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL);
    fclose(f);
    if (want->issuer) {
        X509_free(issuer);
        EVP_PKEY_free(issuer_key);
    }
    X509_free(cert);
    EVP_PKEY_free(key);
}

char *test_dir_new(void)
{
    const char *base = getenv("TMPDIR");
    char *dir;
    assert_true(asprintf(&dir, "%s/airlift-test-XXXXXX", base ? base : "/tmp") > 0);
    assert_non_null(mkdtemp(dir));
    return dir;
}

void test_dir_remove(char *dir)
{
    char command[600];
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    assert_int_equal(system(command), 0);
    free(dir);
}

char *test_file_text(const char *dir, const char *name)
{
    FILE *f = open_file(dir, name, "", "r");
    char *text = calloc(1, 65536);
    assert_non_null(text);
    size_t n = fread(text, 1, 65535, f);
    fclose(f);
    assert_true(n > 0);
    return text;
}
