/** Where the module that makes the kernels of a family has what in its memory; the first 32 KiB are its own. */
export const packed = 0x8000;
export const relaxed = 0x10000;
export const base = 0x20000;
export const end = 0x40000;
