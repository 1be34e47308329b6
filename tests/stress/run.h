/* A run with many processes: starts them, stops some for a while, kills some,
 * starts others in their place, and sees them end. */
#ifndef GROVE_STRESS_RUN_H
#define GROVE_STRESS_RUN_H

#include "board.h"

/* False: something failed, and was said. */
bool run_processes(stress_board *board);

#endif
