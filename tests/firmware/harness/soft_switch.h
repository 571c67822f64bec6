/* With -DFLOAT32_SOFT=soft_switch a test chooses at run time what a processor without floats does. */
#ifndef SOFT_SWITCH_H
#define SOFT_SWITCH_H

extern int soft_switch;

#endif
