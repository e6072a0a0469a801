/* Unit tests in the vendor's way: TEST_CASE registers itself, UNITY_BEGIN and unity_run_...()
 * run, a failed TEST_ASSERT leaves the case. */
#pragma once

#include <math.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct test_desc_t {
    const char *name, *desc; /* desc: "[tag][timeout=10]" */
    void (*fn)(void);
    const char *file;
    int line;
    struct test_desc_t *next;
} test_desc_t;

void unity_testcase_register(test_desc_t *desc);
void unity_run_all_tests(void);
void unity_run_test_by_name(const char *name); /* all whose name begins so */
/* Cases with "[tag]"; inverse: those without. */
void unity_run_tests_by_tag(const char *tag, bool inverse);

/* The count of failed cases, after a line "3 Tests 0 Failures 0 Ignored". */
void UnityBegin(const char *filename);
int UnityEnd(void);
#define UNITY_BEGIN() UnityBegin(__FILE__)
#define UNITY_END()   UnityEnd()

/* Leave the case that runs. */
_Noreturn void unity_fail(const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
_Noreturn void unity_ignore(const char *file, int line, const char *text);

#define UNITY_TEST_NAME2(a, b) a##b
#define UNITY_TEST_NAME(a, b)  UNITY_TEST_NAME2(a, b)
#define TEST_CASE(name_, desc_)                                                               \
    static void UNITY_TEST_NAME(test_case_, __LINE__)(void);                                  \
    static void __attribute__((constructor)) UNITY_TEST_NAME(test_register_, __LINE__)(void)  \
    {                                                                                         \
        static test_desc_t desc = {name_,    desc_,    UNITY_TEST_NAME(test_case_, __LINE__), \
                                   __FILE__, __LINE__, NULL};                                 \
        unity_testcase_register(&desc);                                                       \
    }                                                                                         \
    static void UNITY_TEST_NAME(test_case_, __LINE__)(void)

#define TEST_FAIL_MESSAGE(message)   unity_fail(__FILE__, __LINE__, "%s", message)
#define TEST_FAIL()                  TEST_FAIL_MESSAGE("")
#define TEST_IGNORE_MESSAGE(message) unity_ignore(__FILE__, __LINE__, message)
#define TEST_IGNORE()                TEST_IGNORE_MESSAGE("")

#define TEST_ASSERT_MESSAGE(condition, message)       \
    do {                                              \
        if (!(condition)) TEST_FAIL_MESSAGE(message); \
    } while (0)
#define TEST_ASSERT(condition)        TEST_ASSERT_MESSAGE(condition, "Expression: " #condition)
#define TEST_ASSERT_TRUE(condition)   TEST_ASSERT_MESSAGE(condition, "Expected TRUE Was FALSE")
#define TEST_ASSERT_FALSE(condition)  TEST_ASSERT_MESSAGE(!(condition), "Expected FALSE Was TRUE")
#define TEST_ASSERT_NULL(pointer)     TEST_ASSERT_MESSAGE((pointer) == NULL, "Expected NULL")
#define TEST_ASSERT_NOT_NULL(pointer) TEST_ASSERT_MESSAGE((pointer) != NULL, "Expected Non-NULL")

#define UNITY_COMPARE_INT(expected, op, actual)                                                   \
    do {                                                                                          \
        long long unity_expected = (long long)(expected), unity_actual = (long long)(actual);     \
        if (!(unity_actual op unity_expected))                                                    \
            unity_fail(__FILE__, __LINE__, "Expected %s %lld Was %lld", #op[0] == '=' ? "" : #op, \
                       unity_expected, unity_actual);                                             \
    } while (0)
#define TEST_ASSERT_EQUAL(expected, actual)        UNITY_COMPARE_INT(expected, ==, actual)
#define TEST_ASSERT_EQUAL_INT(expected, actual)    UNITY_COMPARE_INT(expected, ==, actual)
#define TEST_ASSERT_EQUAL_UINT32(expected, actual) UNITY_COMPARE_INT(expected, ==, actual)
#define TEST_ASSERT_EQUAL_HEX32(expected, actual)  UNITY_COMPARE_INT(expected, ==, actual)
#define TEST_ASSERT_EQUAL_PTR(expected, actual) \
    UNITY_COMPARE_INT((intptr_t)(expected), ==, (intptr_t)(actual))
#define TEST_ASSERT_NOT_EQUAL(expected, actual)     UNITY_COMPARE_INT(expected, !=, actual)
#define TEST_ASSERT_GREATER_THAN(limit, actual)     UNITY_COMPARE_INT(limit, >, actual)
#define TEST_ASSERT_GREATER_OR_EQUAL(limit, actual) UNITY_COMPARE_INT(limit, >=, actual)
#define TEST_ASSERT_LESS_THAN(limit, actual)        UNITY_COMPARE_INT(limit, <, actual)
#define TEST_ASSERT_LESS_OR_EQUAL(limit, actual)    UNITY_COMPARE_INT(limit, <=, actual)
#define TEST_ASSERT_EQUAL_STRING(expected, actual)                                   \
    do {                                                                             \
        const char *unity_expected = (expected), *unity_actual = (actual);           \
        if (strcmp(unity_expected, unity_actual) != 0)                               \
            unity_fail(__FILE__, __LINE__, "Expected '%s' Was '%s'", unity_expected, \
                       unity_actual);                                                \
    } while (0)
#define TEST_ASSERT_EQUAL_MEMORY(expected, actual, len) \
    TEST_ASSERT_MESSAGE(memcmp(expected, actual, len) == 0, "Memory Mismatch")
#define TEST_ASSERT_EQUAL_HEX8_ARRAY(expected, actual, count) \
    TEST_ASSERT_EQUAL_MEMORY(expected, actual, count)
#define TEST_ASSERT_EQUAL_UINT8_ARRAY(expected, actual, count) \
    TEST_ASSERT_EQUAL_MEMORY(expected, actual, count)

#define TEST_ESP_ERR(expected, rc)                                                          \
    do {                                                                                    \
        esp_err_t unity_err = (rc);                                                         \
        if (unity_err != (expected))                                                        \
            unity_fail(__FILE__, __LINE__, "Expected %s Was %s", esp_err_to_name(expected), \
                       esp_err_to_name(unity_err));                                         \
    } while (0)
#define TEST_ESP_OK(rc) TEST_ESP_ERR(ESP_OK, rc)

#ifdef __cplusplus
}
#endif
