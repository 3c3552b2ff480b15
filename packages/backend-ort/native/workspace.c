/** Workspaces; see workspace.h. */
#include "workspace.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

enum { SLOTS = 64 };
static struct {
  atomic_bool isTaken;
  size_t bytes;
  float *memory;
} slots[SLOTS];

static float *newWorkspace(size_t bytes) {
  return aligned_alloc(64, (bytes + 63) / 64 * 64);
}

float *takeWorkspace(size_t bytes, int *slot) {
  for (*slot = 0; *slot < SLOTS; ++*slot) {
    if (atomic_exchange(&slots[*slot].isTaken, true)) continue;
    if (slots[*slot].bytes < bytes) {
      free(slots[*slot].memory);
      slots[*slot].memory = newWorkspace(bytes);
      slots[*slot].bytes = slots[*slot].memory == 0 ? 0 : bytes;
    }
    return slots[*slot].memory;
  }
  return newWorkspace(bytes);
}

void giveBack(int slot, float *memory) {
  if (slot == SLOTS) free(memory);
  else atomic_store(&slots[slot].isTaken, false);
}
