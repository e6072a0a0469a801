/* Stands in for a project's sdkconfig.h when this library is compiled: the
 * library reads the configuration at run time (airlift_config.h). */
#pragma once
