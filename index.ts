/**
 * The Pulumi program: the configuration of a stack in, one stage of the training of an ensemble, its names and
 * addresses out. What a stage consists of stands in stacks/stage.ts.
 */
import { stackProgram } from "./stacks/program";

export = stackProgram;
