/** The environment variable in which threads of a worker find the data folder: a job's data are the same on all machines, this is not. */
export const DATA = "SURPRISAL_CLUSTER_DATA";
