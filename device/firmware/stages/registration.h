/* Where a picture lies against another one, to a fraction of a pixel, and the picture moved there, as
   thermo_core.stages.registration has it, bit for bit. */
#ifndef STAGES_REGISTRATION_H
#define STAGES_REGISTRATION_H

#include <stdbool.h>
#include <stdint.h>

struct registered {
  const float *values; /* the picture itself, or `moved` */
  float down, along;   /* its shift, pixels */
  bool known;          /* it is within its bounds */
};

struct registration {
  /* registration_find; a firmware without pictures that are registered does without its code. */
  struct registered (*find)(const struct registration *bounds, const float *picture, const float *guide, float share,
                            float *moved, float *line);
  float most;     /* pixels along each axis; a shift that gets there is unknown */
  float variance; /* of one pixel's noise */
  float damping;  /* that over the square of the shift's usual size */
  float far;      /* 1 over the square of what lets a pixel count half */
  uint16_t rows, columns;
};

/* Bring a picture to lie as a guide, in which `share` of a picture's noise variance is left. `moved` and `line` have
   room for a picture each. */
struct registered registration_find(const struct registration *bounds, const float *picture, const float *guide,
                                    float share, float *moved, float *line);

#endif
