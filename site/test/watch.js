// loaded before everything else: what goes wrong, and what moves
window.watched = { errors: [], shift: 0, longest: 0 };
const note = (...of) => window.watched.errors.push(of.map((part) => part?.stack ?? String(part)).join(" "));
addEventListener(
  "error",
  (event) => note(event.message || `${event.target?.src ?? event.target?.href} did not load`),
  true,
);
addEventListener("unhandledrejection", (event) => note(event.reason));
document.addEventListener("securitypolicyviolation", (event) =>
  note(`${event.violatedDirective} refuses ${event.blockedURI}`),
);
const said = console.error;
console.error = (...of) => {
  note(...of);
  said.apply(console, of);
};
const watch = (type, see) => {
  if (PerformanceObserver.supportedEntryTypes?.includes(type))
    new PerformanceObserver((list) => list.getEntries().forEach(see)).observe({ type, buffered: true });
};
watch("layout-shift", (entry) => {
  if (!entry.hadRecentInput) window.watched.shift += entry.value;
});
watch("longtask", (entry) => {
  window.watched.longest = Math.max(window.watched.longest, entry.duration);
});
