/* A shared library without detection, some functions of which have the names of functions inside the race detector. */
#ifndef PLAIN_NAMES_H
#define PLAIN_NAMES_H

int names_sum(void);   /* calls them: 1 + 2 + 4 + 8 */

#endif
