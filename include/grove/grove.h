/* Everything an application needs. */
#ifndef GROVE_GROVE_H
#define GROVE_GROVE_H

#include <grove/limits.h>
#include <grove/status.h>
#include <grove/types.h>

#endif
