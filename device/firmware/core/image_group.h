/* SMP group 1, images: says which bundle runs. It is compiled into the firmware, so uploads are refused. */
#ifndef IMAGE_GROUP_H
#define IMAGE_GROUP_H

#include "profile.h"
#include "smp.h"

/* The group for an SMP server; `profile` must stay. */
struct smp_group image_group_commands(const struct profile *profile);

/* "major.minor.revision", and "+build" where there is one, as bundles write it. */
void image_group_version(const struct bundle_profile *bundle, struct text *version);

#endif
