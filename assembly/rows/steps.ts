/** What a call does to a row, or to a piece of one: the host asks for ALL of a whole row, and for steps of one in pieces. */
export const BEGIN = 1;
export const MAXIMUM = 2;
export const AIM = 4;
export const SUM_UP = 8;
export const FINISH = 16;
export const WRITE = 32;
export const ALL = 63;
