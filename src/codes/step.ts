/** What the steps of assembly/rows do to a row; `all` of them in one call for whole rows. */
export const begin = 1;
export const maximum = 2;
export const aim = 4;
export const sum = 8;
export const finish = 16;
export const write = 32;
export const all = 63;
