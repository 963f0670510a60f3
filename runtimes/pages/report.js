// Classic and first in a page, so that it also hears of modules that do not load.
const target = new URL(location.href).searchParams.get("report");

/** Sends what a page found to the runner, which may be of another origin: a simple request, whose answer nobody reads. */
function report(result) {
  fetch(target, { method: "POST", mode: "no-cors", body: JSON.stringify(result) });
}

addEventListener(
  "error",
  ({ message, filename, lineno, target }) =>
    report({ error: message ? `${message} (${filename}:${lineno})` : `${target.src} did not load` }),
  // the error of a script that does not load does not bubble
  true,
);
addEventListener("unhandledrejection", ({ reason }) => report({ error: String(reason?.stack ?? reason) }));
