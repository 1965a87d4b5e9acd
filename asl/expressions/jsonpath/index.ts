export { compilePath, type Path } from "./path";
export { compileReferencePath, type ReferencePath } from "./reference";
