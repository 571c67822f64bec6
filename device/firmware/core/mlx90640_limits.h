/* What an MLX90640 measures and what it can be told (thermo_core.mlx90640.limits): beyond these ranges a number is no
   temperature. degC and V. */
#ifndef MLX90640_LIMITS_H
#define MLX90640_LIMITS_H

#define MLX90640_COLDEST_OBJECT (-40.0F)
#define MLX90640_HOTTEST_OBJECT 300.0F
#define MLX90640_COLDEST_DIE (-40.0F)
#define MLX90640_HOTTEST_DIE 85.0F
#define MLX90640_LOWEST_SUPPLY 3.0F
#define MLX90640_HIGHEST_SUPPLY 3.6F
#define MLX90640_LOWEST_EMISSIVITY 0.05F
#define MLX90640_COLDEST_REFLECTED (-100.0F)
#define MLX90640_HOTTEST_REFLECTED 200.0F

#endif
