#include "registry.h"

#include <string.h>

#include "average.h"
#include "bandpass.h"
#include "bins.h"
#include "body_map.h"
#include "canny.h"
#include "centre.h"
#include "concatenate.h"
#include "contact_correction.h"
#include "contact_gate.h"
#include "crop.h"
#include "difference.h"
#include "domain.h"
#include "domain_gate.h"
#include "enmo.h"
#include "equalise.h"
#include "expectile.h"
#include "forward_fill.h"
#include "foster.h"
#include "foster_fit.h"
#include "gaussian.h"
#include "glcm.h"
#include "hold.h"
#include "hot_spots.h"
#include "integral.h"
#include "kalman_core.h"
#include "lacking.h"
#include "logarithm.h"
#include "median3.h"
#include "metabolic_rate.h"
#include "motion_gate.h"
#include "node_check.h"
#include "normalise.h"
#include "normalise_percentiles.h"
#include "own_baseline.h"
#include "paired_recovery.h"
#include "prefer.h"
#include "projection.h"
#include "recovery.h"
#include "reference.h"
#include "relative.h"
#include "resample.h"
#include "resize.h"
#include "scale.h"
#include "segment.h"
#include "select.h"
#include "slope.h"
#include "sobel.h"
#include "spectrum_peak.h"
#include "stack.h"
#include "statistics.h"
#include "step_removal.h"
#include "subtract_background.h"
#include "trees.h"
#include "window.h"

/* clang-format off */
static const struct stage *const stages[] = {
    &average_stage,
    &bandpass_stage,
    &bins_stage,
    &body_map_stage,
    &canny_stage,
    &centre_stage,
    &concatenate_stage,
    &contact_correction_stage,
    &contact_gate_stage,
    &crop_stage,
    &difference_stage,
    &domain_stage,
    &domain_gate_stage,
    &enmo_stage,
    &equalise_stage,
    &expectile_stage,
    &forward_fill_stage,
    &foster_stage,
    &foster_fit_stage,
    &gaussian_stage,
    &glcm_stage,
    &hold_stage,
    &hot_spots_stage,
    &integral_stage,
    &kalman_core_stage,
    &lacking_stage,
    &logarithm_stage,
    &median3_stage,
    &metabolic_rate_stage,
    &motion_gate_stage,
    &node_check_stage,
    &normalise_stage,
    &normalise_percentiles_stage,
    &own_baseline_stage,
    &paired_recovery_stage,
    &prefer_stage,
    &projection_stage,
    &recovery_stage,
    &reference_stage,
    &relative_stage,
    &resample_stage,
    &resize_stage,
    &scale_stage,
    &segment_stage,
    &select_stage,
    &slope_stage,
    &sobel_stage,
    &spectrum_peak_stage,
    &stack_stage,
    &statistics_stage,
    &step_removal_stage,
    &subtract_background_stage,
    &trees_stage,
    &window_stage,
};
/* clang-format on */

const struct stage *registry_find(const char *name) {
  for (size_t i = 0; i < sizeof stages / sizeof stages[0]; i++) {
    if (strcmp(stages[i]->name, name) == 0) {
      return stages[i];
    }
  }
  return NULL;
}

const struct stage *registry_stage(size_t number) {
  return number < sizeof stages / sizeof stages[0] ? stages[number] : NULL;
}
