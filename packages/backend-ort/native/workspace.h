/**
 * Memory for packed panels and finished blocks, of as many calls as run at once, kept for later ones: sessions come and go with their
 * threads, and what belonged to a thread would be lost with it.
 */
#ifndef MEANFLOW_WORKSPACE_H
#define MEANFLOW_WORKSPACE_H

#include <stddef.h>

/** @returns at least so many bytes, or null where there is no memory. @param slot to be given back by `giveBack` */
float *takeWorkspace(size_t bytes, int *slot);
void giveBack(int slot, float *memory);

#endif
