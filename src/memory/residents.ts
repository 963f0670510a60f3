/**
 * Which objects are resident arrays. Functions that read arguments import this and not the class, which so is in a bundle only
 * where `resident` is.
 */
import type { FloatArray } from "../types.ts";

/** The elements of a resident array; what is wrong with it is an error that names the argument that it is. */
type View = (fn: string, name: string) => FloatArray;

const views = /* @__PURE__ */ new WeakMap<object, View>();

export function register(resident: object, view: View): void {
  views.set(resident, view);
}

export function isResident(value: unknown): value is object {
  return typeof value === "object" && value !== null && views.has(value);
}

export function residentView(fn: string, name: string, resident: object): FloatArray {
  return (views.get(resident) as View)(fn, name);
}
