/* Constants between units. */
#ifndef UNITS_H
#define UNITS_H

#define KELVIN 273.15F /* 0 degC */

#endif
