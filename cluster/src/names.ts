/** The environment variable in which threads of a worker find the data folder: a job's data are the same on all machines, this is not. */
export const DATA = "SURPRISAL_CLUSTER_DATA";

/** The one in which they find how many bytes the arrays of a tile may take. */
export const TILE_BYTES = "SURPRISAL_CLUSTER_TILE_BYTES";
