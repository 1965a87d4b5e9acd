/** Reading an execution's history: which event belongs to which state, how long states took, what failed. */
export * from "./events";
export * from "./visits";
