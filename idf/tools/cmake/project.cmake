# include($ENV{IDF_PATH}/tools/cmake/project.cmake), then project(name): the way
# in for an ESP-IDF project. What it builds runs on a virtual device.
cmake_minimum_required(VERSION 3.16)

get_filename_component(IDF_PATH "${CMAKE_CURRENT_LIST_DIR}/../.." ABSOLUTE)
set(ENV{IDF_PATH} "${IDF_PATH}") # manifests and Kconfig files refer to it
set(IDF_VERSION_MAJOR 6)
set(IDF_VERSION_MINOR 2)
set(IDF_VERSION_PATCH 0)
set(IDF_VER "v6.2-dev")
set(ENV{IDF_VERSION} "6.2.0")

include("${CMAKE_CURRENT_LIST_DIR}/paths.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/properties.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/builtin.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/discover.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/config.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/version.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/embed.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/component.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/link.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/images.cmake")

# A macro: languages, variables and components belong to the project's own scope.
macro(project project_name)
    cmake_parse_arguments(__project "" "VERSION;DESCRIPTION;HOMEPAGE_URL" "LANGUAGES" ${ARGN})
    set(PROJECT_DIR "${CMAKE_SOURCE_DIR}")
    set(BUILD_DIR "${CMAKE_BINARY_DIR}")
    idf_build_set_property(PROJECT_NAME "${project_name}")
    idf_build_set_property(PROJECT_DIR "${CMAKE_SOURCE_DIR}")
    idf_build_set_property(BUILD_DIR "${CMAKE_BINARY_DIR}")

    __airlift_discover_components()
    __airlift_choose_target()
    __airlift_configure()
    include("${CMAKE_BINARY_DIR}/config/sdkconfig.cmake")

    __airlift_find_languages(__languages)
    if(__project_VERSION)
        _project(${project_name} VERSION ${__project_VERSION} LANGUAGES ${__languages})
    else()
        _project(${project_name} LANGUAGES ${__languages})
    endif()
    __airlift_project_version("${__project_VERSION}")

    __airlift_build_interface()
    __airlift_add_components()
    __airlift_link_project(${project_name})
    __airlift_make_images(${project_name})
endmacro()
