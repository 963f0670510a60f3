/** Where the library knows Symbol.dispose, a resident is Disposable: `using` frees it. For the type checker. */
import { resident } from "surprisal";

export const kept: Disposable = resident("f32", 6);
kept[Symbol.dispose]();
