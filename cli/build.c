/* build: an ESP-IDF project directory, by CMake and make. The work is done in
 * idf/; here are the options, the folders, and what people see of it. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cli.h"
#include "host/file.h"

#define MAX_WORDS 128
#define MAX_LINE  4096

/* Folders, and the command line of CMake as it grows. */
struct build {
    const struct cli_args *args;
    char project[PATH_MAX], dir[PATH_MAX]; /* absolute */
    char program[PATH_MAX];                /* of this airlift */
    char idf[PATH_MAX], lib[PATH_MAX];
    char *words[MAX_WORDS + 1];
    size_t count;
    bool verbose, failed;
};

static void add_word(struct build *b, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void add_word(struct build *b, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    if (b->count == MAX_WORDS || vasprintf(&b->words[b->count], format, list) < 0)
        b->failed = true;
    else
        b->words[++b->count] = NULL;
    va_end(list);
}

static void drop_words(struct build *b)
{
    while (b->count) free(b->words[--b->count]);
    b->words[0] = NULL;
}

static bool exists(const char *dir, const char *name)
{
    char path[2 * PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return access(path, F_OK) == 0;
}

/* The first of places (below bin, or absolute) that holds name; false: none. */
static bool find_place(const char *bin, const char *const places[2], const char *name,
                       char out[PATH_MAX])
{
    char path[2 * PATH_MAX];
    for (size_t i = 0; i < 2 && places[i]; i++) {
        bool absolute = places[i][0] == '/';
        snprintf(path, sizeof path, "%s%s%s", absolute ? "" : bin, absolute ? "" : "/", places[i]);
        if (realpath(path, out) && exists(out, name)) return true;
    }
    return false;
}

/* idf/ and the libraries lie beside the program: in the tree that it was
 * built in, or where it was installed. */
static int find_house(struct build *b)
{
    ssize_t len = readlink("/proc/self/exe", b->program, sizeof b->program - 1);
    if (len < 0) return cli_fail("/proc/self/exe: %s", strerror(errno));
    char bin[PATH_MAX], given[PATH_MAX];
    memcpy(bin, b->program, (size_t)len + 1);
    *strrchr(bin, '/') = 0;

    const char *idf = getenv("AIRLIFT_IDF_PATH");
    if (idf && !realpath(idf, given))
        return cli_fail("AIRLIFT_IDF_PATH: %s: %s", idf, strerror(errno));
    const char *const idf_places[2] = {idf ? given : "../../idf",
                                       idf ? NULL : "../share/airlift/idf"};
    if (!find_place(bin, idf_places, "tools/cmake/project.cmake", b->idf))
        return cli_fail("no idf/ near %s; set AIRLIFT_IDF_PATH to Airlift's idf folder", bin);
    static const char *const lib_places[2] = {"../lib", "../lib/airlift"};
    if (!find_place(bin, lib_places, "airlift-flags.cmake", b->lib))
        return cli_fail("the libraries for firmware are not built (no airlift-flags.cmake near "
                        "%s); run 'make' first",
                        bin);
    return CLI_OK;
}

static int find_project(struct build *b)
{
    const char *project = cli_operand(b->args, 0), *dir = cli_value(b->args, "-B");
    if (!realpath(project, b->project)) return cli_fail("%s: %s", project, strerror(errno));
    if (!exists(b->project, "CMakeLists.txt"))
        return cli_fail("%s: no CMakeLists.txt; this is not an ESP-IDF project directory", project);
    char wanted[PATH_MAX + 8];
    snprintf(wanted, sizeof wanted, "%s/build", b->project);
    int err = file_make_dirs(dir ? dir : wanted, 0755);
    if (err || !realpath(dir ? dir : wanted, b->dir))
        return cli_fail("%s: %s", dir ? dir : wanted, strerror(err ? -err : errno));
    if (strcmp(b->dir, b->project) == 0)
        return cli_fail("%s: the build needs a folder of its own; give another one with -B", dir);
    return CLI_OK;
}

static int cmake_words(struct build *b)
{
    add_word(b, "cmake");
    add_word(b, "-GUnix Makefiles");
    add_word(b, "-S%s", b->project);
    add_word(b, "-B%s", b->dir);
    add_word(b, "-DAIRLIFT_PROGRAM=%s", b->program);
    add_word(b, "-DAIRLIFT_LIB_DIR=%s", b->lib);
    if (cli_has(b->args, "--chip")) add_word(b, "-DIDF_TARGET=%s", cli_value(b->args, "--chip"));

    char list[4 * PATH_MAX] = "", path[PATH_MAX];
    const char *value;
    for (size_t i = 0; (value = cli_value_at(b->args, "--sdkconfig", i)); i++) {
        if (!realpath(value, path)) return cli_fail("%s: %s", value, strerror(errno));
        size_t len = strlen(list);
        if (len + strlen(path) + 2 > sizeof list) return cli_fail("too many --sdkconfig files");
        snprintf(list + len, sizeof list - len, "%s%s", len ? ";" : "", path);
    }
    add_word(b, "-DAIRLIFT_SDKCONFIG=%s", list);
    for (size_t i = 0; (value = cli_value_at(b->args, "-D", i)); i++) {
        if (!strchr(value, '=')) return cli_usage(b->args, "-D %s: NAME=VALUE is expected", value);
        add_word(b, "-D%s", value);
    }
    return b->failed ? cli_fail("too many options") : CLI_OK;
}

/* CMake keeps what was given once. The command line shall say everything, so
 * other words than last time begin anew. */
static int forget_other_words(const struct build *b)
{
    char path[PATH_MAX + 64], *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);
    if (!f) return cli_fail("out of memory");
    for (size_t i = 0; i < b->count; i++) fprintf(f, "%s\n", b->words[i]);
    fclose(f);

    uint8_t *before = NULL;
    size_t before_len = 0;
    snprintf(path, sizeof path, "%s/airlift_args", b->dir);
    bool same = file_read(path, 1 << 20, &before, &before_len) == 0 && before_len == len &&
                memcmp(before, text, len) == 0;
    free(before);
    int err = 0;
    if (!same) {
        char cache[PATH_MAX + 64];
        snprintf(cache, sizeof cache, "%s/CMakeCache.txt", b->dir);
        unlink(cache);
        err = file_write(path, text, len, 0644);
    }
    free(text);
    return err ? cli_fail("%s: %s", path, strerror(-err)) : CLI_OK;
}

/* What is left of CMake's and make's talk: messages, not who called whom. */
static bool worth_showing(const char *line, bool *in_call_stack)
{
    static const char *const chatter[] = {"-- ", "See also \"", "CMake Error at "};
    if (strncmp(line, "Call Stack", 10) == 0) *in_call_stack = true;
    if (*in_call_stack) {
        *in_call_stack = strcmp(line, "\n") != 0;
        return false;
    }
    for (size_t i = 0; i < sizeof chatter / sizeof chatter[0]; i++)
        if (strncmp(line, chatter[i], strlen(chatter[i])) == 0) return false;
    if (strncmp(line, "make", 4) == 0) /* the cause stands above */
        return !strstr(line, "*** [") && !strstr(line, "*** Waiting");
    return strcmp(line, "\n") != 0;
}

/* A line of CMake or make: "[ 40%] ..." moves the bar. */
static void show_line(const struct build *b, const char *line, struct cli_progress *progress,
                      bool *in_call_stack)
{
    unsigned percent;
    bool step = line[0] == '[' && sscanf(line, "[%u%%]", &percent) == 1;
    if (step) cli_progress_update(progress, percent);
    if (b->verbose || (!step && worth_showing(line, in_call_stack))) fputs(line, stderr);
}

static pid_t start(char *const words[], int out)
{
    pid_t pid = fork();
    if (pid != 0) return pid;
    dup2(out, STDOUT_FILENO);
    dup2(out, STDERR_FILENO);
    unsetenv("MAKEFLAGS"); /* of a make that called us */
    unsetenv("MFLAGS");
    unsetenv("MAKELEVEL");
    setenv("LC_MESSAGES", "C", 1);
    execvp(words[0], words);
    dprintf(STDERR_FILENO, "%s: %s; install the package %s\n", words[0], strerror(errno), words[0]);
    _exit(127);
}

/* Runs words; its output goes through show_line. */
static int run_tool(const struct build *b, const char *what, char *const words[])
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) return cli_fail("pipe: %s", strerror(errno));
    fflush(NULL);
    pid_t pid = start(words, ends[1]);
    close(ends[1]);
    FILE *f = fdopen(ends[0], "r");
    if (pid < 0 || !f) return cli_fail("%s: %s", words[0], strerror(errno));
    struct cli_progress progress;
    char line[MAX_LINE];
    bool in_call_stack = false;
    cli_progress_begin(&progress, what, 100);
    while (fgets(line, sizeof line, f)) show_line(b, line, &progress, &in_call_stack);
    cli_progress_end(&progress);
    fclose(f);
    int status;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR) return cli_fail("%s: %s", words[0], strerror(errno));
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? CLI_OK : CLI_FAILED;
}

static int configure(struct build *b)
{
    char adf[PATH_MAX + 8];
    snprintf(adf, sizeof adf, "%s/adf", b->idf);
    setenv("IDF_PATH", b->idf, 1);
    setenv("ADF_PATH", adf, 1);
    int status = cmake_words(b);
    if (status == CLI_OK) status = forget_other_words(b);
    if (status != CLI_OK) return status;
    if (run_tool(b, "configure", b->words) == CLI_OK) return CLI_OK;
    return cli_fail("%s: the project cannot be configured; see above", b->project);
}

static int compile(struct build *b)
{
    drop_words(b);
    add_word(b, "make");
    add_word(b, "-C%s", b->dir);
    add_word(b, "--no-print-directory");
    add_word(b, "-j%ld", sysconf(_SC_NPROCESSORS_ONLN));
    if (b->verbose) add_word(b, "VERBOSE=1");
    if (b->failed) return cli_fail("out of memory");
    if (run_tool(b, "build", b->words) == CLI_OK) return CLI_OK;
    return cli_fail("%s: the build failed; see above", b->project);
}

static int report(const struct build *b)
{
    char path[2 * PATH_MAX];
    uint8_t *text;
    size_t len;
    snprintf(path, sizeof path, "%s/project_description.json", b->dir);
    int err = file_read(path, 1 << 20, &text, &len);
    if (err) return cli_fail("%s: %s", path, strerror(-err));
    cJSON *description = cJSON_ParseWithLength((char *)text, len);
    free(text);

    struct stat st;
    snprintf(path, sizeof path, "%s/%s", b->dir, cli_text_of(description, "app_bin"));
    int status = CLI_OK;
    if (stat(path, &st) < 0) {
        status = cli_fail("%s: %s", path, strerror(errno));
    } else if (cli_json_wanted(b->args)) {
        cJSON *doc = cJSON_CreateObject();
        cJSON_AddStringToObject(doc, "project", cli_text_of(description, "project_name"));
        cJSON_AddStringToObject(doc, "version", cli_text_of(description, "project_version"));
        cJSON_AddStringToObject(doc, "chip", cli_text_of(description, "target"));
        cJSON_AddStringToObject(doc, "build_dir", b->dir);
        cJSON_AddStringToObject(doc, "app", path);
        cJSON_AddNumberToObject(doc, "app_len", (double)st.st_size);
        status = cli_print_json(doc);
    } else {
        cli_print("%s %s for %s: %s (%lld KiB)\n", cli_text_of(description, "project_name"),
                  cli_text_of(description, "project_version"), cli_text_of(description, "target"),
                  path, (long long)(st.st_size + 1023) / 1024);
    }
    cJSON_Delete(description);
    return status;
}

static int run(const struct cli_args *a)
{
    struct build *b = calloc(1, sizeof *b);
    if (!b) return cli_fail("out of memory");
    b->args = a;
    b->verbose = cli_has(a, "--verbose");
    int status = find_house(b);
    if (status == CLI_OK) status = find_project(b);
    if (status == CLI_OK) status = configure(b);
    if (status == CLI_OK) status = compile(b);
    if (status == CLI_OK) status = report(b);
    drop_words(b);
    free(b);
    return status;
}

static const struct cli_option options[] = {
    {"-B", "DIR", "where to build (PROJECT_DIR/build)", false},
    {"--chip", "NAME", "esp32, esp32s2, esp32s3, esp32c2, esp32c3, esp32c6, esp32h2 ...", false},
    {"--sdkconfig", "FILE", "a further sdkconfig file; wins over the project's own", true},
    {"-D", "NAME=VALUE", "a CMake variable, PROJECT_VER=1.1.0", true},
    {"--verbose", NULL, "show the commands", false},
    {0},
};

const struct cli_command build_commands[] = {
    {
        .name = "build",
        .operands = "PROJECT_DIR",
        .summary = "build an ESP-IDF or ESP-ADF project for the virtual device",
        .details = "The project stays as it is. Into the build folder go PROJECT.bin, "
                   "bootloader/bootloader.bin, partition_table/partition-table.bin, "
                   "ota_data_initial.bin, flash_args and sdkconfig.\n"
                   "The chip is that of --chip, else of IDF_TARGET in the environment, else of the "
                   "project's sdkconfig files, else esp32.",
        .example = "airlift build my_project --chip esp32c3 -D PROJECT_VER=1.1.0",
        .options = options,
        .run = run,
    },
    {0},
};
