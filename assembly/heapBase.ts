/** Where the static data of a family ends: the build looks that it has not grown into the next one's. */
export function heapBase(): usize {
  return __heap_base;
}
