/* Labels of goroutines (gort/goroutine.h: go_set_label). */
#ifndef RT_LABEL_H
#define RT_LABEL_H

struct labels;

/* Another reference to a set; NULL gives NULL. */
struct labels *labels_share(struct labels *l);
void labels_drop(struct labels *l);

#endif
