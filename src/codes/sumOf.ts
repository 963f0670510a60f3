/** What is summed: x·y, (x − y)², |x − y|. */
export const products = 0;
export const squares = 1;
export const distances = 2;
