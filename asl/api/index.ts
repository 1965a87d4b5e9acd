/**
 * AWS Step Functions' own API on this machine, with the interpreter behind it: any AWS SDK or the AWS CLI uses it by its endpoint.
 *
 * @packageDocumentation
 */
export * from "./stepFunctions";
