# Where Airlift's program, libraries and headers are. Each can be given as a
# variable or in the environment; otherwise they are looked for beside idf/.

# An error for people: CMake leaves lines alone that begin with a blank.
function(__airlift_fail)
    string(JOIN "" text ${ARGV})
    string(REPLACE "\n" "\n " text "${text}")
    message(FATAL_ERROR " ${text}")
endfunction()

# Sets var from -Dvar, then $ENV{var}, then the first candidate that exists.
function(__airlift_locate var what)
    if(NOT ${var} AND DEFINED ENV{${var}})
        set(${var} "$ENV{${var}}")
    endif()
    if(NOT ${var})
        foreach(candidate IN LISTS ARGN)
            if(EXISTS "${candidate}")
                get_filename_component(${var} "${candidate}" ABSOLUTE)
                break()
            endif()
        endforeach()
    endif()
    if(NOT ${var} OR NOT EXISTS "${${var}}")
        __airlift_fail("${what} not found (${var}='${${var}}').\n"
            "Run 'make' in Airlift's folder first, or set ${var}.")
    endif()
    set(${var} "${${var}}" PARENT_SCOPE)
endfunction()

__airlift_locate(AIRLIFT_PROGRAM "The program airlift"
    "${IDF_PATH}/../build/bin/airlift" "${IDF_PATH}/../../../bin/airlift")
__airlift_locate(AIRLIFT_LIB_DIR "The folder with libairlift-esp.a"
    "${IDF_PATH}/../build/lib" "${IDF_PATH}/../../../lib/airlift")
__airlift_locate(AIRLIFT_ESP_DIR "The folder with the ESP-IDF headers"
    "${IDF_PATH}/../esp/esp-idf" "${IDF_PATH}/../esp-idf")
__airlift_locate(AIRLIFT_ZIGBEE_DIR "The folder with the Zigbee headers"
    "${AIRLIFT_ESP_DIR}/../esp-zigbee")
__airlift_locate(AIRLIFT_ADF_DIR "The folder with the ESP-ADF headers"
    "${AIRLIFT_ESP_DIR}/../esp-adf")

# The compiler and flags that the libraries were built with.
include("${AIRLIFT_LIB_DIR}/airlift-flags.cmake")
if(NOT CMAKE_C_COMPILER AND NOT DEFINED ENV{CC})
    set(CMAKE_C_COMPILER "${AIRLIFT_CC}")
endif()

find_program(AIRLIFT_PYTHON NAMES python3 PATHS /usr/bin NO_DEFAULT_PATH)
if(NOT AIRLIFT_PYTHON)
    __airlift_fail("/usr/bin/python3 not found; install the package python3.")
endif()
