/** Evaluation of the two query languages of Amazon States Language, shared by the interpreter and the analysis. */
export { ExpressionError, type ExpressionKind } from "./errors";
export { adopt, byteSize, copyJson, equalJson, isObject, NotJsonError, setKey, takeIn, typeName } from "./json";
export { compileIntrinsic, isIntrinsic } from "./intrinsics";
export { compileJsonata, isJsonata, type JsonataExpression } from "./jsonata";
export { compilePath, compileReferencePath, type Path, type ReferencePath } from "./jsonpath/index";
export { seededRandom, uuidFrom } from "./random";
export type { Host, Scope, Variables } from "./scope";
export {
    compilePathOrIntrinsic,
    compilePayload,
    compileTemplate,
    fill,
    render,
    type JsonataTemplate,
    type PayloadTemplate,
} from "./templates";
