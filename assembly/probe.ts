/** The elementary functions on their own, in place over `count` vectors. For tests only; not shipped. */
import { VECTOR } from "./lanes";
import { exp, expm1 } from "./math/exp";
import { log, log1p } from "./math/log";

export function exp_f32(ptr: usize, count: usize): void {
  for (const end = ptr + count * VECTOR; ptr < end; ptr += VECTOR) v128.store(ptr, exp<f32>(v128.load(ptr)));
}
export function exp_f64(ptr: usize, count: usize): void {
  for (const end = ptr + count * VECTOR; ptr < end; ptr += VECTOR) v128.store(ptr, exp<f64>(v128.load(ptr)));
}
export function expm1_f32(ptr: usize, count: usize): void {
  for (const end = ptr + count * VECTOR; ptr < end; ptr += VECTOR) v128.store(ptr, expm1<f32>(v128.load(ptr)));
}
export function expm1_f64(ptr: usize, count: usize): void {
  for (const end = ptr + count * VECTOR; ptr < end; ptr += VECTOR) v128.store(ptr, expm1<f64>(v128.load(ptr)));
}
export function log_f32(ptr: usize, count: usize): void {
  for (const end = ptr + count * VECTOR; ptr < end; ptr += VECTOR) v128.store(ptr, log<f32>(v128.load(ptr)));
}
export function log_f64(ptr: usize, count: usize): void {
  for (const end = ptr + count * VECTOR; ptr < end; ptr += VECTOR) v128.store(ptr, log<f64>(v128.load(ptr)));
}
export function log1p_f32(ptr: usize, count: usize): void {
  for (const end = ptr + count * VECTOR; ptr < end; ptr += VECTOR) v128.store(ptr, log1p<f32>(v128.load(ptr)));
}
export function log1p_f64(ptr: usize, count: usize): void {
  for (const end = ptr + count * VECTOR; ptr < end; ptr += VECTOR) v128.store(ptr, log1p<f64>(v128.load(ptr)));
}
