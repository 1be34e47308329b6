/* Everything an application needs; extension points are in grove/sys/. */
#ifndef GROVE_GROVE_H
#define GROVE_GROVE_H

#include <grove/backup.h>
#include <grove/document.h>
#include <grove/dump.h>
#include <grove/feed.h>
#include <grove/json.h>
#include <grove/limits.h>
#include <grove/opaque.h>
#include <grove/status.h>
#include <grove/store.h>
#include <grove/text.h>
#include <grove/tree.h>
#include <grove/types.h>
#include <grove/verify.h>
#include <grove/watch.h>

#endif
