/** What a person can do something about: the command line prints its message alone, without a stack. */
export class ClusterError extends Error {
  override readonly name = "ClusterError";
}

/** Any error as a ClusterError that says first what it was about; one that is a ClusterError says so itself. */
export function during(what: string, error: unknown): ClusterError {
  if (error instanceof ClusterError) return error;
  const code = (error as { code?: unknown } | null)?.code;
  const message = error instanceof Error ? error.message : String(error);
  const hint =
    code === "ENOSPC"
      ? "the disk is full: free some space and run the command again, what is done is kept"
      : code === "EACCES" || code === "EPERM" || code === "EROFS"
        ? `this user may not: ${message}`
        : message;
  return new ClusterError(`${what}: ${hint}`, { cause: error });
}
