#pragma once
#include <stddef.h>

// A machine profile, a host, a router's behaviour or a model shape that is carried inside the program: JSON text of the
// folder Profiles/ at the repository's root.
typedef struct {
  // The folder: machines, hosts, routing or shapes.
  const char *folder;
  // The file's name without ".json".
  const char *name;
  const char *text;
} hybrimoe_profile;

// All of them, sorted by folder and name; constant, and there as long as the process.
const hybrimoe_profile *hybrimoe_profiles(size_t *count);
