/* What the shared library exports, and attributes that compilers check. */
#ifndef GROVE_VISIBILITY_H
#define GROVE_VISIBILITY_H

#if defined(__GNUC__)
#define GROVE_API __attribute__((visibility("default"), warn_unused_result))
/* For functions whose result may be ignored, or that have none. */
#define GROVE_API_VOID __attribute__((visibility("default")))
#else
#define GROVE_API
#define GROVE_API_VOID
#endif

#endif
