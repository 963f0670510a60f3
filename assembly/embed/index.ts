/** A module of its own, which makes the kernels of what is embedded. In JavaScript, which has yet to be compiled then, it would take ten times as long. */
export { unpack } from "./unpack";
