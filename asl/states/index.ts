/** Typed states of Amazon States Language in JSONata: each renders itself and says which permissions it needs. */
export * from "./batch";
export * from "./flow";
export * from "./jsonata";
export * from "./lambda";
export * from "./machine";
export * from "./modelPackage";
export * from "./node";
export * from "./parallel";
export * from "./permissions";
export * from "./sagemaker";
export * from "./sns";
export * from "./stub";
export * from "./task";
