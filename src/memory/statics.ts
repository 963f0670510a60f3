/**
 * Where in linear memory the constants and buffers of each family's kernels begin, each in a place of its own: all families
 * that are called share one memory. tools/embed.ts compiles them to these places, and looks that none reaches into the next.
 */
export const STATICS = {
  gram: 0x400,
  softmax: 0x1800,
  losses: 0x6400,
  transport: 0xe000,
  divergence: 0x11800,
} as const;

/** A family of kernels: a folder of assembly/, and a module. */
export type FamilyName = keyof typeof STATICS;

/** Where the last of them ends, at most: what is behind it is the host's. */
export const STATICS_END = 0x1b000;
