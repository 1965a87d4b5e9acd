/**
 * Typed states of Amazon States Language in JSONata, from which a state machine is assembled; each Task says which permissions it needs.
 * Needs neither Pulumi nor an AWS SDK.
 *
 * @packageDocumentation
 */
export * from "../workflow/states";
