/** What a block is mapped by; see assembly/gram/map.ts. */
export const linear = 0;
export const polynomial = 1;
export const exponential = 2;
export const sigmoid = 3;
