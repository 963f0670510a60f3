const worker = new Worker("worker.js", { type: "module" });
worker.onmessage = ({ data }) => report(data);
worker.onerror = ({ message }) => report({ error: `the worker failed: ${message ?? "it did not load"}` });
