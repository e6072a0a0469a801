/* The runner of unity.h's test cases. Lines are those of Unity: "file:line:name:PASS". */
#include "unity.h"

#include <stdarg.h>
#include <stdio.h>

static struct {
    test_desc_t *first, **end;
    const test_desc_t *running;
    jmp_buf leave;
    int run, failed, ignored;
} unity;

void unity_testcase_register(test_desc_t *desc)
{
    if (!unity.end) unity.end = &unity.first;
    *unity.end = desc;
    unity.end = &desc->next;
}

void UnityBegin(const char *filename)
{
    unity.run = unity.failed = unity.ignored = 0;
}

int UnityEnd(void)
{
    printf("\n-----------------------\n%d Tests %d Failures %d Ignored \n%s\n", unity.run,
           unity.failed, unity.ignored, unity.failed ? "FAIL" : "OK");
    fflush(stdout);
    return unity.failed;
}

void unity_fail(const char *file, int line, const char *format, ...)
{
    va_list list;
    printf("%s:%d:%s:FAIL: ", file, line, unity.running->name);
    va_start(list, format);
    vprintf(format, list);
    va_end(list);
    printf("\n");
    unity.failed++;
    longjmp(unity.leave, 1);
}

void unity_ignore(const char *file, int line, const char *text)
{
    printf("%s:%d:%s:IGNORE: %s\n", file, line, unity.running->name, text);
    unity.ignored++;
    longjmp(unity.leave, 1);
}

static void run(const test_desc_t *t)
{
    printf("Running %s...\n", t->name);
    fflush(stdout);
    unity.running = t;
    unity.run++;
    if (setjmp(unity.leave) == 0) {
        t->fn();
        printf("%s:%d:%s:PASS\n", t->file, t->line, t->name);
    }
    fflush(stdout);
}

void unity_run_all_tests(void)
{
    for (const test_desc_t *t = unity.first; t; t = t->next) run(t);
}

void unity_run_test_by_name(const char *name)
{
    for (const test_desc_t *t = unity.first; t; t = t->next)
        if (strncmp(t->name, name, strlen(name)) == 0) run(t);
}

void unity_run_tests_by_tag(const char *tag, bool inverse)
{
    for (const test_desc_t *t = unity.first; t; t = t->next)
        if ((strstr(t->desc, tag) != NULL) != inverse) run(t);
}
