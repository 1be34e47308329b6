/*
 * What a worker may do next. Each takes an open handle, or finds what it needs
 * itself.
 */
#ifndef GROVE_STRESS_ACTIONS_H
#define GROVE_STRESS_ACTIONS_H

#include "handle.h"

/* Each false when the handle is of no more use. */
bool act_save(stress_handle *handle);
bool act_save_late(stress_handle *handle);
bool act_refresh(stress_handle *handle);
bool act_compact(stress_handle *handle);
bool act_seal(stress_handle *handle);
bool act_hand_in_state(stress_handle *handle);
bool act_history(stress_handle *handle); /* history.c */
bool act_blame(stress_handle *handle);
bool act_branch(stress_handle *handle); /* branch.c */

void act_load(stress_worker *self);
void act_load_past(stress_worker *self);
void act_statistics(stress_worker *self);
void act_list(stress_worker *self);
void act_sync(stress_worker *self);
void act_own_document(stress_worker *self);
void act_second_store(stress_worker *self);
void act_group(stress_worker *self);  /* groups.c */
void act_watch(stress_worker *self);  /* watch.c */
void act_verify(stress_worker *self); /* verify.c */
void act_fork(stress_worker *self);   /* fork.c */

#endif
