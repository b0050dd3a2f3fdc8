/* Counting words with a map from strings to ints. */
// expect: 6 words, 4 different
// expect: the 2
// expect: without the: 3
#include <gort.h>
#include <stdio.h>

int main(void)
{
    const char *words[] = {"the", "cat", "the", "dog", "a", "cat"};
    go_string_map(int) count = go_make_string_map(int);
    for (int i = 0; i < 6; i++) {
        int n;
        go_map_get(count, words[i], &n);   /* 0 for a new word */
        go_map_set(count, words[i], n + 1);
    }
    const char *word;
    int n, sum = 0;
    go_map_each(count, &word, &n)
        sum += n;
    printf("%d words, %zu different\n", sum, go_map_len(count));
    if (go_map_get(count, "the", &n))
        printf("the %d\n", n);
    go_map_delete(count, "the");
    printf("without the: %zu\n", go_map_len(count));
    go_map_free(count);
    return 0;
}
