/** The steps of assembly/divergence/codes.ts. */
export const begin = 1;
export const maximum = 2;
export const sum = 4;
export const terms = 8;
export const finish = 16;
export const write = 32;
export const aim = 64;
export const settle = 128;
