/** A process that measures the shares it is sent, with one instance of the probe, whose file is its argument. */
import { measure, type Share } from "../support/measure.ts";
import { Probe } from "../support/probe.ts";

const probe = new Probe(process.argv[2]!);
process.on("message", (share: Share) => process.send!(measure(probe, share)));
