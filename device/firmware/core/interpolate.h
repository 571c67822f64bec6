/* Filling pixels that have no valid value from their neighbours. */
#ifndef INTERPOLATE_H
#define INTERPOLATE_H

#include <stdint.h>

#include "status.h"
#include "subpage.h"

/* Overwrite every invalid pixel with what valid pixels around it suggest: the mean of opposite neighbours, straight
   ones before diagonal ones; at a border without such a pair the mean of any valid neighbours; without those the mean
   of the nearest valid pixels. `valid` has bit c of word r for row r, column c. Returns OK, or UNDECODABLE where no
   pixel is valid. */
enum status interpolate_invalid(float celsius[PIXELS], const uint32_t valid[ROWS]);

#endif
